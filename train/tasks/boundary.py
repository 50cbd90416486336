"""The edges of what a noisy picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.measures.edges import best_f1, edge_counts
from edgecrnn.train.tasks import Example, HeadShape, Truth
from edgecrnn.train.tasks._pixels import same_shape

WHAT = "the edges of what a noisy picture shows"
HEAD, NEEDS, ANSWER, FLIPS = "picture", "", "edges", True
MEASURES = ("f1",)
COST = 0.05


@dataclass(frozen=True)
class Settings:
    """The noise; and what counts as an edge, found in the clean picture (Canny, 1986)."""

    noise: float = setting(
        25.0, "standard deviation of the noise", unit="levels of 255", least=0, most=100
    )
    low: float = setting(100.0, "an edge goes on above this gradient", least=1, most=2000)
    high: float = setting(200.0, "an edge begins above this gradient", least=1, most=2000)

    def __post_init__(self) -> None:
        check(self)
        if self.high < self.low:
            raise EdgecrnnError(f"high: expected at least low ({self.low:g}), got {self.high:g}")


frame_shape = same_shape


def head_shape(settings: Settings, channels: int, classes: int) -> HeadShape:
    """How surely each pixel is an edge."""
    return HeadShape(1, form="each")


def example(
    settings: Settings, picture: npt.NDArray[np.uint8], truth: Truth, rng: np.random.Generator
) -> Example:
    """The picture with noise, the edges without."""
    edges = cv2.Canny(np.ascontiguousarray(picture), settings.low, settings.high, L2gradient=True)
    noisy = picture + rng.normal(0.0, settings.noise, picture.shape)
    frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return Example(frame, (edges[..., None] > 0).astype(np.float32))


def loss(settings: Settings, answer: Any, target: Any) -> Any:
    """Cross-entropy, edges and the rest weighed alike (Xie and Tu, 2015)."""
    from keras import ops

    answer = ops.clip(answer, 1e-6, 1.0 - 1e-6)
    share = ops.mean(target, axis=(1, 2, 3), keepdims=True)
    share = ops.clip(share, 0.02, 0.5)
    cost = -(1.0 - share) * target * ops.log(answer)
    cost -= share * (1.0 - target) * ops.log(1.0 - answer)
    return ops.mean(cost, axis=(1, 2, 3))


def notes(settings: Settings, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """Pixels found and right at each threshold, of each picture."""
    return [edge_counts(a[..., 0], t[..., 0] > 0.5) for a, t in zip(answers, targets, strict=True)]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """F1 at the one threshold that is best over all pictures."""
    return {"f1": best_f1(np.stack(noted))}
