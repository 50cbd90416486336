"""Where the live page is shown, and who may see it."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

_ADDRESS = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+):)?(?P<port>\d{1,5})")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class PageSettings:
    """The live page."""

    serve: str = setting(
        "", "show a live page at this HOST:PORT, for example 127.0.0.1:8080; "
        "any other host than this machine's own loopback asks its viewers for a token",
    )  # fmt: skip
    serve_name: str = setting(
        "", "another name that the page is reached by, for example that of a proxy; "
        "viewers are asked for a token, too",
    )  # fmt: skip
    serve_token: str = setting(
        "", "file that keeps the token; made where it is missing "
        "(default ~/.local/state/edgecrnn/page-token)",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
        if self.serve:
            self._split()
        if self.serve_name and not _NAME.fullmatch(self.serve_name):
            raise EdgecrnnError(
                "serve_name: expected a host's name without scheme and port, for example "
                f"board.example.org, got {self.serve_name!r:.100}"
            )

    @property
    def host(self) -> str:
        """What to listen on, without brackets; the loopback where only a port is given."""
        return self._split()[0]

    @property
    def port(self) -> int:
        """0 asks the system for a free one."""
        return self._split()[1]

    def _split(self) -> tuple[str, int]:
        match = _ADDRESS.fullmatch(self.serve)
        if match is None or int(match["port"]) > 65535:
            raise EdgecrnnError(
                "serve: expected HOST:PORT, for example 127.0.0.1:8080, "
                f"got {self.serve!r:.100}; choose a port up to 65535"
            )
        return (match["host"] or "127.0.0.1").strip("[]"), int(match["port"])


def listen(settings: PageSettings) -> socket.socket:
    """A socket that listens; nothing is answered yet.

    Raises:
        EdgecrnnError: the address is in use, is not this machine's, or means nothing.
    """
    host, port = settings.host, settings.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise EdgecrnnError(
            f"--serve: expected an address of this machine, got {host!r:.100}, which is unknown; "
            "take 127.0.0.1, or 0.0.0.0 for all of its addresses"
        ) from error
    # IPv4 first: it is what "localhost" means to most.
    family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # What a slow viewer has not fetched yet waits here, where newer pictures replace it, and
        # not in the kernel (Linux; each connection inherits it).
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 1 << 16)
        made.bind(address)
        made.listen(128)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise EdgecrnnError(
            f"--serve: expected a free address of this machine, got {settings.serve} "
            f"({error.strerror}); choose another port or host"
        ) from error
    return made


def is_loopback(host: str) -> bool:
    """Whether an address, as numbers, can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def reached_at(host: str) -> str:
    """The address to write into a link: for "all addresses", the one that leads outside."""
    if not ipaddress.ip_address(host.partition("%")[0]).is_unspecified:
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Documentation's own network (RFC 5737); a datagram socket sends nothing to connect.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
