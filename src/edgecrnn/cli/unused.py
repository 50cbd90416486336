"""Flags that nothing would come of beside the others: refused, for whoever gives one expects it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgecrnn.cli.flags import flag
from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from edgecrnn.train.plan import Plan

_OF_STREAMS = ("frame_rate", "window", "warmup", "reset_every", "motion")


def refuse_unused(args: argparse.Namespace, plan: Plan, kind: str) -> None:
    """Refuse them; what a file of --config says may serve several trainings and is let be.

    Args:
        args: what the parser returned, the file's settings put in.
        plan: that was made of it.
        kind: pictures or clips.
    """
    of_file = getattr(args, "of_file", ())
    for name, expected in _unused(plan, kind).items():
        if hasattr(args, name) and name not in of_file:
            raise EdgecrnnError(f"{flag(name)}: expected {expected}; leave it out")


def _unused(plan: Plan, kind: str) -> dict[str, str]:
    """Settings without an effect, and what was expected."""
    unused: dict[str, str] = {}
    if kind == "pictures":
        unused.update(dict.fromkeys(_OF_STREAMS, "clips, which it is for, got pictures"))
    if plan.network.sequence != "patches":
        unused["blocks"] = f"--sequence patches beside it, got {plan.network.sequence}"
    if not plan.train.quantization_aware:
        unused["quantization_epochs"] = "--quantization-aware beside it, got none"
    if not plan.train.teacher:
        unused.update(
            dict.fromkeys(("distillation", "temperature"), "--teacher beside it, got none")
        )
    return unused
