"""What a `.keras` file does not say of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

_SIZE = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})")


@dataclass(frozen=True)
class ForeignSettings:
    """A Keras model from elsewhere: what its file does not say."""

    pixels: tuple[float, float] | None = setting(
        None,
        "what the model expects black and white to be: 0 255, 0 1 or -1 1; needed unless it begins "
        "with a layer that scales 0 to 255 itself",
    )
    imagenet: str = setting(
        "none",
        "instead of --pixels: as keras.applications prepares pixels: caffe (ResNet50, VGG) or "
        "torch (DenseNet)",
        choices=("none", "caffe", "torch"),
    )
    size: str = setting("", "frame WxH of a model that reads any size, for example 96x96")
    fit: str = setting(
        "stretch",
        "how another aspect ratio is made to fit: stretch it, crop its centre, pad it with black",
        choices=("stretch", "crop", "pad"),
    )
    frame_rate: float | None = setting(
        None,
        "rate that a model of clips was trained at; needed for one",
        unit="frames a second",
        least=0.1,
        most=240,
    )

    def __post_init__(self) -> None:
        check(self)
        if self.size and not _SIZE.fullmatch(self.size):
            raise EdgecrnnError(
                f"size: expected WIDTHxHEIGHT, for example 96x96, got {self.size!r}"
            )
        if self.pixels is not None and not self.pixels[0] < self.pixels[1]:
            low, high = self.pixels
            raise EdgecrnnError(
                f"pixels: expected black and then white, for example -1 1, got {low:g} {high:g}"
            )
        if self.pixels is not None and self.imagenet != "none":
            raise EdgecrnnError("pixels: expected either --pixels or --imagenet, got both")

    @property
    def width_height(self) -> tuple[int, int] | None:
        """The size asked for, (width, height) in pixels; None where none is."""
        found = _SIZE.fullmatch(self.size)
        return (int(found.group(1)), int(found.group(2))) if found else None
