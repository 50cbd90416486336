"""What can be chosen about the network."""

from __future__ import annotations

from dataclasses import dataclass

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting
from edgecrnn.train.encoders import encoder_defaults

# By how much the smallest map of a picture task is smaller than the frame.
REDUCTION = 8
SEQUENCES = ("time", "columns", "patches")


@dataclass(frozen=True)
class NetworkSettings:
    """The CRNN: an encoder, LSTM layers over its steps, a dense head."""

    sequence: str = setting(
        "time",
        "what the LSTM steps over: frames of a clip, columns or square blocks of a picture",
        choices=SEQUENCES,
    )
    encoder: str | None = setting(
        None,
        "network that reads a frame: light (for clips and patches where not given), anywhere (for "
        "clips of few recordings), plain (for columns), document, or a backbone such as "
        "mobilenet_v3_small",
    )
    weights: str = setting(
        "", "what a backbone learned elsewhere: imagenet (downloaded by Keras) or a .weights.h5"
    )
    width: float = setting(1.0, "factor on the encoder's filters", least=0.1, most=8.0)
    units: int | None = setting(
        None, "LSTM units in each layer; the encoder's own where not given", least=2, most=2048
    )
    layers: int | None = setting(
        None, "LSTM layers; the encoder's own where not given", least=1, most=4
    )
    cell_clip: float = setting(
        1.0, "bound on the LSTM's cell state, either way; 0 for none", least=0.0, most=100.0
    )
    motion: bool | None = setting(
        None, "also show the encoder the difference to the frame before (sequence time)"
    )
    blocks: int = setting(
        4, "blocks a side that a picture is cut into (sequence patches)", least=2, most=16
    )
    dropout: float | None = setting(
        None, "share of the LSTM's inputs and outputs dropped in training", least=0.0, most=0.9
    )
    readout: str | None = setting(
        None,
        "what of the LSTM names the class: its last step, or the mean of all, which is for "
        "pictures and what they get where not given",
        choices=("last", "mean"),
    )
    task: str | None = setting(
        None,
        "what it learns to answer: classify or multilabel, which follows from the data, or a task "
        "on pictures: denoise, segment, detect ... (docs/tasks.md)",
    )

    def __post_init__(self) -> None:
        check(self)

    def filled(self) -> FilledSettings:
        """The same with what was not given taken from the encoder's `DEFAULTS`."""
        encoder = self.encoder or ("plain" if self.sequence == "columns" else "light")
        own = {
            "encoder": encoder,
            "readout": "last" if self.sequence == "time" else "mean",
            "task": "classify",
            **encoder_defaults(encoder),
        }
        given = {name: value for name, value in vars(self).items() if value is not None}
        return FilledSettings(**{**own, **given})

    @property
    def sees_motion(self) -> bool:
        """Whether the frame before is part of the state."""
        return bool(self.motion) and self.sequence == "time"


@dataclass(frozen=True)
class FilledSettings(NetworkSettings):
    """Settings that leave nothing open; the values here are those of runs that do not say."""

    encoder: str = "light"
    units: int = 64
    layers: int = 1
    motion: bool = False
    dropout: float = 0.0
    readout: str = "last"
    task: str = "classify"


def check_blocks(settings: NetworkSettings, height: int, width: int) -> None:
    """Refuse pictures that do not cut into equal blocks."""
    if settings.sequence == "patches" and (height % settings.blocks or width % settings.blocks):
        raise EdgecrnnError(
            f"blocks: expected a number that divides the frame's {height}x{width} pixels, "
            f"got {settings.blocks}; change --blocks or --size"
        )


def check_frame(height: int, width: int) -> None:
    """Refuse frames that cannot be halved three times and cut into blocks."""
    if height % REDUCTION or width % REDUCTION or min(height, width) < 2 * REDUCTION:
        raise EdgecrnnError(
            f"size: expected frames whose width and height {REDUCTION} divides, {2 * REDUCTION} "
            f"pixels or more, got {width}x{height}; change --size"
        )
