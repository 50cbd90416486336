"""Several sources at once: one interpreter for all of them, or several, side by side in one run.

    python bench/default_bundle.py default.edgecrnn
    python bench/many_sources.py default.edgecrnn [--sources 8] [--rate 10] [--seconds 10]

Each source gives decoded 640x480 pictures at its rate by the clock, as a camera does. The ways take
turns, three rounds of each; the figures are the medians. `cpu` is processor time over wall time:
100 % is one core. Decoding is measured by `--mjpeg`: then each source is a camera of its own on the
loopback.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import resource
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.frame import Frame, Source, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.publishing import Published, Publishing
from edgecrnn.runtime.sinks import Sink, Stream
from edgecrnn.runtime.sources import open_source

ROUNDS = 3


class Clocked:
    """A live source of pictures in memory, at a rate by the clock."""

    about, live = "pictures in memory", True
    notes: tuple[str, ...] = ()

    def __init__(self, number: int, rate: float):
        self.name, self.rate = f"source {number}", rate
        rng = np.random.default_rng(number)
        self._images = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(4)]
        self._count = 0
        # Not all at once: cameras do not know of each other.
        self._began = time.monotonic() + number / 8 / rate
        self._stopped = threading.Event()

    def read(self) -> Frame | None:
        due = self._began + self._count / self.rate
        if self._stopped.wait(max(0.0, due - time.monotonic())):
            return None
        now = time.monotonic()
        self._count += 1
        return Frame(self._images[self._count % 4], self._count - 1, now, now)

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        pass


class Nowhere:
    """Takes results and keeps nothing."""

    def write(self, result: Result, frame: Frame) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Way:
    """How many interpreters, and how many threads each may use."""

    name: str
    interpreters: int
    threads: int


@dataclass(frozen=True)
class Found:
    """What one way took: decisions a second in all, percent of a core, latencies in ms."""

    decided: float
    dropped: int
    cpu: float
    p50: float
    p95: float
    p99: float


def main() -> None:
    """Measure every way and print a table."""
    parser = argparse.ArgumentParser(description="one interpreter or several, for many sources")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--sources", type=int, default=8)
    parser.add_argument("--rate", type=float, default=10.0, help="frames a second of each")
    parser.add_argument("--seconds", type=float, default=10.0, help="a round of each way")
    parser.add_argument("--mjpeg", nargs="*", metavar="URL", help="read these cameras instead")
    args = parser.parse_args()
    bundle = open_bundle(args.bundle)
    if not args.mjpeg:
        # The model reads every frame, so that a high rate shows where the ways end.
        manifest = dataclasses.replace(bundle.manifest, frame_rate=args.rate)
        bundle = dataclasses.replace(bundle, manifest=manifest)
    cores = len(os.sched_getaffinity(0))
    count = len(args.mjpeg) if args.mjpeg else args.sources
    ways = [Way("one, 1 thread", 1, 1), Way(f"one, {cores} threads", 1, cores)]
    ways += [Way(f"{cores}, one a core", cores, 1), Way(f"{count}, one a source", count, 1)]
    found: dict[Way, list[Found]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way in ways:
            found[way].append(_measure(bundle, way, args))
    asked = args.rate if not args.mjpeg else bundle.manifest.frame_rate
    print(f"{count} sources, {asked:g} frames a second each; {cores} cores\n")
    heads = ("decided/s", "dropped", "cpu", "p50", "p95", "p99")
    print(f"{'interpreters':18} " + " ".join(f"{head:>9}" for head in heads))
    for way, rounds in found.items():
        decided, dropped, cpu, *latencies = (
            statistics.median(getattr(one, field.name) for one in rounds)
            for field in dataclasses.fields(Found)
        )
        row = [f"{decided:.1f}", f"{dropped:.0f}", f"{cpu:.0f} %"]
        row += [f"{latency:.2f} ms" for latency in latencies]
        print(f"{way.name:18} " + " ".join(f"{cell:>9}" for cell in row))


def _measure(bundle: Bundle, way: Way, args: argparse.Namespace) -> Found:
    models = [
        Model.of(load_engine(bundle, threads=way.threads), bundle) for _ in range(way.interpreters)
    ]
    sources: list[Source] = (
        [open_source(url, SourceSettings()) for url in args.mjpeg]
        if args.mjpeg
        else [Clocked(number, args.rate) for number in range(args.sources)]
    )

    def sinks(stream: Stream, published: Published) -> Sequence[Sink]:
        return [Publishing(Nowhere(), published)]

    live = Live(models, sources, sinks, LiveSettings(seconds=args.seconds))
    before, began = _processor_seconds(), time.monotonic()
    summaries = live.run()
    lasted = time.monotonic() - began
    cpu = 100.0 * (_processor_seconds() - before) / lasted
    shares = [
        [stream.latencies.of_all(share) or 0.0 for stream in live.streams]
        for share in (0.5, 0.95, 0.99)
    ]
    return Found(
        sum(summary.classified for summary in summaries) / lasted,
        sum(summary.dropped for summary in summaries),
        cpu,
        statistics.median(shares[0]),
        max(shares[1]),
        max(shares[2]),
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
