"""What a network learns; one file a task, its name is the file's name.

There are two families. A task of labels names what a stream shows: it says how its
logits become scores, what a frame costs while it is trained, and how much of a frame is right; its
targets are float32 [..., classes], 1.0 for each label that is true, shares where frames were mixed
or a teacher was asked. A task on pictures answers a picture with something else: it says which head
answers, how an example is made, what it costs, and how it is measured.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest

# Named here, so that asking which family a task is of loads no Keras.
LABEL_TASKS = ("classify", "multilabel")


class Task(Protocol):
    """A module of this package that names labels."""

    WHAT: str  # one line for a person

    def scores(self, logits: Any) -> Any:
        """Logits [..., classes] to scores in 0..1 of the same shape; part of what ships."""

    def loss(self, logits: Any, targets: Any, smoothing: float = 0.0) -> Any:
        """What each frame costs, float32 [...].

        Args:
            logits: float32 [..., classes].
            targets: float32 [..., classes].
            smoothing: share of the target that is spread over all answers.
        """

    def right(self, logits: Any, targets: Any) -> Any:
        """How much of each frame is right, 0 to 1, float32 [...]."""

    def apart(self, logits: Any, others: Any) -> Any:
        """How far two answers are from each other, float32 [...]; 0 where they are the same."""


class Truth(NamedTuple):
    """What the data says of a picture; what a task does not need is not read.

    Attributes:
        label: number of its class; -1 without.
        mask: class of each pixel, uint8 [height, width]; None without.
        boxes: (left, top, width, height, class) in pixels, float32 [boxes, 5]; None without.
    """

    label: int = -1
    mask: npt.NDArray[np.uint8] | None = None
    boxes: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class HeadShape:
    """What a task asks of its head; a head reads what concerns it.

    Attributes:
        channels: numbers a place, or numbers in all.
        scale: how many times larger than the frame a picture is.
        form: what the numbers are: pixels (0 to 255), change (pixels, as a change of the frame),
            holes (black pixels, as a change of what the others let guess), each (0 to 1, each for
            itself), one (0 to 1, adding up to one), unit (a vector of length one).
        numbers, levels, bits: a bottleneck's: how many numbers a place of 8x8 pixels, how many
            values each of them can take, and how many bits a pixel that may come to.
    """

    channels: int
    scale: int = 1
    form: str = "each"
    numbers: int = 0
    levels: int = 0
    bits: float = 0.0


class Example(NamedTuple):
    """What the network reads, and what it is to answer."""

    frame: npt.NDArray[np.uint8]  # [height, width, channels]
    target: Any  # float32; of a pair of tasks a tuple of two


class PictureTask(Protocol):
    """A module of this package that answers pictures with something else than labels.

    Attributes:
        WHAT: one line for a person.
        HEAD: which head answers, a module of `edgecrnn.train.network.heads`.
        NEEDS: what the data must say of its pictures: "", "classes", "masks" or "boxes".
        ANSWER: how a board tells and shows it, a module of `edgecrnn.runtime.answers`.
        FLIPS: whether a mirrored picture is as good as the picture.
        MEASURES: what it is judged by, the first one above all; more is better.
        COST: about what an answer costs once it is learned; two losses are weighed by it.
        Settings: what can be chosen, a frozen dataclass that checks itself.
    """

    WHAT: str
    HEAD: str
    NEEDS: str
    ANSWER: str
    FLIPS: bool
    MEASURES: tuple[str, ...]
    COST: float
    Settings: type[Any]

    def frame_shape(self, settings: Any, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """(height, width, channels) of the frame for pictures of that shape."""

    def head_shape(self, settings: Any, channels: int, classes: int) -> HeadShape:
        """What it asks of its head."""

    def example(
        self, settings: Any, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
    ) -> Example:
        """An example of the picture, uint8 [height, width, channels]."""

    def loss(self, settings: Any, answer: Any, target: Any) -> Any:
        """What each answer costs, float32 [batch], as part of a graph."""

    def notes(self, settings: Any, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
        """What `summary` needs to know of each picture; answers float32 without the batch."""

    def summary(self, notes: Sequence[Any]) -> dict[str, float]:
        """The MEASURES over those pictures."""


def task_names() -> tuple[str, ...]:
    """The names there are: every module of this package, those for sharing apart."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def check_task(name: str) -> None:
    """Raise `EdgecrnnError` where there is no task of that name; A+B are two over one encoder."""
    if "+" in name:
        from edgecrnn.train.pictures.pair import check_pair

        check_pair(name)
    elif name not in task_names():
        raise EdgecrnnError(
            f"task: expected one of {', '.join(task_names())}, got {name!r}"
            f"{nearest(name, task_names())}"
        )


def is_picture_task(name: str) -> bool:
    """Whether the task of that name answers with something else than labels.

    Raises:
        EdgecrnnError: there is none.
    """
    check_task(name)
    return name not in LABEL_TASKS


def task_of(name: str) -> Task:
    """The task of labels of that name.

    Raises:
        EdgecrnnError: there is none.
    """
    if is_picture_task(name):
        raise EdgecrnnError(
            f"task: expected one of {', '.join(LABEL_TASKS)} here, got {name!r}, which "
            "answers with something else than labels"
        )
    return cast(Task, _module(name))


def picture_task(name: str) -> PictureTask:
    """The task on pictures of that name.

    Raises:
        EdgecrnnError: there is none.
    """
    if not is_picture_task(name):
        raise EdgecrnnError(f"task: expected a task on pictures here, got {name!r}")
    if "+" in name:
        from edgecrnn.train.pictures.either import pair_of

        return pair_of(name)
    return cast(PictureTask, _module(name))


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")
