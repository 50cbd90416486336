"""MobileNetV3-Small (Howard et al., 2019) from keras.applications, its weights learned or not."""

from __future__ import annotations

from typing import Any

import keras

from edgecrnn.train.encoders._backbone import backbone_encoder

REDUCTION = 32
DEFAULTS = {"units": 64, "layers": 1, "motion": False, "dropout": 0.3}
PRETRAINED = True


def build(input_shape: tuple[int, int, int], width: float, weights: str = "") -> Any:
    """float32 [batch, h, w, channels] to [batch, h / 32, w / 32, 64] and an average over places."""

    def make(frame: Any, chosen: str | None) -> Any:
        return keras.applications.MobileNetV3Small(
            input_tensor=frame, include_top=False, weights=chosen, alpha=width,
            include_preprocessing=False,
        )  # fmt: skip

    return backbone_encoder(make, input_shape, weights)
