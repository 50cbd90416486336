"""What viewers of the live page cost the loop: time of the step thread, and memory.

    python bench/default_bundle.py default.edgecrnn
    PYTHONPATH=. python bench/live_page.py default.edgecrnn [--viewers 20] [--rate 30] [--rounds 30]

A camera of decoded 640x480 pictures, and viewers in a process of their own over the loopback, that
fetch every picture and say so as the page does. Within one run they look and look away by turns, a
second each; the figures are medians over the rounds, the ratios those of neighbours. `cpu` is the
processor time of the step thread for a decision; `wall` runs from captured to published, and counts
what the viewers' own process takes from the cores. Memory is that of a real `edgecrnn run` on a
network camera, seen from outside.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp
import cv2
import numpy as np
from bench.many_sources import Clocked
from tests.runtime.camera import Camera

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.page import PageSettings, open_page
from edgecrnn.runtime.publishing import Handed, Published
from edgecrnn.runtime.sinks import Sink, Stream

MB = 1_000_000
SETTLES = 0.3  # seconds after viewers look or look away that do not count


class Scene(Clocked):
    """Pictures that weigh as a camera's do: shapes and a little noise, 50 kB as a JPEG."""

    def __init__(self, rate: float):
        super().__init__(0, rate)
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (4, 15, 20, 3), np.uint8)
        smooth = [cv2.resize(image, (640, 480), interpolation=cv2.INTER_CUBIC) for image in coarse]
        noise = rng.integers(0, 12, (480, 640, 3), np.uint8)
        self._images = [cv2.add(np.asarray(image, np.uint8), noise) for image in smooth]


class Timed:
    """Keeps what each decision took, wall time in ms, and which thread made it."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.thread = 0

    def write(self, result: Result, frame: Frame) -> None:
        self.thread = threading.get_ident()
        self.wall.append(1000.0 * (time.monotonic() - frame.captured))

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Second:
    """Milliseconds a decision: processor time of the step thread, median wall time, 95 of 100."""

    cpu: float
    wall: float
    p95: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="what viewers of the live page cost")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second, all classified")
    parser.add_argument("--seconds", type=float, default=1.0, help="of looking, and of not")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.watch:
        asyncio.run(_watch(args.watch, args.viewers))
        return
    alone, watched, pictures = _measure(args)
    cores = len(os.sched_getaffinity(0))
    print(f"{args.viewers} viewers, {args.rate:g} frames a second, {cores} cores", end="; ")
    print(f"{args.rounds} rounds; each viewer got {pictures:.1f} pictures a second\n")
    print(f"{'':8} {'nobody':>9} {'viewers':>9}  ratio")
    both = list(zip(alone, watched, strict=True))
    for field in dataclasses.fields(Second):
        pairs = [(getattr(a, field.name), getattr(b, field.name)) for a, b in both]
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{field.name:8} {before:6.3f} ms {after:6.3f} ms  {ratio:.3f}")
    print(f"\n{'':14} {'memory':>7}")
    memory = [_memory(args, *way) for way in ((False, 0), (True, 0), (True, args.viewers))]
    for name, used in zip(("no page", "page, nobody", "page, viewers"), memory, strict=True):
        print(f"{name:14} {used:4.0f} MB {used / memory[0]:6.3f}")


def _measure(args: argparse.Namespace) -> tuple[list[Second], list[Second], float]:
    """(seconds with nobody, seconds with viewers, pictures a second that each viewer got)."""
    bundle = _reading_all(open_bundle(args.bundle), args.rate)
    timed, alone, watched = Timed(), list[Second](), list[Second]()
    page = open_page(PageSettings("127.0.0.1:0"), lambda text: None)
    assert page is not None

    def sinks(stream: Stream, published: Published) -> Sequence[Sink]:
        assert page is not None
        return [page.watch(stream, None), timed, Handed(published)]

    live = Live([Model.of(load_engine(bundle), bundle)], [Scene(args.rate)], sinks, LiveSettings())
    stopped = threading.Event()
    counts: list[int] = []

    def rounds() -> None:
        try:
            with _viewers(page.address, args.viewers) as (say, heard):
                for _ in range(args.rounds):
                    for word, seconds in (("none", alone), ("0", watched)):
                        print(word, file=say, flush=True)
                        time.sleep(SETTLES)
                        seconds.append(_second(timed, args.seconds))
                print("end", file=say, flush=True)
                counts.append(int(heard.readline()))
        finally:
            stopped.set()

    with page:
        page.show(live)
        thread = threading.Thread(target=rounds)
        thread.start()
        live.run(stopped.is_set)
        thread.join()
    looked = args.rounds * (args.seconds + SETTLES) * max(1, args.viewers)
    return alone, watched, counts[0] / looked


def _reading_all(bundle: Bundle, rate: float) -> Bundle:
    """One whose model reads every frame."""
    manifest = dataclasses.replace(bundle.manifest, frame_rate=rate)
    return dataclasses.replace(bundle, manifest=manifest)


def _second(timed: Timed, seconds: float) -> Second:
    while not timed.thread:
        time.sleep(0.1)
    clock = time.pthread_getcpuclockid(timed.thread)
    began, first = time.clock_gettime(clock), len(timed.wall)
    time.sleep(seconds)
    used, wall = time.clock_gettime(clock) - began, timed.wall[first:]
    p95 = statistics.quantiles(wall, n=20)[-1]
    return Second(1000.0 * used / len(wall), statistics.median(wall), p95)


@contextmanager
def _viewers(address: str, count: int) -> Iterator[tuple[IO[str], IO[str]]]:
    """So many in a process of their own that gives way to the run's.

    It takes lines: "0" to look, "none" to look away, "end" to print how many pictures came.
    """
    command = [sys.executable, __file__, "-", "--watch", address, "--viewers", str(count)]
    process = subprocess.Popen(
        ["nice", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdout.readline()
        yield process.stdin, process.stdout
    finally:
        process.kill()
        process.communicate()


async def _watch(address: str, count: int) -> None:
    got = 0

    async def see(socket: aiohttp.ClientWebSocketResponse) -> None:
        nonlocal got
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                got += 1
                await socket.send_str("got")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        sockets = [await session.ws_connect(f"{address}live", max_msg_size=0) for _ in range(count)]
        seeing = [asyncio.create_task(see(socket)) for socket in sockets]
        print("ready", flush=True)
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if word == "end":
                break
            for socket in sockets:
                await socket.send_str(word)
        print(got, flush=True)
        for task in seeing:
            task.cancel()


def _memory(args: argparse.Namespace, shown: bool, viewers: int) -> float:
    """MB resident of a real run after some seconds."""
    camera = Camera(rate=args.rate)
    camera.say("show red 640x480")
    words = ["run", str(args.bundle), "--source", camera.url]
    words += ["--serve", "127.0.0.1:0"] if shown else []
    process = subprocess.Popen(
        [sys.executable, "-m", "edgecrnn", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    try:
        assert process.stderr is not None
        with ExitStack() as watching:
            if viewers:
                address = _address(process.stderr.readline)
                say, _ = watching.enter_context(_viewers(address, viewers))
                print("0", file=say, flush=True)
            time.sleep(10.0)
            pages = int(Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / MB
    finally:
        process.kill()
        process.communicate()
        camera.kill()


def _address(line: Callable[[], str]) -> str:
    while said := line():
        if match := re.search(r"live page: (\S+)", said):
            return match[1]
    raise SystemExit("the run did not start")


if __name__ == "__main__":
    main()
