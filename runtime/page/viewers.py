"""Those who watch: each gets the newest, as fast as it takes it, and waits for no other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

_AHEAD = 2  # pictures on their way to a viewer that has not said that they came
_PARTING = 0.1  # seconds that saying goodbye may take
_GONE = (ConnectionError, RuntimeError, asyncio.TimeoutError)


class Viewer:
    """One browser. Everything here runs in the page's thread.

    What it has not fetched is replaced by what is newer: at most one text of each kind and one
    picture wait for it, and at most two pictures are on their way.

    Attributes:
        stream: the number of the stream that it watches; None while it watches none.
    """

    def __init__(self, connection: web.WebSocketResponse):
        self.stream: int | None = None
        self._connection = connection
        self._texts: dict[str, str] = {}
        self._picture: bytes | None = None
        self._room = _AHEAD
        self._news = asyncio.Event()

    def tell(self, kind: str, text: str) -> None:
        """Send a text, in place of one of its kind that waits."""
        self._texts[kind] = text
        self._news.set()

    def show(self, picture: bytes | None) -> None:
        """Send a picture, in place of one that waits; None for none."""
        self._picture = picture
        if self._room:
            self._news.set()

    def got(self) -> None:
        """A picture came."""
        self._room = min(_AHEAD, self._room + 1)
        self._news.set()

    async def feed(self) -> None:
        """Send what waits, until the viewer is gone."""
        with contextlib.suppress(*_GONE):
            while not self._connection.closed:
                await self._news.wait()
                self._news.clear()
                while self._texts:
                    await self._connection.send_str(self._texts.pop(next(iter(self._texts))))
                if self._room and (picture := self._picture) is not None:
                    self._picture = None
                    self._room -= 1
                    await self._connection.send_bytes(picture)

    async def part(self) -> None:
        """Say that the run is over; the answer is not waited for long."""
        with contextlib.suppress(*_GONE):
            goodbye = self._connection.close(code=1001, message=b"the run has ended")
            await asyncio.wait_for(goodbye, _PARTING)


class Viewers:
    """All of them; everything here runs in the page's thread.

    Args:
        watch: is told (number of a stream, 1 or -1) as viewers come and go.
        about: what a stream is, as text.
        state: how all streams are doing, as text.
        most: viewers at once.
    """

    def __init__(
        self,
        watch: Callable[[int, int], None],
        about: Callable[[int], str],
        state: Callable[[], str],
        most: int = 100,
    ):
        self._watch, self._about, self._state, self._most = watch, about, state, most
        self._all: set[Viewer] = set()
        self._newest: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """Whether no other may come."""
        return len(self._all) >= self._most

    def join(self, viewer: Viewer) -> None:
        """A viewer came."""
        self._all.add(viewer)
        viewer.tell("state", self._state())

    def leave(self, viewer: Viewer) -> None:
        """A viewer went."""
        self.turn(viewer, None)
        self._all.discard(viewer)

    def turn(self, viewer: Viewer, stream: int | None) -> None:
        """A viewer watches another stream, or, hidden behind other windows, none."""
        before, viewer.stream = viewer.stream, stream
        viewer.show(None)
        if before is not None:
            self._watch(before, -1)
            if not any(each.stream == before for each in self._all):
                self._newest.pop(before, None)
        if stream is not None:
            viewer.tell("about", self._about(stream))
            viewer.show(self._newest.get(stream))
            self._watch(stream, 1)

    def publish(self, stream: int, picture: bytes) -> None:
        """A new picture, for those who watch the stream."""
        watching = [viewer for viewer in self._all if viewer.stream == stream]
        if watching:
            self._newest[stream] = picture
        for viewer in watching:
            viewer.show(picture)

    def renew(self, stream: int) -> None:
        """Another model classifies the stream."""
        for viewer in self._all:
            if viewer.stream == stream:
                viewer.tell("about", self._about(stream))

    def tell(self) -> None:
        """Tell everybody how the streams are doing."""
        if self._all:
            text = self._state()
            for viewer in self._all:
                viewer.tell("state", text)

    async def part(self) -> None:
        """Say goodbye to all, side by side."""
        await asyncio.gather(*(viewer.part() for viewer in self._all))
