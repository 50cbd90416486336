"""What each variant lost, measured over the same held-out stream in the interpreter."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.flatbuffer import operators
from edgecrnn.convert.recipe import Recipe
from edgecrnn.convert.versions import least_runtime
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.fit import misfit
from edgecrnn.train.predictors import BundlePredictor

Scores = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_TENTHS = 10
# Frames timed for the figure of a frame's time; the median of blocks is given.
_TIMED_BLOCKS, _BLOCK = 20, 20
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Bounds:
    """How much a variant may lose before it is not shipped."""

    accuracy_drop: float  # points of stream accuracy below Keras float, in percent
    agreement: float  # least share of counted frames with the same decision as Keras float


@dataclass(frozen=True)
class Finding:
    """One variant against the Keras model. `refused` says why it is not shipped, or is empty."""

    variant: str
    decodes: str
    bytes: int
    accuracy: float  # share of counted frames that are right
    agreement: float  # share of counted frames whose decision is the Keras model's
    agreement_tflite: float  # and whose decision is the float32 variant's
    worst_class: str  # the class whose accuracy fell most
    worst_drop: float  # and by how many points, in percent
    mean_difference: float  # of the scores
    largest_difference: float
    drift: tuple[float, ...]  # agreement in each tenth of the stream, counted frames
    operators: dict[str, int]  # "CONV_2D v3": how many
    operator: str  # the one that asks for the newest runtime
    runtimes: Mapping[str, str]  # package to its least version that has them all
    delegated: int  # operators that the CPU delegate took
    left: dict[str, int]  # operators that it left to the interpreter: how many
    partitions: int  # pieces that the delegate took
    milliseconds: float  # median time of a bare invoke on the machine that converted, one thread
    refused: str


@dataclass(frozen=True)
class Reference:
    """The Keras model's scores along the held-out stream."""

    frames: npt.NDArray[np.uint8]  # [time, h, w, channels]
    labels: Ints | Bools  # [time], or which of them are true: [time, labels]
    counted: Bools  # [time], False in the warm-up after a change of class
    scores: Scores  # [time, classes]
    thresholds: tuple[float, ...] = ()  # of the labels, where several may be true

    @property
    def truth(self) -> Bools:
        """What is true at each frame, bool [time, labels]."""
        if self.labels.ndim == 2:
            return self.labels.astype(np.bool_)
        return _only(self.labels.astype(np.int64), self.scores.shape[1])

    def answers(self, scores: Scores) -> Bools:
        """What is answered at each frame, bool [time, labels]: one of them, or any number."""
        if not self.thresholds:
            return _only(scores.argmax(1).astype(np.int64), scores.shape[1])
        return scores >= np.array(self.thresholds)

    @property
    def accuracy(self) -> float:
        """Share of the counted frames that Keras answers rightly."""
        return _share(_same(self.answers(self.scores), self.truth)[self.counted])


def _only(numbers: Ints, labels: int) -> Bools:
    return np.eye(labels, dtype=np.bool_)[numbers]


def _same(some: Bools, others: Bools) -> Bools:
    """Whether two answers are the same in all labels: bool [time]."""
    return np.asarray((some == others).all(axis=1))


def examine(
    model: bytes,
    recipe: Recipe,
    labels: tuple[str, ...],
    reference: Reference,
    bounds: Bounds,
    runtime: tuple[str, str],
    exact: Scores | None = None,
) -> tuple[Finding, Scores]:
    """Run the variant over the reference stream, its state carried, and compare.

    Args:
        model: the variant.
        recipe: that made it.
        labels: in the order of the scores.
        reference: the stream, and the Keras model's scores along it.
        bounds: how much may be lost.
        runtime: package and version that the device has.
        exact: the float32 variant's scores; None where this is it.

    Returns:
        the finding, and the scores float32 [time, classes].
    """
    engine = Engine(model, labels, recipe.name)
    scores = run_stream(engine, reference.frames)
    decided = reference.answers(scores)
    # In the warm-up after a change of class both are guessing; it is answered with unknown.
    same = _same(decided, reference.answers(reference.scores))[reference.counted]
    floats = reference.answers(scores if exact is None else exact)
    as_float = _same(decided, floats)[reference.counted]
    difference = np.abs(scores - reference.scores)
    accuracy = _share(_same(decided, reference.truth)[reference.counted])
    worst, drop = _worst_class(scores, labels, reference)
    taken, left, partitions = engine.placement()
    need = least_runtime(model)
    reasons = [
        *_losses(accuracy, _share(same), reference, bounds),
        misfit(need.operator, need.least, *runtime),
    ]
    finding = Finding(
        variant=recipe.name,
        decodes=recipe.decodes,
        bytes=len(model),
        accuracy=accuracy,
        agreement=_share(same),
        agreement_tflite=_share(as_float),
        worst_class=worst,
        worst_drop=drop,
        mean_difference=float(difference.mean()),
        largest_difference=float(difference.max()),
        drift=tuple(_share(part) for part in np.array_split(same, min(_TENTHS, len(same)))),
        operators=dict(Counter(f"{op} v{version}" for op, version in operators(model))),
        operator=need.operator,
        runtimes=need.least,
        delegated=len(taken),
        left=dict(Counter(left)),
        partitions=partitions,
        milliseconds=timed_invoke(engine),
        refused="; ".join(reason for reason in reasons if reason),
    )
    return finding, scores


def run_stream(engine: Engine, frames: npt.NDArray[np.uint8]) -> Scores:
    """Scores float32 [time, classes] of frames that follow each other, from a zero state."""
    return BundlePredictor(engine).scores(frames, None)[0]


def _losses(accuracy: float, agreement: float, reference: Reference, bounds: Bounds) -> list[str]:
    drop = 100 * (reference.accuracy - accuracy)
    reasons = []
    # A drop of just the bound is allowed, whatever the last digits of the subtraction say.
    if drop > bounds.accuracy_drop + _ROUNDING:
        reasons.append(
            f"accuracy fell by {drop:.2f} points, at most {bounds.accuracy_drop:g} allowed"
        )
    if agreement < bounds.agreement - _ROUNDING:
        reasons.append(
            f"agrees on {agreement:.2%} of frames, at least {bounds.agreement:.2%} required"
        )
    return reasons


def _worst_class(
    scores: Scores, labels: tuple[str, ...], reference: Reference
) -> tuple[str, float]:
    """The class that lost most, and its drop in points."""
    drops = []
    truth = reference.truth
    answers = [reference.answers(each) for each in (reference.scores, scores)]
    for index in range(len(labels)):
        of_class = reference.counted & truth[:, index]
        before, after = (_share(each[of_class, index]) for each in answers)
        drops.append(100 * (before - after))
    worst = int(np.argmax(drops))
    return labels[worst], float(drops[worst])


def timed_invoke(engine: Engine) -> float:
    """Median milliseconds of a bare invoke."""
    blocks = []
    for _ in range(_TIMED_BLOCKS):
        started = time.perf_counter()
        for _ in range(_BLOCK):
            engine.bare_invoke()
        blocks.append((time.perf_counter() - started) / _BLOCK * 1000)
    return float(np.median(blocks))


def _share(right: npt.NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 0.0
