"""Encoders read one frame; one file an encoder, its name is the file's name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest

# How layers are named that a backbone's encoder has of its own.
OWN = "place"


def encoder_names() -> tuple[str, ...]:
    """The names there are: every module of this package, those for sharing apart."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def encoder_defaults(name: str) -> dict[str, Any]:
    """The network settings (units, layers, motion, dropout) that go with the encoder."""
    return dict(_module(name).DEFAULTS)


def build_encoder(
    name: str, input_shape: tuple[int, int, int], width: float, weights: str = ""
) -> Any:
    """A Keras model from float32 [batch, h, w, channels] in 0..1 to what it reads there.

    Its outputs are a list: the feature map [batch, rows, columns, filters], and where the encoder
    has one a summary of the whole frame [batch, features].

    Args:
        name: one of `encoder_names()`.
        input_shape: (h, w, channels).
        width: factor on the number of filters.
        weights: learned elsewhere: "imagenet" or a file; "" for random ones.

    Raises:
        EdgecrnnError: there is no such encoder, or the input is too small for it.
    """
    module = _module(name)
    if min(input_shape[:2]) < module.REDUCTION:
        raise EdgecrnnError(
            f"encoder: {name} expected frames of at least {module.REDUCTION} pixels a side, "
            f"got {input_shape[0]}x{input_shape[1]}; use larger frames or fewer blocks"
        )
    if not weights:
        return module.build(input_shape, width)
    if not getattr(module, "PRETRAINED", False):
        known = [one for one in encoder_names() if hasattr(_module(one), "PRETRAINED")]
        raise EdgecrnnError(
            f"weights: expected none for the encoder {name}, got {weights!r}; the encoders that "
            f"take them are {', '.join(known)}"
        )
    return module.build(input_shape, width, weights)


def learned_weights(encoder: Any) -> list[Any]:
    """The variables of a backbone; what was put behind it (layers named place...) is left out."""
    return [w for layer in encoder.layers if not layer.name.startswith(OWN) for w in layer.weights]


def check_encoder(name: str) -> None:
    """Raise `EdgecrnnError` where there is no encoder of that name."""
    if name not in encoder_names():
        raise EdgecrnnError(
            f"encoder: expected one of {', '.join(encoder_names())}, got {name!r}"
            f"{nearest(name, encoder_names())}"
        )


def _module(name: str) -> Any:
    check_encoder(name)
    return importlib.import_module(f"{__name__}.{name}")
