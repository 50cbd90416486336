"""`exec:COMMAND` with real programs: ffmpeg, and Python ones that fail in every way."""

from __future__ import annotations

import itertools
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source, SourceSettings
from edgecrnn.runtime.reopen import Reopening, ReopenSettings
from edgecrnn.runtime.sources import open_source

CAMERA = Path(__file__).with_name("child_camera.py")
QUICK = SourceSettings(timeout=3.0)
COLORS = ("blue", "green", "red")

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


def program(*steps: str, form: str = "") -> str:
    """The source that runs child_camera.py."""
    return f"exec:{form}" + shlex.join([sys.executable, str(CAMERA), *steps])


def color(frame: Frame | None) -> str:
    assert frame is not None
    return COLORS[int(frame.image.mean((0, 1)).argmax())]


def read_to_end(source: Source) -> list[Frame]:
    frames = []
    try:
        while (frame := source.read()) is not None:
            frames.append(frame)
    finally:
        source.close()
    return frames


def gone(pid: int, within: float = 5.0) -> bool:
    """Whether the process ends in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


@needs_ffmpeg
@pytest.mark.parametrize(
    ("form", "output"),
    [
        ("", "-f mjpeg"),
        ("", "-c:v mjpeg -f mpjpeg"),
        ("rgb24:160x120:", "-pix_fmt rgb24 -f rawvideo"),
        ("yuv420p:160x120:", "-pix_fmt yuv420p -f rawvideo"),
        ("nv12:160x120:", "-pix_fmt nv12 -f rawvideo"),
        ("gray:160x120:", "-pix_fmt gray -f rawvideo"),
    ],
)
def test_ffmpeg_in_each_form(form: str, output: str) -> None:
    picture = "color=c=0xE01010:s=160x120:r=25"
    command = f"ffmpeg -loglevel error -re -f lavfi -i {picture} {output} -"
    source = open_source(f"exec:{form}{command}", SourceSettings(timeout=20.0))
    assert (source.live, source.name) == (True, "exec:ffmpeg")
    assert "160x120 from ffmpeg" in source.about
    frames = [source.read() for _ in range(4)]
    source.close()
    kept = [frame for frame in frames if frame is not None]
    assert [f.image.shape for f in kept] == [(120, 160, 3)] * 4
    blue, green, red = kept[-1].image[60, 80].astype(int)
    if form.startswith("gray"):
        assert blue == green == red
    else:
        assert abs(red - 0xE0) < 12 and abs(green - 0x10) < 12 and abs(blue - 0x10) < 12
    assert all(a.index < b.index and a.time < b.time for a, b in itertools.pairwise(kept))


@needs_ffmpeg
def test_the_last_word_of_ffmpeg_is_in_the_sentence() -> None:
    with pytest.raises(EdgecrnnError, match=r"code 1; its last word: .*No such file") as error:
        open_source("exec:ffmpeg -loglevel error -i /no/such.mp4 -f mjpeg -", QUICK)
    assert "\n" not in str(error.value)


def test_only_the_newest_frame_is_given() -> None:
    source = open_source(program("red", "sleep:0.5", "red", "green", "blue", "hang"), QUICK)
    first = source.read()
    assert (color(first), first and first.index) == ("red", 0)
    time.sleep(1.5)
    frame = source.read()
    assert (color(frame), frame and frame.index) == ("blue", 3)
    source.close()


def test_a_program_that_ends_in_order_ends_the_stream() -> None:
    frames = read_to_end(open_source(program("red", "sleep:0.3", "blue"), QUICK))
    assert color(frames[-1]) == "blue"


def test_half_frames_and_garbage_are_left_out_and_told() -> None:
    script = ("red", "sleep:0.3", "half:green", "garbage", "half:green", "sleep:0.3", "blue")
    source = open_source(program(*script), QUICK)
    frames = read_to_end(source)
    assert [color(frame) for frame in frames] == ["red", "blue"]
    assert "damaged frames" in source.notes[0]


def test_half_a_frame_at_the_end_is_not_given() -> None:
    assert [color(f) for f in read_to_end(open_source(program("red", "half:blue"), QUICK))] == [
        "red"
    ]


def test_half_a_raw_frame_is_told() -> None:
    form = "bgr24:64x48:"
    source = open_source(program("raw:red", "sleep:0.3", "half:red", form=form), QUICK)
    assert color(source.read()) == "red"
    with pytest.raises(EdgecrnnError, match=r"ends with .* bytes of one; check size and format"):
        source.read()
    source.close()


@pytest.mark.parametrize("last", ["hang", "garbage"])
def test_a_hang_is_told_in_time(last: str) -> None:
    settings = SourceSettings(timeout=2.0)
    source = open_source(program("red", "say:lens cap on", last, "hang"), settings)
    source.read()
    began = time.monotonic()
    with pytest.raises(EdgecrnnError, match=r"expected a frame within 2 s, got none.*lens cap on"):
        source.read()
    assert time.monotonic() - began > 1.5
    source.close()


def test_a_failure_after_frames_is_told_with_the_last_word() -> None:
    source = open_source(program("red", "sleep:0.3", "say:first", "say:no power", "exit:3"), QUICK)
    source.read()
    with pytest.raises(EdgecrnnError, match=r'got its end with code 3; its last word: "no power"'):
        read_to_end(source)


def test_passwords_and_escapes_in_last_words_are_not_shown() -> None:
    word = "say:\x1b[31mrtsp://anna:secret@camera/1\x1b[0m: refused"
    with pytest.raises(EdgecrnnError) as error:
        open_source(program(word, "exit:1"), QUICK)
    assert '"rtsp://camera/1: refused"' in str(error.value)


def test_closing_ends_all_that_was_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    source = open_source(program("stubborn", f"child:{told}", "red", "hang"), QUICK)
    source.close()
    assert gone(int(told.read_text()))


def test_what_fails_to_open_leaves_nothing_behind(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    with pytest.raises(EdgecrnnError, match=r"expected a frame within 3 s, got none"):
        open_source(program(f"child:{told}", "text:hello", "hang"), QUICK)
    assert gone(int(told.read_text()))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(EdgecrnnError, match="expected a first frame, got its end with code 0"):
            open_source("exec:true", QUICK)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("exec:", "expected exec:COMMAND, got no command"),
        ("exec:ffmpeg 'x", "got a line with no closing quotation; close it"),
        ("exec:no-such-program -x", "got 'no-such-program'; check its name"),
        (f"exec:{CAMERA}", "child_camera.py'; check its name and whether it is executable"),
        ("exec:cat\0x", "expected a program that can be run"),
        ("exec:rgb24:640:cat x", "expected exec:rgb24:WIDTHxHEIGHT:COMMAND.*got the size '640'"),
        ("exec:rgb24:0x48:cat x", "got the size '0x48'"),
        ("exec:rgb24:cat /dev/zero", "expected exec:rgb24:WIDTHxHEIGHT:COMMAND, got no size"),
        ("exec:rgb42:64x48:cat x", r"got 'rgb42' \(did you mean 'rgb24'\?\)"),
        ("exec:yuv420p:63x48:cat x", "expected an even width and height for yuv420p, got 63x48"),
        ("exec:yuyv422:63x48:cat x", "expected an even width for yuyv422, got 63x48"),
        ("exec:rgb24:64x48:", "got no command"),
        ("exec:rgb24:64x48:true", "expected a first frame, got its end with code 0"),
        ("exec:rgb24:64x48:echo hello", "got an output that ends with 6 bytes of one"),
        ("exec:rgb24:99999x99999:cat x", "expected a picture of at most 256 MiB"),
    ],
)
def test_what_is_no_command_is_told(spec: str, sentence: str) -> None:
    with pytest.raises(EdgecrnnError, match=sentence):
        open_source(spec, QUICK)


def test_stopping_ends_a_read_that_waits() -> None:
    source = open_source(program("red", "hang"), SourceSettings(timeout=60.0))
    reopening = Reopening(source, lambda: source, ReopenSettings(), print)
    reopening.read()
    timer = threading.Timer(0.3, reopening.stop)
    timer.start()
    began = time.monotonic()
    assert reopening.read() is None
    assert time.monotonic() - began < 20.0
    timer.join()
    reopening.close()


def test_sigterm_ends_a_run_and_a_program_that_will_not_end(
    edgecrnn: Callable[..., subprocess.Popen[str]], bundle_path: Path, tmp_path: Path
) -> None:
    told = tmp_path / "pid"
    spec = program("stubborn", f"child:{told}", "red", "hang")
    process = edgecrnn("run", bundle_path, "--source", spec, "--json", "--timeout", "60")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert gone(int(told.read_text()))


def test_a_run_that_ends_while_its_camera_is_opened_again_leaves_no_program_behind(
    edgecrnn: Callable[..., subprocess.Popen[str]], bundle_path: Path, tmp_path: Path
) -> None:
    told, camera = tmp_path / "pid", shlex.join([sys.executable, str(CAMERA)])
    once = tmp_path / "once"
    line = f"[ -e {once} ] && exec {camera} child:{told} hang; touch {once}; exec {camera} red red"
    spec = "exec:" + shlex.join(["sh", "-c", line])
    process = edgecrnn("run", bundle_path, "--source", spec, "--json", "--timeout", "60")
    until = time.monotonic() + 60
    while not told.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert gone(int(told.read_text()))


def test_it_runs_to_a_decision(
    edgecrnn: Callable[..., subprocess.Popen[str]], bundle_path: Path
) -> None:
    spec = program("green", "sleep:0.1", "loop")
    process = edgecrnn("run", bundle_path, "--source", spec, "--json", "--max-frames", "6")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert '"label": "green"' in output.splitlines()[-1]
    assert "MJPEG 64x48 from" in errors


def test_a_mistake_is_one_sentence_and_code_2(
    edgecrnn: Callable[..., subprocess.Popen[str]], bundle_path: Path
) -> None:
    process = edgecrnn("run", bundle_path, "--source", "exec:no-such-program")
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
