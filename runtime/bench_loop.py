"""What the live loop costs beside the model itself, measured so that the ratio can be trusted.

Frames with bare resize and invoke alternate with frames through the whole loop, in one process,
with the same interpreter; the ratio is the median over pairs of neighbours, which leaves out what
else the machine was doing. The two of a pair read pictures of their own: the second to read the
same one would find it in the processor's cache.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from edgecrnn.runtime.answerer import reader_of
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.candidates import Candidate
from edgecrnn.runtime.checked import checked_engine
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.live import Loop
from edgecrnn.runtime.machine import read_machine
from edgecrnn.runtime.own_module import module_words
from edgecrnn.runtime.preprocess import Image, prepare
from edgecrnn.runtime.quiet import overheard
from edgecrnn.runtime.sinks.jsonl import JsonLines

_WARM = 10  # pairs left out while caches and clocks warm up
_STRETCH = 1.0  # seconds between two looks at the machine, at least
_SAMPLES = 300  # looks at the machine, at most
_MOST_PAIRS = 200_000  # kept for the medians, about
_FRESH = 3  # fresh processes of which the median is told


@dataclass(frozen=True)
class Sample:
    """A stretch of the run: what a frame cost in it, and the machine at its end.

    `at` is in seconds since the run began; `loop_ms` and `bare_ms` are medians of `frames` frames.
    """

    at: float
    frames: int
    bare_ms: float
    loop_ms: float
    megahertz: float | None
    celsius: float | None
    throttled: tuple[str, ...]


@dataclass(frozen=True)
class LoopCost:
    """Times in milliseconds a frame unless the name says otherwise; memory in MB (10^6 bytes).

    `load_ms` opens the engine, `first_ms` is its first answer. `bare_ms` is resize and invoke,
    `loop_ms` the whole loop without decoding, `ratio` the median of their pairs and
    `ratio_low`, `ratio_high` its quartiles; `own_ms` is the median of their differences.
    `invoke_ms` and `prepare_ms` are parts of both; `move_ms` is what of the loop's own goes into
    handing frame, scores and memory to the interpreter and back.
    `fresh_seconds` and `fresh_peak_mb` are a fresh process from its start to the answer for one
    picture. `samples` follow the run over time.
    """

    frame_size: str
    pairs: int
    load_ms: float
    first_ms: float
    prepare_ms: float
    invoke_ms: float
    move_ms: float
    bare_ms: float
    loop_ms: float
    loop_p95_ms: float
    ratio: float
    ratio_low: float
    ratio_high: float
    own_ms: float
    fresh_seconds: float
    fresh_peak_mb: float
    samples: tuple[Sample, ...]


def measure_loop(
    bundle: Bundle,
    way: Candidate,
    threads: int,
    images: Sequence[Image],
    seconds: float,
) -> LoopCost:
    """Measure the live loop around an engine.

    Args:
        bundle: the model.
        way: what runs it; already proven.
        threads: CPU threads of the model.
        images: uint8 BGR frames of one size, decoded.
        seconds: how long the pairs go on; half an hour shows what heat does.
    """
    with overheard():
        checked = checked_engine(bundle, way, threads)
    engine, manifest = checked.engine, bundle.manifest
    height, width = images[0].shape[:2]
    # Parts first: what follows may heat the machine.
    prepared, state = prepare(images[0], manifest.preprocessing), engine.zero_state()
    engine.step(prepared, state)
    prepare_ms = _median_ms(lambda: prepare(images[0], manifest.preprocessing))
    invoke_ms = _median_ms(engine.bare_invoke)
    move_ms = max(0.0, _median_ms(lambda: engine.step(prepared, state)) - invoke_ms)
    with Path(os.devnull).open("wb") as nowhere:
        sink = JsonLines(nowhere, manifest.labels, prompt=True)
        classifier = reader_of(engine, manifest, manifest.decision, live=True)
        loop = Loop(classifier, [sink], manifest.frame_rate, lambda sentence: None)
        bare, whole, samples = _pairs(bundle, engine, loop, images, seconds)
    ratios = sorted(b / a for a, b in zip(bare, whole, strict=True))
    low, middle, high = (
        statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    )
    fresh = [_fresh(bundle, way, threads, images[0]) for _ in range(_FRESH)]
    return LoopCost(
        frame_size=f"{width}x{height}",
        pairs=len(ratios),
        load_ms=checked.load_ms,
        first_ms=checked.first_ms,
        prepare_ms=prepare_ms,
        invoke_ms=invoke_ms,
        move_ms=move_ms,
        bare_ms=statistics.median(bare),
        loop_ms=statistics.median(whole),
        loop_p95_ms=sorted(whole)[int(0.95 * (len(whole) - 1))],
        ratio=middle,
        ratio_low=low,
        ratio_high=high,
        own_ms=statistics.median(b - a for a, b in zip(bare, whole, strict=True)),
        fresh_seconds=statistics.median(seconds for seconds, _ in fresh),
        fresh_peak_mb=max(peak for _, peak in fresh),
        samples=tuple(samples),
    )


def _pairs(
    bundle: Bundle, engine: Engine, loop: Loop, images: Sequence[Image], seconds: float
) -> tuple[list[float], list[float], list[Sample]]:
    """Milliseconds of each bare frame and of the loop's frame beside it, and how it went on."""
    preprocessing = bundle.manifest.preprocessing
    period = 1.0 / (bundle.manifest.frame_rate or 10.0)

    def bare(image: Image) -> float:
        began = time.perf_counter()
        prepare(image, preprocessing)
        engine.bare_invoke()
        return _since_ms(began)

    def whole(image: Image, count: int) -> float:
        # As far apart as the model was trained: none is left out, nothing is reset.
        frame = Frame(image, count, count * period, time.monotonic())
        began = time.perf_counter()
        loop.feed(frame)
        return _since_ms(began)

    kept: list[tuple[float, float]] = []
    samples: list[Sample] = []
    began, stretch = time.monotonic(), max(_STRETCH, seconds / _SAMPLES)
    count = -_WARM
    while count <= 0 or time.monotonic() < began + seconds:
        pairs: list[tuple[float, float]] = []
        until = min(time.monotonic() + stretch, began + seconds)
        while not pairs or count <= 0 or time.monotonic() < until:
            number = count + _WARM
            first, second = pictures_of(number, images)
            # Each comes first as often as the other.
            if number % 2:
                after = whole(first, number)
                pair = (bare(second), after)
            else:
                pair = (bare(first), whole(second, number))
            count += 1
            if count > 0:
                pairs.append(pair)
        samples.append(_sample(time.monotonic() - began, pairs))
        # Half an hour is ten million pairs on a fast machine: every n-th says as much.
        kept += pairs[:: 1 + len(pairs) * _SAMPLES // _MOST_PAIRS]
    if loop.paced_out or loop.classifier.resets:
        raise RuntimeError("the loop left out frames that it was to be measured on")
    return [one for one, _ in kept], [other for _, other in kept], samples


def pictures_of(pair: int, images: Sequence[Image]) -> tuple[Image, Image]:
    """The two pictures of a pair: all of them are read before one is read again."""
    return images[2 * pair % len(images)], images[(2 * pair + 1) % len(images)]


def _sample(at: float, pairs: Sequence[tuple[float, float]]) -> Sample:
    """What came since the last one, and a look at the machine."""
    machine = read_machine()
    return Sample(
        at=at,
        frames=len(pairs),
        bare_ms=statistics.median(one for one, _ in pairs),
        loop_ms=statistics.median(other for _, other in pairs),
        megahertz=machine.megahertz,
        celsius=machine.celsius,
        throttled=machine.throttled,
    )


def _fresh(bundle: Bundle, way: Candidate, threads: int, image: Image) -> tuple[float, float]:
    """Seconds and peak MB of a process that classifies one picture."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        cv2.imwrite(str(picture), image)
        words = [str(bundle.path), json.dumps(dataclasses.asdict(way)), str(threads), str(picture)]
        words.append(repr(time.monotonic()))
        command = module_words("edgecrnn.runtime.first_answer", *words)
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
