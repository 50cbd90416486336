"""Judges a predictor on a split: each clip from zero, and all of them as one endless stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.evaluation import metrics
from edgecrnn.train.evaluation.deciding import (
    CurvePoint,
    DecidedScores,
    decided_scores,
    joined_clips,
    picture_decisions,
    precision_coverage,
    replay,
)
from edgecrnn.train.evaluation.predictor import Predictor
from edgecrnn.train.evaluation.result import (
    BaselineScores,
    ClassScores,
    ClipScores,
    Detail,
    Evaluation,
    StreamScores,
    Trace,
)
from edgecrnn.train.evaluation.streams import (
    BLOCK,
    Clips,
    blocks,
    clip_starts,
    counted_frames,
    counting,
    frame_labels,
    scores_along,
    stream_order,
    stream_scores,
)

Scores = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Advance = Callable[[int], None]
# Passes over the frames: clips, shuffled clips, stream, and the baseline's one.
_PASSES = 3


def evaluate(
    predictor: Predictor,
    store: Clips,
    labels: tuple[str, ...],
    kind: str,
    warmup: int,
    seed: int = 0,
    baseline: Predictor | None = None,
    progress: Callable[[int, int], None] | None = None,
    decision: DecisionSettings | None = None,
) -> Evaluation:
    """Clip and stream scores of `predictor`.

    A clip's answer is the largest mean score of its frames after the warm-up, from a zero state.
    On the stream every frame is an answer; the first `warmup` frames of it and after each change
    of class do not count.

    Args:
        predictor: the model.
        store: the clips; a picture is a clip of one frame.
        labels: the classes that the store's labels number.
        kind: pictures or clips; pictures have no stream.
        warmup: frames left out; for pictures it is 0 whatever is given.
        seed: of the stream's order, the shuffled frames and the bootstrap.
        baseline: a model without memory, judged over the same frames.
        progress: called with (frames read, frames to read).
        decision: the live loop's rule, judged beside the scores; None for none.

    Raises:
        EdgecrnnError: there is no clip, or the predictor knows other classes.
    """
    _check(predictor, store, labels)
    if baseline is not None:
        _check(baseline, store, labels)
    advance = _counter(store, kind, baseline is not None, progress)
    if kind == "pictures":
        per_picture = _picture_scores(predictor, store, advance)
        scores = tuple(per_picture[i : i + 1] for i in range(len(store)))
        predicted, shuffled, warmup = per_picture.argmax(axis=1), None, 0
        trace, stream = None, None
    else:
        scores = clips_scores(predictor, store, advance)
        predicted = clip_predictions(scores, warmup)
        shuffled = shuffled_accuracy(predictor, store, warmup, seed, advance)
        trace = _trace(predictor, store, warmup, seed, advance)
        stream = _stream(trace, store, predicted, seed)
    decided: DecidedScores | None = None
    curve: tuple[CurvePoint, ...] = ()
    if decision is not None and not decision.thresholds:
        decided, curve = _decided(decision, trace, joined_clips(scores, warmup), store, seed)
    right = predicted == store.labels
    confusion = metrics.confusion_matrix(store.labels, predicted, len(labels))
    clip = ClipScores(
        accuracy=metrics.accuracy(confusion),
        interval=metrics.share_interval(right, np.ones(len(right)), seed),
        balanced_accuracy=metrics.balanced_accuracy(confusion),
        count=len(store),
        shuffled_accuracy=shuffled,
        frame_accuracy=None if stream is None else _frame_accuracy(scores, store, warmup),
    )
    return Evaluation(
        kind=kind,
        labels=labels,
        warmup=warmup,
        seed=seed,
        clip=clip,
        stream=stream,
        classes=_classes(labels, confusion, trace),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        baseline=evaluate_baseline(baseline, store, kind, warmup, seed, advance)
        if baseline is not None
        else None,
        detail=Detail(scores, predicted, trace),
        decision=decision,
        decided=decided,
        curve=curve,
    )


def _decided(
    decision: DecisionSettings, trace: Trace | None, pictures: Scores, store: Clips, seed: int
) -> tuple[DecidedScores, tuple[CurvePoint, ...]]:
    """The rule along the stream; over pictures, which have none, its threshold alone."""
    if trace is not None:
        truth, counted, starts = trace.truth, trace.counted, clip_starts(store, trace.order)
        decided = replay(trace.scores, decision)
    else:
        truth, counted, starts = store.labels, np.ones(len(store), np.bool_), np.arange(len(store))
        decided = picture_decisions(pictures)
    scores = decided_scores(
        truth, counted, decided, decision.threshold, starts, trace is not None, seed
    )
    return scores, precision_coverage(truth, counted, decided)


def clips_scores(
    predictor: Predictor, store: Clips, advance: Advance = lambda frames: None
) -> tuple[Scores, ...]:
    """Scores of each clip from a zero state, float32 [time, classes] each."""
    return tuple(
        scores_along(predictor, blocks(store, np.array([i])), advance) for i in range(len(store))
    )


def clip_predictions(scores: Sequence[Scores], warmup: int) -> Ints:
    """The class of each clip, int64 [clips]."""
    means = [metrics.clip_scores(clip, warmup).argmax() for clip in scores]
    return np.array(means, np.int64)


def shuffled_accuracy(
    predictor: Predictor,
    store: Clips,
    warmup: int,
    seed: int,
    advance: Advance = lambda frames: None,
) -> float:
    """Clip accuracy where the frames of each clip come in a random order.

    A model that is as good like this has learned nothing of the order.
    """
    random = np.random.default_rng(seed)
    right = 0
    for index in range(len(store)):
        clip = store.clip(index)
        order = random.permutation(len(clip))
        pieces = (clip[order[start : start + BLOCK]] for start in range(0, len(clip), BLOCK))
        scores = scores_along(predictor, pieces, advance)
        right += int(metrics.clip_scores(scores, warmup).argmax() == store.labels[index])
    return right / len(store)


def evaluate_baseline(
    predictor: Predictor,
    store: Clips,
    kind: str,
    warmup: int,
    seed: int,
    advance: Advance = lambda frames: None,
) -> BaselineScores:
    """A predictor without memory over the very frames that the other numbers count."""
    if kind == "pictures":
        predicted = _picture_scores(predictor, store, advance).argmax(axis=1)
        return BaselineScores(float(np.mean(predicted == store.labels)), None)
    scores = clips_scores(predictor, store, advance)
    order = stream_order(store, seed)
    truth = frame_labels(store, order)
    decided = np.concatenate([scores[i].argmax(axis=1) for i in order.tolist()])
    counted = counted_frames(truth, warmup)
    return BaselineScores(
        clip_accuracy=float(np.mean(clip_predictions(scores, warmup) == store.labels)),
        stream_accuracy=_maybe(metrics.share_right(truth, decided, counted)),
    )


def _check(predictor: Predictor, store: Clips, labels: tuple[str, ...]) -> None:
    if len(store) == 0:
        raise EdgecrnnError("data: expected at least one clip or picture to judge, got none")
    if predictor.labels != labels:
        raise EdgecrnnError(
            f"labels: expected the model's classes {', '.join(predictor.labels)}, "
            f"got {', '.join(labels)}; give the data that the model was made for"
        )


def _counter(
    store: Clips, kind: str, baseline: bool, progress: Callable[[int, int], None] | None
) -> Advance:
    passes = (1 if kind == "pictures" else _PASSES) + baseline
    return counting(passes * int(store.starts[-1] - store.starts[0]), progress)


def _picture_scores(predictor: Predictor, store: Clips, advance: Advance) -> Scores:
    """Each picture for itself, float32 [pictures, classes]."""
    rows = []
    for start in range(0, len(store), BLOCK):
        last = min(start + BLOCK, len(store))
        frames = np.concatenate([store.clip(i) for i in range(start, last)])
        rows.append(predictor.scores(frames, None)[0])
        advance(len(frames))
    return np.concatenate(rows)


def _trace(predictor: Predictor, store: Clips, warmup: int, seed: int, advance: Advance) -> Trace:
    order = stream_order(store, seed)
    scores, truth = stream_scores(predictor, store, order, advance)
    return Trace(order, truth, scores, counted_frames(truth, warmup))


def _frame_accuracy(scores: Sequence[Scores], store: Clips, warmup: int) -> float | None:
    """Share right of the clips' frames after the warm-up, each an answer of its own."""
    pairs = zip(scores, store.labels.tolist(), strict=True)
    right = np.concatenate([clip[warmup:].argmax(axis=1) == label for clip, label in pairs])
    return float(right.mean()) if len(right) else None


def _stream(trace: Trace, store: Clips, predicted: Ints, seed: int) -> StreamScores:
    truth, counted = trace.truth, trace.counted
    decided = trace.scores.argmax(axis=1)
    delays = metrics.follow_delays(truth, decided)
    starts = clip_starts(store, trace.order)
    right = metrics.per_clip((truth == decided) & counted, starts)
    frames = metrics.per_clip(counted, starts)
    low, high = metrics.share_interval(right, frames, seed)
    clips_right = (predicted == store.labels)[trace.order]
    less, (least, most) = metrics.paired_difference(
        (right, frames), (clips_right, np.ones(len(clips_right))), seed
    )
    return StreamScores(
        accuracy=_maybe(metrics.share_right(truth, decided, counted)),
        interval=(_maybe(low), _maybe(high)),
        frames=len(truth),
        counted=int(counted.sum()),
        changes=len(delays),
        delay_median=metrics.delay_quantile(delays, 0.5),
        delay_p90=metrics.delay_quantile(delays, 0.9),
        never_followed=int(np.isinf(delays).sum()),
        flickers_per_1000=_maybe(metrics.flickers_per_1000(truth, decided, counted)),
        less_clips=_maybe(less),
        less_clips_interval=(_maybe(least), _maybe(most)),
    )


def _classes(
    labels: tuple[str, ...], confusion: Ints, trace: Trace | None
) -> tuple[ClassScores, ...]:
    scores = metrics.per_class(confusion)
    on_stream: list[Any] = [math.nan] * len(labels)
    if trace is not None:
        decided = trace.scores.argmax(axis=1)
        on_stream = [
            metrics.share_right(trace.truth, decided, trace.counted & (trace.truth == index))
            for index in range(len(labels))
        ]
    return tuple(
        ClassScores(
            label=label,
            precision=_maybe(scores.precision[index]),
            recall=_maybe(scores.recall[index]),
            f1=_maybe(scores.f1[index]),
            support=int(scores.support[index]),
            stream_accuracy=_maybe(on_stream[index]),
        )
        for index, label in enumerate(labels)
    )


def _maybe(value: Any) -> float | None:
    """NaN as None."""
    return None if math.isnan(value) else float(value)
