"""What tasks share that answer with the picture that they should have been shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecrnn.train.measures.pictures import psnr, ssim

MEASURES = ("psnr", "ssim")


def same_shape(settings: Any, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """The frame's shape is the picture's."""
    return shape


def loss(settings: Any, answer: Any, target: Any) -> Any:
    """Charbonnier's: an absolute difference that is smooth at zero (Lai et al., 2017)."""
    from keras import ops

    difference = (answer - target) / 255.0
    return ops.mean(ops.sqrt(ops.square(difference) + 1e-6), axis=(1, 2, 3))


def notes(settings: Any, answers: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
    """(PSNR in dB, SSIM) of each picture, as it is shown: in whole levels."""
    return [
        (psnr(*pair), ssim(*pair))
        for pair in ((_levels(a), _levels(t)) for a, t in zip(answers, targets, strict=True))
    ]


def summary(noted: Sequence[Any]) -> dict[str, float]:
    """Their means."""
    means = np.mean(np.asarray(noted, np.float64), axis=0)
    return dict(zip(MEASURES, means.tolist(), strict=True))


def _levels(picture: Any) -> Any:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
