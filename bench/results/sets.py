"""What is trained on each set: our flags, and what the peers take over of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Set:
    """A data folder and our settings for it; frame sizes are width x height."""

    name: str
    size: tuple[int, int]
    flags: tuple[str, ...]  # of `edgecrnn train`, beside --size
    frame_rate: float | None = None
    flip: bool = False  # whether a mirrored picture keeps its class
    turn: float = 0.0  # degrees that pictures are turned by at most
    balanced: bool = False
    # Where there is no test split: val is the test, and a tenth of train chooses the epoch.
    test_is_val: bool = False


SETS = (
    Set("hand_digits", (64, 64), ()),
    Set(
        "trashnet6", (96, 96),
        ("--epochs", "40", "--flip", "horizontal", "--turn", "30"),
        flip=True, turn=30.0,
    ),
    Set("body_pose", (64, 64), (), test_is_val=True),
    Set(
        "tank_state", (64, 48),
        ("--frame-rate", "5", "--epochs", "25", "--batch", "8", "--balanced"),
        frame_rate=5.0, balanced=True,
    ),
    Set(
        "wagon_direction", (88, 64),
        ("--epochs", "48", "--batch", "8", "--flip", "horizontal", "--dropout", "0.1",
         "--encoder", "anywhere"),
        flip=True,
    ),
    Set("railcar_multilabel", (64, 64), ("--epochs", "40")),
)  # fmt: skip


def set_named(name: str) -> Set:
    """The set of that name."""
    return next(each for each in SETS if each.name == name)
