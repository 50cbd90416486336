"""How an answer that is no label is told and shown; one file a kind, which gives it its name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError

LABELS = "labels"
# Between two kinds: a frame of noise is answered by the first, any other by the second.
EITHER = "|"
Image = npt.NDArray[np.uint8]
# The output of the graph that each kind reads; and the kinds that name classes.
OUTPUT_OF = {
    "boxes": "grid", "edges": "map", "embedding": "vector", "picture": "picture",
    "label": "vector", "regions": "map", "value": "vector",
}  # fmt: skip
_NAMED = ("boxes", "embedding", "label", "regions")


class Told(NamedTuple):
    """An answer as a person and a program take it.

    Attributes:
        label: a word or two, for example "picture" or "3, 7".
        score: 0 to 1 where the answer is a value or has one, 1 otherwise.
        scores: 0 to 1 for each label of the model; () where it has none.
        view: the picture to show, uint8 BGR, made of the frame (uint8 BGR) when it is asked for.
        beside: whether the frame is worth showing beside it.
        boxes: (left, top, width, height, score, label's number), the first four as shares of the
            frame; () without.
        mask: number of the label of each pixel, uint8 [height, width]; None without.
    """

    label: str
    score: float
    scores: tuple[float, ...]
    view: Callable[[Image], Image]
    beside: bool = False
    boxes: tuple[tuple[float, ...], ...] = ()
    mask: npt.NDArray[np.uint8] | None = None


class Answer(Protocol):
    """A module of this package."""

    def told(self, answer: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Told:
        """What the model answered, float32 without a batch."""


def answer_names() -> tuple[str, ...]:
    """The kinds there are, labels too."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted((LABELS, *(name for name in names if not name.startswith("_")))))


def kinds_of(name: str) -> tuple[str, ...]:
    """The kinds that an answer is made of: A of A, A and B of A+B (both) and of A|B (either)."""
    return tuple(name.replace(EITHER, "+").split("+"))


def answer_of(name: str) -> Answer:
    """The kind of that name.

    Raises:
        EdgecrnnError: this edgecrnn has none, for example because the bundle is newer.
    """
    if name == LABELS or name not in answer_names():
        raise EdgecrnnError(
            f"answer: expected one of {', '.join(answer_names())}, got {name!r}; install the "
            "edgecrnn that made the bundle, or a newer one"
        )
    return cast(Answer, importlib.import_module(f"{__name__}.{name}"))


def teller_of(
    name: str,
) -> Callable[[Mapping[str, npt.NDArray[np.float32]], tuple[str, ...]], Told]:
    """Tells what a model answered, by the names of its outputs; `name` is a kind or A+B."""
    if "+" not in name:
        told = answer_of(name).told
        return lambda parts, labels: told(parts[OUTPUT_OF[name]], labels)
    first, second = (part for part in name.split("+"))

    def both(parts: Mapping[str, npt.NDArray[np.float32]], labels: tuple[str, ...]) -> Told:
        return joined(
            answer_of(first).told(parts[OUTPUT_OF[first]], () if first not in _NAMED else labels),
            answer_of(second).told(
                parts[OUTPUT_OF[second]], () if second not in _NAMED else labels
            ),
        )

    return both


def joined(first: Told, second: Told) -> Told:
    """Two answers as one: the second is drawn into what the first shows."""

    def view(frame: Image) -> Image:
        made = first.view(frame)
        # Small pictures are enlarged, so that names can be read.
        size = (frame.shape[1], frame.shape[0])
        return second.view(np.asarray(cv2.resize(made, size), np.uint8))

    label = f"{first.label}; {second.label}"
    scores = first.scores or second.scores
    score = second.score if first.beside else first.score
    boxes = first.boxes or second.boxes
    mask = second.mask if first.mask is None else first.mask
    return Told(label, score, scores, view, first.beside, boxes, mask)


def shown(told: Told, frame: Image) -> Image:
    """The picture for a person, uint8 BGR: the answer's view, beside the frame where that helps."""
    view = told.view(frame)
    if not told.beside:
        return view
    height = max(frame.shape[0], view.shape[0])
    both = [
        cv2.resize(each, (max(1, round(each.shape[1] * height / each.shape[0])), height))
        for each in (frame, view)
    ]
    return np.asarray(np.hstack(both), np.uint8)
