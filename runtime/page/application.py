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


class _TooMany(asyncio.Protocol):
    """Hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """At once."""
        transport.close()


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
    app = web.Application(middlewares=[guard.check], client_max_size=_BODY)
    app.on_response_prepare.append(add_headers)
    Routes(live, streams, viewers, guard, facts).add_to(app)
    return app


async def answer(
    app: web.Application, at: socket.socket, viewers: Viewers, ended: asyncio.Event
) -> None:
    """Answer until `ended`, then send viewers away."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    server = runner.server
    assert server is not None
    listening = await asyncio.get_running_loop().create_server(
        lambda: server() if len(server.connections) < _CONNECTIONS else _TooMany(),
        sock=at,
        # As many are accepted before the next look at how many there are.
        backlog=32,
    )
    await ended.wait()
    listening.close()
    await viewers.part()
    await runner.cleanup()
