"""Those who watch, seen from the other end of the WebSocket."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from tests.runtime.camera import Camera
from tests.runtime.page.conftest import Show, Shown

Socket = aiohttp.ClientWebSocketResponse


@asynccontextmanager
async def watching(run: Shown, stream: str = "0") -> AsyncIterator[Socket]:
    """A viewer of a stream."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{run.address}/live", max_msg_size=0) as viewer,
    ):
        await viewer.send_str(stream)
        yield viewer


def connected(run: Shown) -> socket.socket:
    """A bare connection."""
    return socket.create_connection(("127.0.0.1", int(run.address.split(":")[2])), 30)


async def received(viewer: Socket, within: float) -> list[aiohttp.WSMessage]:
    """What comes in so many seconds."""
    messages, until = [], time.monotonic() + within
    while (left := until - time.monotonic()) > 0:
        try:
            messages.append(await viewer.receive(left))
        except asyncio.TimeoutError:
            break
    return messages


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """(facts, JPEG) of a picture's message."""
    (length,) = struct.unpack_from(">I", data)
    facts: dict[str, Any] = json.loads(data[4 : 4 + length])
    return facts, data[4 + length :]


async def pictures(viewer: Socket, count: int) -> list[tuple[dict[str, Any], bytes]]:
    """So many, each confirmed as the page does."""
    found: list[tuple[dict[str, Any], bytes]] = []
    while len(found) < count:
        message = await viewer.receive(30)
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        if message.type is aiohttp.WSMsgType.BINARY:
            found.append(split(message.data))
            await viewer.send_str("got")
    return found


def test_a_picture_comes_with_its_own_result(run: Shown, camera: Camera) -> None:
    camera.say("show green")

    async def look() -> list[tuple[dict[str, Any], bytes]]:
        async with watching(run) as viewer:
            return await pictures(viewer, 20)

    found = asyncio.run(look())
    frames = [facts["frame"] for facts, _ in found]
    assert frames == sorted(set(frames))
    facts, data = found[-1]
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.mean((0, 1)).argmax() == 1
    time_, label, score, scores = facts["point"]
    assert label == "green" and score > 0.9 and len(scores) == 3
    assert abs(time_ - time.time()) < 60


def test_what_a_stream_is_comes_first(run: Shown) -> None:
    async def look() -> dict[str, Any]:
        async with watching(run) as viewer:
            while True:
                message = await viewer.receive(30)
                told = json.loads(message.data) if isinstance(message.data, str) else {}
                if "about" in told:
                    return dict(told["about"])

    about = asyncio.run(look())
    assert about["labels"] == ["red", "green", "blue"] and about["can_correct"]
    assert about["points"] and len(about["points"][0][3]) == 3


def test_many_viewers_see_the_same(run: Shown) -> None:
    async def look() -> list[list[tuple[dict[str, Any], bytes]]]:
        async with AsyncExitStack() as stack:
            viewers = [await stack.enter_async_context(watching(run)) for _ in range(20)]
            return await asyncio.gather(*(pictures(viewer, 5) for viewer in viewers))

    seen: dict[int, set[bytes]] = {}
    for each in asyncio.run(look()):
        for facts, data in each:
            seen.setdefault(facts["frame"], set()).add(data)
    # Encoded once for all of them.
    assert all(len(pictures) == 1 for pictures in seen.values())


def test_who_does_not_say_that_pictures_came_gets_two_and_then_the_newest(run: Shown) -> None:
    async def look() -> tuple[int, dict[str, Any], dict[str, Any]]:
        async with watching(run) as slow, watching(run) as quick:
            going_on = asyncio.create_task(pictures(quick, 15))
            came = await received(slow, 2.0)
            newest = (await going_on)[-1][0]
            await slow.send_str("got")
            ((late, _),) = await pictures(slow, 1)
            kinds = [message.type for message in came]
            return kinds.count(aiohttp.WSMsgType.BINARY), late, newest

    count, late, newest = asyncio.run(look())
    assert count == 2
    # What it missed is not sent after.
    assert late["frame"] >= newest["frame"] - 5


def test_a_viewer_that_reads_nothing_holds_nobody_up(run: Shown) -> None:
    async def look() -> None:
        async with watching(run) as viewer:
            await pictures(viewer, 20)

    before = json.loads(run.ask("/status").body)["streams"][0]
    with connected(run) as deaf:
        deaf.sendall(
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        # "0", masked with zeros; then nothing is read any more.
        deaf.sendall(b"\x81\x81\0\0\0\0000")
        asyncio.run(look())
    after = json.loads(run.ask("/status").body)["streams"][0]
    assert after["classified"] > before["classified"] + 15


@pytest.mark.parametrize("said", ["-1", "9", "1e3", "{}", "x" * 9000, "²", "None"])
def test_what_the_page_never_says_ends_the_connection(run: Shown, said: str) -> None:
    async def look() -> aiohttp.WSMessage:
        async with watching(run, said) as viewer:
            while True:
                message = await viewer.receive(30)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return message

    assert asyncio.run(look()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert run.ask("/status").status == 200


def test_garbage_is_no_request(run: Shown) -> None:
    said = len(run.said)
    with connected(run) as stranger:
        stranger.sendall(b"\x16\x03\x01\x02\x00garbage\r\n\r\n" * 10)
        assert b"400" in stranger.recv(40)
    assert run.ask("/healthz").status in (200, 503)
    assert not any("Traceback" in line for line in run.said[said:])


def test_who_opens_connections_and_says_nothing_takes_no_files_from_the_run(run: Shown) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(connected(run)) for _ in range(400)]
        # The last of them were hung up on.
        assert [each.recv(1) for each in opened[-20:]] == [b""] * 20
        assert len(list(Path(f"/proc/{run.process.pid}/fd").iterdir())) < 360
    deadline = time.monotonic() + 30
    while True:
        try:
            assert run.ask("/status").status == 200
            return
        except ConnectionError:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_time_whoever_watches(
    runs: Show, bundle_path: Path, camera: Camera, number: int
) -> None:
    run = runs(bundle_path, "--source", camera.url)

    async def look() -> list[int | None]:
        async with AsyncExitStack() as stack:
            viewers = [await stack.enter_async_context(watching(run)) for _ in range(5)]
            await asyncio.gather(*(pictures(viewer, 2) for viewer in viewers))
            run.process.send_signal(number)
            codes = await asyncio.gather(*(closed(viewer) for viewer in viewers))
            await asyncio.to_thread(run.process.wait, 30)
            return codes

    async def closed(viewer: Socket) -> int | None:
        while not viewer.closed:
            await viewer.receive(30)
        return viewer.close_code

    assert asyncio.run(look()) == [1001] * 5
    assert run.process.returncode == 0


def test_another_model_is_told(
    runs: Show, camera: Camera, make_bundle: Callable[..., Path]
) -> None:
    camera.say("show red")
    path = make_bundle(labels=("red", "green", "blue"))
    run = runs(path, "--source", camera.url)

    async def look() -> list[str]:
        async with watching(run) as viewer:
            await pictures(viewer, 3)
            make_bundle(labels=("rot", "grün", "blau"))
            run.process.send_signal(signal.SIGHUP)
            while True:
                facts = (await pictures(viewer, 1))[0][0]
                if facts["generation"] == 1 and facts["point"][1] == "rot":
                    break
            return [facts["point"][1]]

    assert asyncio.run(look()) == ["rot"]
