"""The live page's server: a thread of its own beside the run.

aiohttp, since one package gives the server, the WebSocket and the tests' client; to feed 20 viewers
15 pictures of 40 kB a second it held the interpreter for 1.1 % of the time where Starlette with
uvicorn and h11 held it for 1.9 %, and what holds the interpreter is what the step thread waits for.
It takes 6 MB more of memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgecrnn.runtime.page.facts import Facts
from edgecrnn.runtime.page.pictures import Pictures
from edgecrnn.runtime.page.settings import PageSettings, reached_at
from edgecrnn.runtime.page.viewers import Viewers
from edgecrnn.runtime.page.watched import Watched

if TYPE_CHECKING:
    from edgecrnn.runtime.live import Live
    from edgecrnn.runtime.review import Review
    from edgecrnn.runtime.sinks import Stream

_STATE = 1.0  # seconds between two looks at how the streams are doing
_END = 0.4  # seconds that the end may take


class Page:
    """The page of a run: `watch` each stream, `show` the run, `close`.

    Args:
        settings: where it is shown.
        listening: the socket.
        token: what viewers must know; "" where they need none.
        shown: what follows the address where that is told.
        say: is told where the page is.
    """

    def __init__(
        self,
        settings: PageSettings,
        listening: socket.socket,
        token: str,
        shown: str,
        say: Callable[[str], None],
    ):
        self._settings, self._socket, self._token = settings, listening, token
        self._shown, self._say = shown, say
        self._at: tuple[str, int] = listening.getsockname()[:2]
        self._streams: list[Watched] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._viewers: Viewers | None = None
        self._pictures = Pictures(self._streams, self._publish)

    @property
    def address(self) -> str:
        """http://HOST:PORT/, as another machine reaches it where it may."""
        host, port = self._at
        name = reached_at(host)
        return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"

    @property
    def announced(self) -> str:
        """The address as it is told: with the token where that was made just now."""
        return f"{self.address}{self._shown}"

    def watch(self, stream: Stream, review: Review | None) -> Watched:
        """The sink of a stream; the same again where another model takes over. Any thread."""
        with self._lock:
            for watched in self._streams:
                if watched.stream.source == stream.source and not watched.open:
                    watched.go_on_with(stream, review)
                    return watched
            watched = Watched(stream, review, self._pictures.ring)
            self._streams.append(watched)
            return watched

    def show(self, live: Live) -> None:
        """Answer from now on; `live` has the streams that are watched, in their order."""
        facts = Facts(live, self._streams)
        viewers = self._viewers = Viewers(
            self._pictures.watch,
            lambda number: json.dumps({"about": facts.about(number)}),
            lambda: json.dumps({"state": facts.all()}),
        )
        self._thread = threading.Thread(
            target=self._run, args=(live, viewers, facts), name="page", daemon=True
        )
        self._thread.start()
        self._pictures.start()
        self._say(f"live page: {self.announced}")

    def close(self) -> None:
        """Send viewers away and end; takes a fraction of a second."""
        self._closing = True
        self._pictures.stop()
        if self._thread is None:
            self._loop.close()
        else:
            self._soon(self._ended.set)
            self._thread.join(_END)
        self._socket.close()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _publish(self, number: int, picture: bytes) -> None:
        if self._viewers is not None:
            self._soon(self._viewers.publish, number, picture)

    def _soon(self, call: Callable[..., object], *values: object) -> None:
        """Call in the page's thread; nothing where that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *values)

    def _run(self, live: Live, viewers: Viewers, facts: Facts) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(live, viewers, facts))
        except Exception:
            # A run that ends at once takes the socket away, and Python what is imported here.
            if not self._closing:
                raise
        finally:
            self._loop.close()

    async def _serve(self, live: Live, viewers: Viewers, facts: Facts) -> None:
        from edgecrnn.runtime.page.application import answer, application

        if self._closing:
            return
        app = application(
            live, self._streams, viewers, facts, self._settings, self._at, self._token
        )
        telling = asyncio.create_task(self._tell(viewers, facts))
        try:
            await answer(app, self._socket, viewers, self._ended)
        finally:
            telling.cancel()

    async def _tell(self, viewers: Viewers, facts: Facts) -> None:
        """Tell viewers how it is going, and of other models."""
        generations: dict[int, int] = {}
        while True:
            if viewers:
                await facts.look()
                viewers.tell()
            for number, watched in enumerate(list(self._streams)):
                if generations.setdefault(number, watched.generation) != watched.generation:
                    generations[number] = watched.generation
                    viewers.renew(number)
            await asyncio.sleep(_STATE)
