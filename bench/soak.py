"""Whether a long run stays as it is: memory, latency, files, threads.

    python bench/default_bundle.py default.edgecrnn
    python bench/soak.py default.edgecrnn [--seconds 1800] [--frames 200000] [--json soak.json]
    ffmpeg -f lavfi -i testsrc=size=64x64:rate=10 -frames 200000 -c:v libx264 long.mp4
    python bench/soak.py default.edgecrnn --source long.mp4 [--page]

A real `edgecrnn run` on a camera of its own on the loopback, that now and then goes away, is
watched from outside through /proc. It ends after so many seconds or classified frames, whichever
is first. `--fast` makes the most of the time: a bundle that reads every frame, of a camera that
sends as many small pictures as this machine takes. `--source` reads something else in its place,
`--page` shows the run and asks the page for its status and a picture at each look. Memory counts
from the first 5 % on, when every part has been used once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.runtime.camera import Camera

from edgecrnn.runtime.manifest import MANIFEST

_WARM = 0.05  # share of the run that is left out
MB = 1_000_000


@dataclass(frozen=True)
class Sample:
    """The process at one moment: seconds since the start, MB resident, and what it holds open."""

    seconds: float
    frames: int
    resident_mb: float
    files: int
    threads: int


def main() -> None:
    """Watch, and print what was seen."""
    parser = argparse.ArgumentParser(description="watch a long run")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--frames", type=int, default=10**9, help="classified frames")
    parser.add_argument("--rate", type=float, default=25.0, help="of the camera, frames/s")
    parser.add_argument("--size", default="640x480", help="of its pictures")
    parser.add_argument("--away", type=float, default=60.0, help="it goes away so often, s")
    parser.add_argument("--json", type=Path, help="write every sample there")
    parser.add_argument("--fast", action="store_true", help="500 small pictures a second")
    parser.add_argument("--source", help="watch the run on this")
    parser.add_argument("--page", action="store_true", help="with the live page")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle, rate, size = args.bundle, args.rate, args.size
        if args.fast:
            rate, size = 500.0, "64x48"
            bundle = faster(bundle, Path(folder) / "fast.edgecrnn", rate)
        words = ["--serve", "127.0.0.1:0"] if args.page else []
        samples, summary = soak(
            bundle, args.seconds, args.frames, rate, size, args.away, args.source, words
        )
    print(report(samples), summary, sep="\n")
    if args.json:
        args.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1) + "\n")


def soak(
    bundle: Path,
    seconds: float,
    frames: int,
    rate: float,
    size: str,
    away: float,
    source: str | None = None,
    words: Sequence[str] = (),
) -> tuple[list[Sample], str]:
    """(what was seen, a second apart or more; the summary that the run printed)."""
    os.environ["no_proxy"] = "127.0.0.1"
    camera = Camera(rate)
    camera.say(f"show red {size}")
    with tempfile.NamedTemporaryFile("w+") as told:
        command = [sys.executable, "-m", "edgecrnn", "run", str(bundle)]
        command += ["--source", source or camera.url, "--first-pause", "0.1", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told)
        counted = [0]
        counter = threading.Thread(target=_count, args=(process, counted), daemon=True)
        counter.start()
        samples: list[Sample] = []
        began = gone = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(max(1.0, seconds / 500))
                now = time.monotonic()
                with contextlib.suppress(OSError, KeyError):  # it may have ended meanwhile
                    _ask_page(Path(told.name))
                    samples.append(_look(process.pid, now - began, counted[0]))
                if now - began >= seconds or counted[0] >= frames:
                    break
                if now - gone >= away and source is None:
                    gone = now
                    camera.kill()
                    time.sleep(1.0)
                    camera.start()
                    camera.say(f"show red {size}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
            counter.join()
            camera.kill()
        told.seek(0)
        lines = told.read().splitlines()
    ended = [place for place, line in enumerate(lines) if re.match(r"\S.*: \d+ frames", line)]
    return samples, "\n".join(lines[ended[-1] :] if ended else lines[-5:])


def _ask_page(told: Path) -> None:
    """Look at the page as a viewer does, where the run said that it has one."""
    if shown := re.search(r"live page: (\S+)", told.read_text()):
        for path in ("status", "streams/0/snapshot.jpg"):
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"{shown[1]}{path}", timeout=10).read()


def faster(bundle: Path, path: Path, rate: float) -> Path:
    """The bundle with another frame rate, written to `path`."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == MANIFEST:
                data = json.dumps({**json.loads(data), "frame_rate": rate}).encode()
            new.writestr(name, data)
    return path


def report(samples: list[Sample]) -> str:
    """A few lines for a person."""
    kept = warm(samples)
    first, last = kept[0], kept[-1]
    most = max(sample.resident_mb for sample in kept)
    return (
        f"{last.frames} frames classified in {last.seconds:.0f} s\n"
        f"memory {first.resident_mb:.1f} MB at {first.frames} frames, {last.resident_mb:.1f} MB at "
        f"the end, {most:.1f} MB at most: {growth(samples):+.1f} MB\n"
        f"open files {first.files} then {last.files}, threads {first.threads} then {last.threads}"
    )


def growth(samples: list[Sample]) -> float:
    """MB by which the last tenth is above the first tenth, the mean of each."""
    kept = warm(samples)
    tenth = max(1, len(kept) // 10)
    first, last = kept[:tenth], kept[-tenth:]
    return sum(s.resident_mb for s in last) / tenth - sum(s.resident_mb for s in first) / tenth


def warm(samples: list[Sample]) -> list[Sample]:
    """Those after the start."""
    return samples[max(2, int(_WARM * len(samples))) :]


def _look(pid: int, seconds: float, frames: int) -> Sample:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return Sample(
        seconds,
        frames,
        int(status["VmRSS"].split()[0]) * 1024 / MB,
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(status["Threads"]),
    )


def _count(process: subprocess.Popen[bytes], counted: list[int]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for _ in process.stdout:
            counted[0] += 1


if __name__ == "__main__":
    main()
