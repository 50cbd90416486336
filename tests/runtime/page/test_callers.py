"""Who holds a connection and asks nothing holds it for a moment only."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from edgecrnn.runtime.page import application
from edgecrnn.runtime.page.viewers import Viewers

ASK = b"GET / HTTP/1.1\r\nHost: board\r\n\r\n"
BEGIN = b"POST / HTTP/1.1\r\nHost: board\r\nContent-Length: 9\r\n\r\n"


async def answered(port: int, *asked: bytes, pause: float = 0.0) -> bytes:
    """All that comes until the other side hangs up, which it is given 5 s for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for each in asked:
        writer.write(each)
        await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reader.read(), 5.0)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def served(*asked: bytes, pause: float = 0.0) -> bytes:
    """What one gets who sends that to the page's server, with pauses."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def scenario() -> bytes:
        callers = application.Callers()
        app = web.Application(middlewares=[callers.heard, callers.whole])
        app[application.CALLERS] = callers
        app.add_routes([web.get("/", hello), web.post("/", hello)])
        at = socket.create_server(("127.0.0.1", 0))
        at.setblocking(False)
        viewers = Viewers(lambda number, by: None, lambda number: "", lambda: "")
        ended = asyncio.Event()
        serving = asyncio.create_task(application.answer(app, at, viewers, ended))
        await asyncio.sleep(0.05)
        try:
            return await answered(at.getsockname()[1], *asked, pause=pause)
        finally:
            ended.set()
            await serving

    return asyncio.run(scenario())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(application, "_FIRST", 0.3)
    monkeypatch.setattr(application, "_IDLE", 1.0)


def test_one_that_asks_nothing_is_hung_up_on() -> None:
    assert served() == b""
    assert served(ASK[:20]) == b""


def test_one_that_asked_may_ask_again_for_a_while() -> None:
    assert served(ASK, ASK, pause=0.6).count(b"hello") == 2


def test_a_body_that_does_not_come_is_told() -> None:
    assert b"408 Request Timeout" in served(BEGIN + b"half")
    assert b"200 OK" in served(BEGIN, b"all of it", pause=0.1)
