"""Gives a recorded clip to a model again: frame for frame, the decisions that were given live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Memory, conclude, named, start
from edgecrnn.runtime.clip import STARTS, Clip, Moment
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.runtime.preprocess import prepare


@dataclass(frozen=True)
class Replayed:
    """One frame, decided again; `apart` is how far the score or any of the scores is off."""

    moment: Moment
    label: str
    score: float
    scores: tuple[float, ...]
    apart: float

    def agrees(self, tolerance: float) -> bool:
        """Whether the decision is the same, its scores within `tolerance`."""
        return self.label == self.moment.label and self.apart <= tolerance


def same_model(bundle: Bundle, variant: str, clip: Clip) -> bool:
    """Whether the clip was decided by this very model."""
    return bundle.manifest.files.get(bundle.variant(variant).file) == clip.head.model


def replay(bundle: Bundle, engine: Engine, clip: Clip) -> Iterator[Replayed]:
    """Decide each frame of the clip again, by the rule that was in use when it was recorded.

    The memory that the clip begins with is the model's own: another model begins with none.

    Raises:
        EdgecrnnError: a picture is damaged or is not what the model reads, or the labels differ.
    """
    manifest = bundle.manifest
    if manifest.labels != clip.head.labels:
        raise EdgecrnnError(
            f"{clip.folder}: expected a clip of the labels {', '.join(manifest.labels)}, got "
            f"{', '.join(clip.head.labels)}; give the bundle that decided it"
        )
    same = same_model(bundle, engine.variant, clip)
    memory = start(engine)
    for moment in clip.moments:
        if moment.fresh or (moment.start is not None and not same):
            memory = start(engine)
        elif moment.start is not None:
            memory = _checked(moment.start, memory, clip)
        prepared = prepare(read_picture(clip.folder / moment.picture), manifest.preprocessing)
        scores, decision, memory = conclude(engine, clip.head.decision, prepared, memory)
        pairs = zip((*scores, decision.score), (*moment.scores, moment.score), strict=True)
        apart = max(abs(now - live) for now, live in pairs)
        yield Replayed(moment, named(decision, manifest.labels), decision.score, scores, apart)


def _checked(memory: Memory, other: Memory, clip: Clip) -> Memory:
    """A memory that was read from a file, if it has the form of the model's own."""
    forms = [
        {name: (a.shape, a.dtype) for name, a in each.state.items()} for each in (memory, other)
    ]
    smoothed = memory.decision.smoothed
    if forms[0] != forms[1] or len(smoothed or clip.head.labels) != len(clip.head.labels):
        raise EdgecrnnError(
            f"{clip.folder / STARTS}: expected the memory of the model that decided the clip, got "
            "another; copy the clip again"
        )
    return memory
