"""Who is answered: right name, right token, from the page itself; headers on every answer."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from edgecrnn.runtime.page.settings import is_loopback
from edgecrnn.runtime.page.token import same

OPEN = frozenset({"/", "/enter", "/healthz", "/page.css"})  # to everybody; "/" asks by itself
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_LASTS = 90 * 24 * 3600  # seconds that a browser stays let in
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With "no-referrer" a browser leaves the Origin of a form out, too.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Server": "edgecrnn",
}


class Guard:
    """Refuses what no viewer of this page would ask.

    A browser sends a page of another site where that site's owner says, with a name of his: so a
    request has to name this machine (DNS rebinding), and what changes something or opens the
    WebSocket has to come from this very page (Origin). The cookie is for this site alone, too.

    Args:
        token: what a viewer has to know; "" where nobody is asked.
        host: what is listened on, as a number.
        names: by which the page is reached beside numbers and localhost.
        port: sets cookies of several runs on one machine apart.
    """

    def __init__(self, token: str, host: str, names: frozenset[str], port: int):
        self._token, self._names = token, names | {"localhost"}
        self._loopback = is_loopback(host)
        self._cookie = f"edgecrnn-{port}"

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer, or say what is missing."""
        host = request.headers.get("Host", "")
        if not self._is_this_machine(host):
            raise web.HTTPMisdirectedRequest(
                text="This page is reached by the machine's address; "
                "for another name start with --serve-name NAME.\n"
            )
        if not _from_here(request, host):
            raise web.HTTPForbidden(text="This is asked by another site; open the page itself.\n")
        if request.path not in OPEN and not self.knows(request):
            raise web.HTTPUnauthorized(
                text="Open the page by the link with its token, "
                "or send the header Authorization: Bearer TOKEN.\n",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    def knows(self, request: web.Request) -> bool:
        """Whether the one who asks may see the page."""
        if not self._token:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same(given.strip(), self._token):
            return True
        return same(request.cookies.get(self._cookie, ""), self._token)

    def opens(self, given: str) -> bool:
        """Whether it is the token."""
        return bool(self._token) and same(given.strip(), self._token)

    def let_in(self, response: web.StreamResponse) -> None:
        """Let the browser that gets this answer come again."""
        response.set_cookie(
            self._cookie, self._token, max_age=_LASTS, httponly=True, samesite="Strict"
        )

    def _is_this_machine(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip("[]").lower()
        try:
            # A number cannot be made to mean another machine.
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return is_loopback(name) or not self._loopback


def own_names(host: str, serve_name: str) -> frozenset[str]:
    """Names by which this machine is reached, its own and what was set."""
    own = socket.gethostname().lower()
    return frozenset({own, f"{own}.local", host.lower(), serve_name.lower()} - {""})


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What a browser is to allow itself with an answer; a signal of aiohttp's, for every one."""
    # Older Safaris do not count a WebSocket to 'self'.
    host = request.headers.get("Host", "")
    socket_of = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{socket_of}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def _from_here(request: web.Request, host: str) -> bool:
    """Whether this page, or a person, asks: browsers say so, other programs say nothing."""
    origin = request.headers.get("Origin")
    if origin is not None and _netloc(origin) != host.lower():
        return False
    if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return True
    # Following a link from elsewhere shows the page, and nothing else.
    leads_here = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.path == "/"
    return leads_here and request.method == "GET"


def _netloc(origin: str) -> str:
    """The host and port of an origin; "" where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
