"""What can be chosen about the network."""

from __future__ import annotations

from dataclasses import dataclass

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

SEQUENCES = ("time", "columns", "patches")


@dataclass(frozen=True)
class NetworkSettings:
    """The CRNN: an encoder, LSTM layers over its steps, a dense head."""

    sequence: str = setting(
        "time",
        "what the LSTM steps over: frames of a clip, columns or square blocks of a picture",
        choices=SEQUENCES,
    )
    encoder: str = setting("light", "network that reads a frame: light or document")
    width: float = setting(1.0, "factor on the encoder's filters", least=0.1, most=8.0)
    units: int = setting(64, "LSTM units in each layer", unit="units", least=2, most=2048)
    layers: int = setting(1, "LSTM layers", least=1, most=4)
    motion: bool = setting(
        True, "also show the encoder the difference to the frame before (sequence time)"
    )
    blocks: int = setting(
        4, "blocks a side that a picture is cut into (sequence patches)", least=2, most=16
    )
    dropout: float = setting(
        0.2, "share of the LSTM's inputs and outputs dropped in training", least=0.0, most=0.9
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def sees_motion(self) -> bool:
        """Whether the frame before is part of the state."""
        return self.motion and self.sequence == "time"


def check_blocks(settings: NetworkSettings, height: int, width: int) -> None:
    """Refuse pictures that do not cut into equal blocks."""
    if settings.sequence == "patches" and (height % settings.blocks or width % settings.blocks):
        raise EdgecrnnError(
            f"blocks: expected a number that divides the frame's {height}x{width} pixels, "
            f"got {settings.blocks}; change --blocks, --height or --width"
        )
