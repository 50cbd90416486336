"""What the page answers: itself, its WebSocket, what buttons ask, and what other programs read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.metrics import CONTENT_TYPE, metrics_text
from edgecrnn.runtime.page.facts import Facts
from edgecrnn.runtime.page.guard import Guard
from edgecrnn.runtime.page.pictures import as_shown, snapshot
from edgecrnn.runtime.page.viewers import Viewer, Viewers
from edgecrnn.runtime.page.watched import Watched
from edgecrnn.runtime.review import Review

if TYPE_CHECKING:
    from edgecrnn.runtime.live import Live

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_SILENT = 20.0  # seconds between two questions whether a viewer is still there
_LONGEST = 4096  # bytes that a viewer may send at once
_FORM = "application/x-www-form-urlencoded"
# What a body raises that is not what its content type says, or names an encoding that is none.
_NOT_READ = (ValueError, LookupError)
# A page of one's own, since a browser that was led here by another site keeps the cookie back.
_ON = '<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>edgecrnn</title>'


class Routes:
    """The answers.

    Args:
        live: the run.
        streams: what is watched, in the order of the run's.
        viewers: who watches.
        guard: knows who may.
        facts: how everything is doing.
    """

    def __init__(
        self,
        live: Live,
        streams: Sequence[Watched],
        viewers: Viewers,
        guard: Guard,
        facts: Facts,
    ):
        self._live, self._streams, self._viewers = live, streams, viewers
        self._guard, self._facts = guard, facts
        # Encoding a large picture and writing a clip take their time: one after the other.
        self._work = asyncio.Semaphore(1)
        self._files = {
            f"/{path.name}": (path.read_text("utf-8"), kind)
            for kind in _TYPES
            for path in _HERE.glob(f"*{kind}")
        }
        self._page = (_HERE / "page.html").read_text("utf-8")
        self._entrance = (_HERE / "enter.html").read_text("utf-8")

    def add_to(self, app: web.Application) -> None:
        """Put them into an application."""
        stream = "/streams/{number:[0-9]{1,4}}"
        app.add_routes(
            [
                web.get("/", self.page),
                web.post("/enter", self.enter),
                web.get("/live", self.live),
                web.get("/status", self.status),
                web.get("/metrics", self.metrics),
                web.get("/healthz", self.health),
                web.get(f"{stream}/snapshot.jpg", self.snapshot),
                web.post(f"{stream}/pause", self.pause),
                web.post(f"{stream}/hold", self.hold),
                web.post(f"{stream}/correct", self.correct),
                *(web.get(name, self.file) for name in self._files),
            ]
        )

    async def page(self, request: web.Request) -> web.Response:
        """The page, or the question for the token."""
        if (given := request.query.get("token")) is not None and self._guard.opens(given):
            return self._let_in()
        if self._guard.knows(request):
            return _html(self._page)
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and not request.query:
            return _html(_ON)
        return _html(self._entrance, 401)

    async def enter(self, request: web.Request) -> web.Response:
        """Take the token from the form."""
        given: object = ""
        # Nothing of a stranger's is read as multipart, which writes files and warns in the log.
        if request.content_type == _FORM:
            with contextlib.suppress(*_NOT_READ):
                given = (await request.post()).get("token", "")
        if isinstance(given, str) and self._guard.opens(given):
            return self._let_in()
        return _html(self._entrance, 401)

    async def file(self, request: web.Request) -> web.Response:
        """Style and script."""
        text, kind = self._files[request.path]
        return web.Response(text=text, content_type=_TYPES[kind])

    async def live(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket: pictures with their scores, and how the streams are doing."""
        if self._viewers.full:
            raise web.HTTPServiceUnavailable(text="Too many are watching; come again later.\n")
        # Not compressed: pictures are, and this would cost the loop its processor.
        connection = web.WebSocketResponse(
            heartbeat=_SILENT, timeout=0.1, compress=False, max_msg_size=_LONGEST
        )
        await connection.prepare(request)
        viewer = Viewer(connection)
        self._viewers.join(viewer)
        feeding = asyncio.create_task(viewer.feed())
        try:
            async for message in connection:
                if message.type is not WSMsgType.TEXT or not self._hear(viewer, message.data):
                    break
        finally:
            self._viewers.leave(viewer)
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
            await connection.close()
        return connection

    async def status(self, request: web.Request) -> web.Response:
        """How everything is doing."""
        await self._facts.look()
        return web.json_response(self._facts.all())

    async def metrics(self, request: web.Request) -> web.Response:
        """The same, for Prometheus."""
        body = metrics_text(self._live.statuses()).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def health(self, request: web.Request) -> web.Response:
        """200 where decisions come from every source; asks for no token and names nothing."""
        statuses = self._live.statuses()
        well = sum(status.well for status in statuses)
        text = "ok\n" if well == len(statuses) else f"{well} of {len(statuses)} sources well\n"
        return web.Response(text=text, status=200 if well == len(statuses) else 503)

    async def snapshot(self, request: web.Request) -> web.Response:
        """The newest frame as it came, or with its answer."""
        newest = self._watched(request).newest
        if newest is None:
            raise _error(web.HTTPConflict, "expected a frame, got none yet; wait")
        async with self._work:
            body = await asyncio.to_thread(lambda: snapshot(as_shown(newest)))
        return web.Response(body=body, content_type="image/jpeg")

    async def pause(self, request: web.Request) -> web.Response:
        """{"paused": true} or false."""
        paused = (await _json(request)).get("paused")
        if not isinstance(paused, bool):
            raise _error(web.HTTPBadRequest, 'expected {"paused": true} or false')
        self._watched(request)
        self._live.streams[int(request.match_info["number"])].paused = paused
        self._viewers.tell()
        return web.json_response({"paused": paused})

    async def hold(self, request: web.Request) -> web.Response:
        """{}: the last seconds wait for the label that a person chooses."""
        await _json(request)
        async with self._work:
            held = await asyncio.to_thread(self._review(request).hold)
        return web.json_response({"held": held})

    async def correct(self, request: web.Request) -> web.Response:
        """{"label": "cat", "held": 1}: they go into the review folder under this label.

        Without "held" it is the seconds before now.
        """
        given = await _json(request)
        label, held = given.get("label"), given.get("held")
        if not isinstance(label, str) or not isinstance(held, (int, type(None))):
            raise _error(web.HTTPBadRequest, 'expected {"label": "...", "held": NUMBER}')
        review = self._review(request)
        async with self._work:
            try:
                saved = await asyncio.to_thread(review.correct, label, held)
            except EdgecrnnError as error:
                raise _error(web.HTTPConflict, str(error)) from error
        return web.json_response({"saved": f"{saved.parent.name}/{saved.name}"})

    def _hear(self, viewer: Viewer, said: str) -> bool:
        """Do what a viewer's message says; False where it is none that the page sends."""
        if said == "got":
            viewer.got()
        elif said == "none":
            self._viewers.turn(viewer, None)
        elif said.isascii() and said.isdecimal() and int(said[:5]) < len(self._streams):
            self._viewers.turn(viewer, int(said[:5]))
        else:
            return False
        return True

    def _watched(self, request: web.Request) -> Watched:
        number = int(request.match_info["number"])
        if number >= len(self._streams):
            raise _error(web.HTTPNotFound, f"expected a stream below {len(self._streams)}")
        return self._streams[number]

    def _review(self, request: web.Request) -> Review:
        review = self._watched(request).review
        if review is None:
            raise _error(web.HTTPConflict, "expected a folder for it; start with --review FOLDER")
        return review

    def _let_in(self) -> web.Response:
        response = _html(_ON)
        self._guard.let_in(response)
        return response


async def _json(request: web.Request) -> dict[str, Any]:
    # Another site can send this kind of content only where it was allowed to before.
    if request.content_type != "application/json":
        raise _error(web.HTTPUnsupportedMediaType, "expected application/json")
    try:
        given = await request.json()
    except (*_NOT_READ, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise _error(web.HTTPBadRequest, "expected a JSON object")
    return given


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)


def _error(kind: type[web.HTTPException], sentence: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": sentence}), content_type="application/json")
