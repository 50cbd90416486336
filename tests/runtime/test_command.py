"""`edgecrnn run` and `edgecrnn bench` as processes of their own."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., "subprocess.Popen[str]"]
MODULES = (
    "import atexit, sys\n"
    "atexit.register(lambda: print('MODULES', *sorted(sys.modules), file=sys.stderr))"
)


def endless(jpeg: bytes) -> Callable[[Any], None]:
    def serve(stream: Any) -> None:
        stream.start()
        while True:
            stream.part(jpeg)
            time.sleep(0.02)

    return serve


def test_run_gives_json_lines_and_a_summary(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    path = write_video(["red"] * 10 + ["blue"] * 10)
    process = edgecrnn("run", bundle_path, "--source", path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    results = [json.loads(line) for line in out.splitlines()]
    assert [r["frame"] for r in results] == list(range(20))
    assert results[-1]["label"] == "blue"
    assert set(results[0]["scores"]) == {"red", "green", "blue"}
    assert "video 64x48, 10 frames/s; float32, 1 thread" in err
    assert "source ended: 20 frames, 20 classified" in err


def test_run_never_imports_tensorflow(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    process = edgecrnn("run", bundle_path, "--source", write_video(["red"] * 3), code=MODULES)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    modules = next(line for line in err.splitlines() if line.startswith("MODULES")).split()
    assert "edgecrnn.runtime.engine" in modules
    assert "ai_edge_litert.interpreter" in modules
    assert [m for m in modules if m.startswith(("tensorflow", "keras"))] == []
    assert [m for m in modules if m.startswith(("edgecrnn.train", "edgecrnn.convert"))] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_live_run_with_a_summary(
    edgecrnn: Command,
    bundle_path: Path,
    mjpeg_server: Callable[..., str],
    jpeg: Callable[..., bytes],
    number: signal.Signals,
) -> None:
    process = edgecrnn("run", bundle_path, "--source", mjpeg_server(endless(jpeg("red"))))
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(4)]
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    for line in [*first, *out.splitlines()]:
        json.loads(line)
    assert "interrupted: " in err
    assert "Traceback" not in err


def test_lines_of_a_live_source_come_promptly(
    edgecrnn: Command,
    bundle_path: Path,
    mjpeg_server: Callable[..., str],
    jpeg: Callable[..., bytes],
) -> None:
    process = edgecrnn("run", bundle_path, "--source", mjpeg_server(endless(jpeg("red"))))
    assert process.stdout is not None
    ages = []
    for _ in range(15):
        line = json.loads(process.stdout.readline())
        ages.append(time.time() - line["time"])
    # At 10 a second, lines held back would be whole seconds old.
    assert sorted(ages)[7] < 0.5
    process.terminate()


def test_a_reader_that_leaves_ends_it_quietly(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    path = write_video(["red"] * 300)
    process = edgecrnn("run", bundle_path, "--source", path, "--realtime")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(30) == 0
    assert "Traceback" not in err
    assert "Broken" not in err


def test_a_full_disk_is_one_sentence(
    edgecrnn: Command, bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    code = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    process = edgecrnn("run", bundle_path, "--source", write_video(["red"] * 3), code=code)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "results could not be written (No space left on device)" in err
    assert "Traceback" not in err


def test_a_person_gets_a_line(
    bundle_path: Path, edgecrnn: Command, write_video: Callable[..., Path]
) -> None:
    ours, theirs = pty.openpty()
    code = f"import os; os.dup2({theirs}, 1)"
    os.set_inheritable(theirs, True)
    path = write_video(["red"] * 10)
    process = edgecrnn("run", bundle_path, "--source", path, code=code, pass_fds=(theirs,))
    _, err = process.communicate(timeout=60)
    os.close(theirs)
    assert process.returncode == 0, err
    shown = b""
    while select.select([ours], [], [], 0.2)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert b"red" in shown
    assert b"{" not in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source", "no.mp4"], "no.mp4: expected a video file, got nothing there"),
        (["--source", "no.jpg"], "no.jpg: expected a picture, got no such file"),
        (["--source", "97"], "/dev/video97: expected a camera, got nothing there"),
        (["--source", "ftp://x"], "source: expected"),
        (["--source", "rtsp://127.0.0.1:9/x"], "expected an RTSP server, got connection refused"),
        (["--source", "http://127.0.0.1:9/"], "expected MJPEG over HTTP, got connection refused"),
        (["--source", "x" * 300], "x" * 300),
        (["--source", "0", "--threads", "0"], "threads: expected 1 to 1024"),
        (["--source", "0", "--size", "big"], "size: expected WIDTHxHEIGHT"),
        (["--source", "0", "--smoothing", "2"], "smoothing: expected 0 to 0.99"),
        (["--source", "0", "--variant", "int9"], "variant: expected one of float32, got 'int9'"),
        ([], "--source"),
    ],
)
def test_mistakes_are_one_sentence(
    edgecrnn: Command, bundle_path: Path, words: list[str], sentence: str
) -> None:
    process = edgecrnn("run", bundle_path, *words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert out == ""
    assert sentence in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("edgecrnn: ")]) == 1


def test_little_memory_is_enough_and_too_little_is_one_sentence(
    bundle_path: Path, write_video: Callable[..., Path]
) -> None:
    def run(kilobytes: int) -> subprocess.CompletedProcess[str]:
        words = f"{sys.executable} -m edgecrnn run {bundle_path} --source {video}"
        limited = ["sh", "-c", f"ulimit -v {kilobytes}; exec {words}"]
        return subprocess.run(limited, capture_output=True, text=True, timeout=60, check=False)

    video = write_video(["red"] * 10)
    enough, little = run(800_000), run(200_000)
    assert (enough.returncode, len(enough.stdout.splitlines())) == (0, 10), enough.stderr
    assert (little.returncode, little.stdout) == (2, "")
    note, sentence = little.stderr.splitlines()
    assert note.startswith("edgecrnn: note: processes of this shell may take 205 MB of addresses")
    assert sentence.startswith("edgecrnn: expected memory, got none left; ")


def test_a_bundle_that_is_none_is_one_sentence(edgecrnn: Command, tmp_path: Path) -> None:
    for words in (("run", tmp_path / "no", "--source", "0"), ("bench", tmp_path)):
        process = edgecrnn(*words)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "expected a bundle" in err
        assert "Traceback" not in err


def test_a_stream_that_ends_is_told_after_the_summary(
    edgecrnn: Command,
    bundle_path: Path,
    mjpeg_server: Callable[..., str],
    jpeg: Callable[..., bytes],
) -> None:
    def serve(stream: Any) -> None:
        stream.start()
        for _ in range(20):
            stream.part(jpeg("red"))
            time.sleep(0.05)

    words = ("run", bundle_path, "--source", mjpeg_server(serve), "--no-reopen")
    process = edgecrnn(*words)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(out.splitlines()) > 3
    assert "the stream ended after" in err.splitlines()[-1]
    assert any(line.startswith("source ended: ") for line in err.splitlines())
