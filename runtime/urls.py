"""Addresses of network sources."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from edgecrnn.runtime.errors import EdgecrnnError


def parse_url(spec: str) -> SplitResult:
    """The parts of an address.

    Raises:
        EdgecrnnError: it has no host, or a port that is none.
    """
    try:
        url = urlsplit(spec)
        if is_host(url.hostname) and (url.port is None or url.port > 0):
            return url
    except ValueError:
        pass
    raise EdgecrnnError(
        f"source: expected an address like {spec.partition(':')[0]}://host:port/path, "
        f"got {without_password(spec)!r}"
    )


def is_host(name: str | None) -> bool:
    """Whether a name can be looked up; of one that cannot, sockets say so in a UnicodeError."""
    try:
        return bool(name) and bool(str(name).encode("idna"))
    except UnicodeError:
        return False


def without_password(spec: str) -> str:
    """`spec` as it may be shown: the user and password before the host are left out."""
    scheme, separator, rest = spec.partition("://")
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2] if ":" in authority else "0"
    if "@" not in authority and not port.isdigit():
        # A password with a bare slash in it.
        return scheme + separator + rest.rpartition("@")[2]
    return scheme + separator + authority.rpartition("@")[2] + slash + path
