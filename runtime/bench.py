"""What the live loop costs beside the model itself, measured so that the ratio can be trusted.

Frames with bare resize and invoke alternate with frames through the whole loop, in one process,
with the same interpreter; the ratio is the median over pairs of neighbours, which leaves out what
else the machine was doing.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Classifier
from edgecrnn.runtime.engine import Engine, load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame, Source
from edgecrnn.runtime.live import Loop
from edgecrnn.runtime.preprocess import Image, prepare
from edgecrnn.runtime.sinks.jsonl import JsonLines

_FRAMES = 32  # frames decoded in advance at most
_WARM = 10  # pairs left out while caches and clocks warm up
_FRESH = 3  # fresh processes of which the median is told


@dataclass(frozen=True)
class Bench:
    """Times in milliseconds a frame unless the name says otherwise; memory in MB (10^6 bytes).

    `load_ms` opens an interpreter, `first_ms` is its first answer. `bare_ms` is resize and invoke,
    `loop_ms` the whole loop without decoding, `ratio` the median of their pairs and
    `ratio_low`, `ratio_high` its quartiles. `invoke_ms` and `prepare_ms` are parts of both.
    `fresh_seconds` and `fresh_peak_mb` are a fresh process from its start to the answer for one
    picture.
    """

    variant: str
    threads: int
    frame_size: str
    pairs: int
    load_ms: float
    first_ms: float
    prepare_ms: float
    invoke_ms: float
    bare_ms: float
    loop_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    fresh_seconds: float
    fresh_peak_mb: float

    def text(self) -> str:
        """A table for a person."""
        rows = [
            ("load the model", f"{self.load_ms:.1f} ms"),
            ("first answer", f"{self.first_ms:.2f} ms"),
            ("resize", f"{self.prepare_ms:.3f} ms"),
            ("invoke", f"{self.invoke_ms:.3f} ms"),
            ("resize + invoke", f"{self.bare_ms:.3f} ms a frame"),
            ("whole loop, decode excluded", f"{self.loop_ms:.3f} ms a frame"),
            (
                "loop / (resize + invoke)",
                f"{self.ratio:.3f} (quartiles {self.ratio_low:.3f} to {self.ratio_high:.3f}, "
                f"{self.pairs} pairs)",
            ),
            ("fresh process to first answer", f"{self.fresh_seconds:.2f} s"),
            ("its peak memory", f"{self.fresh_peak_mb:.0f} MB"),
        ]
        width = max(len(name) for name, _ in rows)
        head = f"{self.variant}, threads {self.threads}, frames of {self.frame_size}"
        return "\n".join([head, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def bench(
    bundle: Bundle, images: Sequence[Image], variant: str | None, threads: int, seconds: float
) -> Bench:
    """Measure.

    Args:
        bundle: the model.
        images: uint8 BGR frames of one size, decoded.
        variant: of the bundle, None for the preferred one.
        threads: CPU threads of the model.
        seconds: how long the pairs go on.
    """
    began = time.perf_counter()
    engine = load_engine(bundle, variant, threads)
    load_ms = _since_ms(began)
    manifest = bundle.manifest
    began = time.perf_counter()
    engine.step(prepare(images[0], manifest.preprocessing), engine.zero_state())
    first_ms = _since_ms(began)
    height, width = images[0].shape[:2]
    with Path(os.devnull).open("wb") as nowhere:
        sink = JsonLines(nowhere, manifest.labels, prompt=True)
        classifier = Classifier(engine, manifest, manifest.decision, live=True)
        loop = Loop(classifier, [sink], manifest.frame_rate, lambda sentence: None)
        bare, whole = _pairs(bundle, engine, loop, images, seconds)
    ratios = sorted(b / a for a, b in zip(bare, whole, strict=True))
    low, middle, high = (
        statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    )
    fresh = [_fresh(bundle, engine, images[0]) for _ in range(_FRESH)]
    return Bench(
        variant=engine.variant,
        threads=threads,
        frame_size=f"{width}x{height}",
        pairs=len(ratios),
        load_ms=load_ms,
        first_ms=first_ms,
        prepare_ms=_median_ms(lambda: prepare(images[0], manifest.preprocessing)),
        invoke_ms=_median_ms(engine.bare_invoke),
        bare_ms=statistics.median(bare),
        loop_ms=statistics.median(whole),
        ratio=middle,
        ratio_low=low,
        ratio_high=high,
        fresh_seconds=statistics.median(seconds for seconds, _ in fresh),
        fresh_peak_mb=max(peak for _, peak in fresh),
    )


def random_images(size: tuple[int, int]) -> list[Image]:
    """Frames of (width, height) pixels with random content."""
    width, height = size
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for _ in range(_FRAMES // 2)]


def first_images(source: Source) -> list[Image]:
    """The first frames of a source, as many as have the first one's size; the source is closed."""
    images: list[Image] = []
    try:
        while len(images) < _FRAMES and (frame := source.read()) is not None:
            if not images or frame.image.shape == images[0].shape:
                images.append(frame.image)
    finally:
        source.close()
    return images


def _pairs(
    bundle: Bundle, engine: Engine, loop: Loop, images: Sequence[Image], seconds: float
) -> tuple[list[float], list[float]]:
    """Milliseconds of each bare frame and of the loop's frame beside it."""
    preprocessing = bundle.manifest.preprocessing
    period = 1.0 / (bundle.manifest.frame_rate or 10.0)

    def bare(count: int) -> float:
        image = images[count % len(images)]
        began = time.perf_counter()
        prepare(image, preprocessing)
        engine.bare_invoke()
        return _since_ms(began)

    def whole(count: int) -> float:
        # As far apart as the model was trained: none is left out, nothing is reset.
        frame = Frame(images[count % len(images)], count, count * period, time.monotonic())
        began = time.perf_counter()
        loop.feed(frame)
        return _since_ms(began)

    pairs: list[tuple[float, float]] = []
    deadline = time.monotonic() + seconds
    while len(pairs) <= _WARM or time.monotonic() < deadline:
        count = len(pairs)
        # Each comes first as often as the other.
        if count % 2:
            second = whole(count)
            pairs.append((bare(count + 1), second))
        else:
            pairs.append((bare(count + 1), whole(count)))
    if loop.paced_out or loop.classifier.resets:
        raise RuntimeError("the loop left out frames that it was to be measured on")
    return [a for a, _ in pairs[_WARM:]], [b for _, b in pairs[_WARM:]]


def _fresh(bundle: Bundle, engine: Engine, image: Image) -> tuple[float, float]:
    """Seconds and peak MB of a process that classifies one picture."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        cv2.imwrite(str(picture), image)
        command = [sys.executable, "-m", "edgecrnn.runtime.first_answer", str(bundle.path)]
        command += [engine.variant, str(engine.threads), str(picture), repr(time.monotonic())]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        told = json.load(io.StringIO(done.stdout))
        return float(told["seconds"]), float(told["peak_mb"])
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise EdgecrnnError(
            f"{bundle.path}: a fresh process could not classify ({last})"
        ) from error


def _median_ms(call: Callable[[], object], times: int = 101) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(_since_ms(began))
    return statistics.median(taken)


def _since_ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
