"""EfficientNetV2-B0 (Tan and Le, 2021) from keras.applications, its weights learned or not."""

from __future__ import annotations

from typing import Any

import keras

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.encoders._backbone import backbone_encoder

REDUCTION = 32
DEFAULTS = {"units": 64, "layers": 1, "motion": False, "dropout": 0.3}
PRETRAINED = True


def build(input_shape: tuple[int, int, int], width: float, weights: str = "") -> Any:
    """float32 [batch, h, w, channels] to [batch, h / 32, w / 32, 64] and an average over places."""
    if width != 1.0:
        raise EdgecrnnError(
            f"width: expected 1 for efficientnet_v2_b0, which has one size, got {width:g}"
        )

    def make(frame: Any, chosen: str | None) -> Any:
        return keras.applications.EfficientNetV2B0(
            input_tensor=frame, include_top=False, weights=chosen,
            include_preprocessing=False,
        )  # fmt: skip

    return backbone_encoder(make, input_shape, weights)
