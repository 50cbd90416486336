"""What is trained on each set: our flags, and what the peers take over of them."""

from __future__ import annotations

import argparse
import functools
from dataclasses import dataclass

from edgecrnn.cli.train import add_choices, plan_of
from edgecrnn.train.plan import Plan


@dataclass(frozen=True)
class Set:
    """A data folder and our settings for it; frame sizes are width x height."""

    name: str
    size: tuple[int, int]
    flags: tuple[str, ...]  # of `edgecrnn train`, beside --size
    frame_rate: float | None = None
    # Where there is no test split: val is the test, and a tenth of train chooses the epoch.
    test_is_val: bool = False


SETS = (
    Set("hand_digits", (64, 64), ()),
    Set(
        "trashnet6", (96, 96),
        ("--epochs", "80", "--flip", "horizontal", "--turn", "180"),
    ),
    Set(
        "body_pose", (64, 64),
        ("--epochs", "60", "--turn", "10", "--shift", "0.1", "--zoom-out", "0.3", "--tint", "0.2",
         "--balanced"),
        test_is_val=True,
    ),
    Set(
        "tank_state", (64, 48),
        ("--frame-rate", "5", "--epochs", "25", "--batch", "8", "--balanced"),
        frame_rate=5.0,
    ),
    Set(
        "wagon_direction", (88, 64),
        ("--epochs", "48", "--batch", "8", "--flip", "horizontal", "--dropout", "0.1",
         "--encoder", "anywhere"),
    ),
    Set("railcar_multilabel", (64, 64), ("--epochs", "40")),
)  # fmt: skip


def set_named(name: str) -> Set:
    """The set of that name."""
    return next(each for each in SETS if each.name == name)


@functools.cache
def choices_of(chosen: Set, kind: str) -> Plan:
    """Every choice that our flags make for data of that kind; peers take the augmentation."""
    parser = argparse.ArgumentParser()
    add_choices(parser)
    return plan_of(parser.parse_args(chosen.flags), kind)
