"""The page's answers as aiohttp gives them.

Imported by the page's own thread: aiohttp takes as long to import as the rest of a run to begin,
and no decision has to wait for it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from edgecrnn.runtime.page.facts import Facts
from edgecrnn.runtime.page.guard import Guard, add_headers, own_names
from edgecrnn.runtime.page.routes import Routes
from edgecrnn.runtime.page.settings import PageSettings
from edgecrnn.runtime.page.viewers import Viewers
from edgecrnn.runtime.page.watched import Watched

if TYPE_CHECKING:
    from edgecrnn.runtime.live import Live

_BODY = 4096  # bytes of a request
_CONNECTIONS = 300  # at once, so that no stranger takes the files that cameras and sinks open


_FIRST = 10.0  # seconds until a connection must have asked, and until a body must have come
_IDLE = 30.0  # seconds that one is kept for another question: a phone that left says no goodbye


class _TooMany(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """At once."""
        transport.close()


class Callers:
    """Those who are connected: so many at most, and none for long that does not ask."""

    def __init__(self) -> None:
        self._silent: set[object] = set()

    def connected(self, server: web.Server) -> asyncio.BaseProtocol:
        """Take one more, or hang up."""
        if len(server.connections) >= _CONNECTIONS:
            return _TooMany()
        caller = server()
        self._silent.add(caller)
        asyncio.get_running_loop().call_later(_FIRST, self._hang_up, caller)
        return caller

    @web.middleware
    async def heard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that it has asked."""
        self._silent.discard(request.protocol)
        return await handler(request)

    @web.middleware
    async def whole(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer once the body is there, which is not waited for long."""
        if request.can_read_body:
            try:
                await asyncio.wait_for(request.read(), _FIRST)
            except asyncio.TimeoutError:
                raise web.HTTPRequestTimeout(text="The body did not come in time.\n") from None
        return await handler(request)

    def _hang_up(self, caller: web.RequestHandler) -> None:
        if caller in self._silent:
            self._silent.discard(caller)
            caller.force_close()


CALLERS = web.AppKey("callers", Callers)


def application(
    live: Live,
    streams: Sequence[Watched],
    viewers: Viewers,
    facts: Facts,
    settings: PageSettings,
    at: tuple[str, int],
    token: str,
) -> web.Application:
    """Who may ask for what, and what is answered; `at` is where the page listens."""
    host, port = at
    guard = Guard(token, host, own_names(settings.host, settings.serve_name), port)
    callers = Callers()
    checks = [callers.heard, guard.check, callers.whole]
    app = web.Application(middlewares=checks, client_max_size=_BODY)
    app[CALLERS] = callers
    app.on_response_prepare.append(add_headers)
    Routes(live, streams, viewers, guard, facts).add_to(app)
    return app


async def answer(
    app: web.Application, at: socket.socket, viewers: Viewers, ended: asyncio.Event
) -> None:
    """Answer until `ended`, then send viewers away."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=0.1,
        keepalive_timeout=_IDLE,
        lingering_time=1.0,
    )
    await runner.setup()
    server = runner.server
    assert server is not None
    listening = await asyncio.get_running_loop().create_server(
        lambda: app[CALLERS].connected(server),
        sock=at,
        # As many are accepted before the next look at how many there are.
        backlog=32,
    )
    await ended.wait()
    listening.close()
    await viewers.part()
    await runner.cleanup()
