"""Those who watch, seen from the other end of the WebSocket."""

from __future__ import annotations

import asyncio
import json
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
from tests.runtime.camera import Camera
from tests.runtime.page.conftest import Show, Shown

Socket = aiohttp.ClientWebSocketResponse


async def watching(run: Shown, stream: int = 0) -> tuple[aiohttp.ClientSession, Socket]:
    """A viewer of a stream."""
    session = aiohttp.ClientSession()
    socket = await session.ws_connect(f"{run.address}/live", max_msg_size=0)
    await socket.send_str(str(stream))
    return session, socket


async def received(socket: Socket, within: float) -> list[aiohttp.WSMessage]:
    """What comes in so many seconds."""
    messages, until = [], time.monotonic() + within
    while (left := until - time.monotonic()) > 0:
        try:
            messages.append(await socket.receive(left))
        except asyncio.TimeoutError:
            break
    return messages


def split(data: bytes) -> tuple[dict[str, Any], bytes]:
    """(facts, JPEG) of a picture's message."""
    (length,) = struct.unpack_from(">I", data)
    facts: dict[str, Any] = json.loads(data[4 : 4 + length])
    return facts, data[4 + length :]


async def pictures(socket: Socket, count: int) -> list[tuple[dict[str, Any], bytes]]:
    """So many, each confirmed as the page does."""
    found: list[tuple[dict[str, Any], bytes]] = []
    while len(found) < count:
        message = await socket.receive(30)
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        if message.type is aiohttp.WSMsgType.BINARY:
            found.append(split(message.data))
            await socket.send_str("got")
    return found


def test_a_picture_comes_with_its_own_result(run: Shown, camera: Camera) -> None:
    camera.say("show green")

    async def look() -> list[tuple[dict[str, Any], bytes]]:
        session, socket = await watching(run)
        async with session:
            return await pictures(socket, 20)

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
        session, socket = await watching(run)
        async with session:
            while True:
                message = await socket.receive(30)
                told = json.loads(message.data) if isinstance(message.data, str) else {}
                if "about" in told:
                    return dict(told["about"])

    about = asyncio.run(look())
    assert about["labels"] == ["red", "green", "blue"] and about["can_correct"]
    assert about["points"] and len(about["points"][0][3]) == 3


def test_many_viewers_see_the_same(run: Shown) -> None:
    async def look() -> list[list[tuple[dict[str, Any], bytes]]]:
        viewers = [await watching(run) for _ in range(20)]
        found = await asyncio.gather(*(pictures(socket, 5) for _, socket in viewers))
        for session, _ in viewers:
            await session.close()
        return found

    seen: dict[int, set[bytes]] = {}
    for each in asyncio.run(look()):
        for facts, data in each:
            seen.setdefault(facts["frame"], set()).add(data)
    # Encoded once for all of them.
    assert all(len(pictures) == 1 for pictures in seen.values())


def test_who_does_not_say_that_pictures_came_gets_two_and_then_the_newest(run: Shown) -> None:
    async def look() -> tuple[int, dict[str, Any], dict[str, Any]]:
        session, slow = await watching(run)
        other, quick = await watching(run)
        async with session, other:
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
        reader, writer = await asyncio.open_connection("127.0.0.1", int(run.address.split(":")[2]))
        writer.write(
            b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        # "0", masked with zeros; then nothing is read any more.
        writer.write(b"\x81\x81\0\0\0\0000")
        await writer.drain()
        session, socket = await watching(run)
        async with session:
            await pictures(socket, 20)
        writer.close()
        del reader

    before = json.loads(run.ask("/status").body)["streams"][0]
    asyncio.run(look())
    after = json.loads(run.ask("/status").body)["streams"][0]
    assert after["classified"] > before["classified"] + 15


@pytest.mark.parametrize("said", ["-1", "9", "1e3", "{}", "x" * 9000, "²", "None"])
def test_what_the_page_never_says_ends_the_connection(run: Shown, said: str) -> None:
    async def look() -> aiohttp.WSMessage:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{run.address}/live") as socket,
        ):
            await socket.send_str(said)
            while True:
                message = await socket.receive(30)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return message

    assert asyncio.run(look()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert run.ask("/status").status == 200


def test_garbage_is_no_request(run: Shown) -> None:
    said = len(run.said)

    async def send() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(run.address.split(":")[2]))
        writer.write(b"\x16\x03\x01\x02\x00garbage\r\n\r\n" * 10)
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        return answer

    assert b"400" in asyncio.run(send())[:40]
    assert run.ask("/healthz").status in (200, 503)
    assert not any("Traceback" in line for line in run.said[said:])


def test_who_opens_connections_and_says_nothing_takes_no_files_from_the_run(run: Shown) -> None:
    async def look() -> tuple[int, list[bytes]]:
        port = int(run.address.split(":")[2])
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(330)]
        # The last of them were hung up on.
        answers = [await asyncio.wait_for(reader.read(), 30) for reader, _ in opened[-20:]]
        files = len(list(Path(f"/proc/{run.process.pid}/fd").iterdir()))
        for _, writer in opened:
            writer.close()
        return files, answers

    files, answers = asyncio.run(look())
    assert answers == [b""] * 20
    assert files < 340
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

    async def look() -> tuple[float, list[int | None]]:
        viewers = [await watching(run) for _ in range(5)]
        await asyncio.gather(*(pictures(socket, 2) for _, socket in viewers))
        began = time.monotonic()
        run.process.send_signal(number)
        codes = await asyncio.gather(*(closed(socket) for _, socket in viewers))
        await asyncio.to_thread(run.process.wait, 30)
        took = time.monotonic() - began
        for session, _ in viewers:
            await session.close()
        return took, codes

    async def closed(socket: Socket) -> int | None:
        while not socket.closed:
            await socket.receive(30)
        return socket.close_code

    took, codes = asyncio.run(look())
    assert run.process.returncode == 0
    assert codes == [1001] * 5
    assert took < 2.0


def test_another_model_is_told(
    runs: Show, camera: Camera, make_bundle: Callable[..., Path]
) -> None:
    camera.say("show red")
    path = make_bundle(labels=("red", "green", "blue"))
    run = runs(path, "--source", camera.url)

    async def look() -> list[str]:
        session, socket = await watching(run)
        async with session:
            await pictures(socket, 3)
            make_bundle(labels=("rot", "grün", "blau"))
            run.process.send_signal(signal.SIGHUP)
            while True:
                facts = (await pictures(socket, 1))[0][0]
                if facts["generation"] == 1 and facts["point"][1] == "rot":
                    break
            return [facts["point"][1]]

    assert asyncio.run(look()) == ["rot"]
