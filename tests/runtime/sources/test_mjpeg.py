"""MJPEG over real HTTP connections."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.sources import open_source

QUICK = SourceSettings(timeout=0.5)
Server = Callable[[Callable[[Any], None]], str]
Jpeg = Callable[..., bytes]


def read_all(url: str) -> list[Frame]:
    source = open_source(url, QUICK)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_frames_come_in_order_with_their_times(mjpeg_server: Server, jpeg: Jpeg) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        for color in ("red", "green", "blue"):
            stream.part(jpeg(color))
            time.sleep(0.1)

    before = time.monotonic()
    frames = read_all(mjpeg_server(serve))
    assert [int(f.image.mean((0, 1)).argmax()) for f in frames] == [2, 1, 0]
    assert [f.index for f in frames] == [0, 1, 2]
    assert before < frames[0].time < frames[1].time < frames[2].time < time.monotonic()
    assert frames[0].image.shape == (48, 64, 3)


def test_it_is_live_and_says_what_it_opened(mjpeg_server: Server, jpeg: Jpeg) -> None:
    def serve(stream: Any) -> None:
        stream.start('multipart/x-mixed-replace; boundary="--frame"')
        stream.part(jpeg("red"), length=-1)
        time.sleep(0.2)

    url = mjpeg_server(serve)
    source = open_source(url.replace("//", "//anna:secret@"), QUICK)
    assert source.live
    assert source.name == url
    assert source.about == "MJPEG 64x48, no rate stated"
    source.close()


def test_half_frames_and_garbage_are_left_out_and_told(mjpeg_server: Server, jpeg: Jpeg) -> None:
    whole = jpeg("red")

    def serve(stream: Any) -> None:
        stream.start()
        stream.part(whole)
        time.sleep(0.1)
        stream.part(b"\xff\xd8nonsense\xff\xd9")
        time.sleep(0.1)
        stream.part(whole[:200], length=len(whole))
        stream.part(b"nonsense")
        stream.part(whole)

    source = open_source(mjpeg_server(serve), QUICK)
    frames = [source.read() for _ in range(3)]
    assert [f is not None for f in frames] == [True, True, False]
    (note,) = source.notes
    assert "left out 3 damaged frames" in note
    source.close()


def test_only_the_newest_of_frames_that_came_at_once(mjpeg_server: Server, jpeg: Jpeg) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        stream.part(jpeg("red"))
        time.sleep(0.1)
        for color in ("red", "green", "blue"):
            stream.part(jpeg(color))
        time.sleep(0.1)

    source = open_source(mjpeg_server(serve), QUICK)
    source.read()
    time.sleep(0.3)
    frame = source.read()
    assert frame is not None
    assert (int(frame.image.mean((0, 1)).argmax()), frame.index) == (0, 3)
    source.close()


@pytest.mark.parametrize("drip", [False, True])
def test_a_frozen_stream_is_told_in_time(mjpeg_server: Server, jpeg: Jpeg, drip: bool) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        stream.part(jpeg("red"))
        for _ in range(30):
            time.sleep(0.1)
            if drip:
                stream.raw(b"x")

    source = open_source(mjpeg_server(serve), QUICK)
    source.read()
    with pytest.raises(EdgecrnnError, match=r"expected a frame within 0\.5 s, got none"):
        source.read()
    source.close()


def test_user_and_password_are_sent(mjpeg_server: Server, jpeg: Jpeg) -> None:
    wanted = "Basic " + base64.b64encode(b"anna:p@ss word").decode()

    def serve(stream: Any) -> None:
        if stream.headers["Authorization"] != wanted:
            stream.refuse(401, ("WWW-Authenticate", 'Basic realm="camera"'))
            return
        stream.start()
        stream.part(jpeg("green"))

    url = mjpeg_server(serve)
    assert len(read_all(url.replace("//", "//anna:p%40ss%20word@"))) == 1
    for wrong in (url, url.replace("//", "//anna:secret@")):
        with pytest.raises(EdgecrnnError, match=r"HTTP 401.*check the user") as error:
            open_source(wrong, QUICK)
        assert "secret" not in str(error.value)


def test_what_is_no_stream_is_refused(mjpeg_server: Server) -> None:
    def serve(stream: Any) -> None:
        stream.start("text/html")

    with pytest.raises(EdgecrnnError, match=r"expected MJPEG .*got text/html"):
        open_source(mjpeg_server(serve), QUICK)


def test_a_stream_without_a_frame_is_refused(mjpeg_server: Server) -> None:
    with pytest.raises(EdgecrnnError, match="got the end of the stream"):
        open_source(mjpeg_server(lambda stream: stream.start()), QUICK)


def test_a_silent_server_is_refused_in_time(mjpeg_server: Server) -> None:
    with pytest.raises(EdgecrnnError, match="got no answer in time"):
        open_source(mjpeg_server(lambda stream: time.sleep(2)), QUICK)


def test_errors_of_the_server_are_told(mjpeg_server: Server) -> None:
    with pytest.raises(EdgecrnnError, match="got HTTP 404 Not Found; check the path"):
        open_source(mjpeg_server(lambda stream: stream.refuse(404)), QUICK)
    with pytest.raises(EdgecrnnError, match="got "):
        open_source(mjpeg_server(lambda stream: stream.raw(b"not http\r\n\r\n")), QUICK)
