"""`train --budget "5 ms raspberry-pi-5"`: the widest network that a board has the time for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from edgecrnn.train.network.settings import NetworkSettings

_FORM = re.compile(r"\s*([0-9.]+)\s*ms\s+(?:at\s+([0-9.]+)\s*M|([A-Za-z0-9][\w-]*))\s*", re.ASCII)
_LEAST, _MOST, _STEP = 0.1, 8.0, 0.05


@dataclass(frozen=True)
class Budget:
    """A time for a frame, and how fast the board is."""

    milliseconds: float
    rate: float  # million multiply-adds a millisecond
    said: str  # where the rate is from

    @property
    def multiply_adds(self) -> int:
        """That fit into the time."""
        return int(self.milliseconds * self.rate * 1e6)


def read_budget(text: str) -> Budget:
    """`5 ms PROFILE`, or `5 ms at 12 M` for 12 million multiply-adds a millisecond.

    Raises:
        EdgecrnnError: it is not of that form, or nobody has measured that board.
    """
    match = _FORM.fullmatch(text)
    if match is None or not 0 < _number(match[1]) < 1e6:
        raise EdgecrnnError(
            f"--budget: expected a time and a board, as in '5 ms linux-x86_64', or a rate of "
            f"multiply-adds, as in '5 ms at 12 M' (a millisecond), got {text!r}"
        )
    milliseconds = _number(match[1])
    if match[2] is not None:
        if not 0 < _number(match[2]) < 1e9:
            raise EdgecrnnError(f"--budget: expected a rate above 0, got {match[2]!r}")
        return Budget(milliseconds, _number(match[2]), "as given")
    from edgecrnn.devices.profile import load_profile

    profile = load_profile(match[3])
    if profile.multiply_adds is None:
        raise EdgecrnnError(
            f"--budget: expected a board whose speed has been measured, got {profile.name}, on "
            "which nobody has; run edgecrnn bench on it with a bundle and give the rate, as in "
            f"'{milliseconds:g} ms at 12 M'"
        )
    return Budget(milliseconds, profile.multiply_adds, f"measured on {profile.title}")


def widest(
    settings: NetworkSettings, budget: Budget, cost: Callable[[NetworkSettings], int]
) -> tuple[float, int]:
    """The largest width, in steps of 0.05, whose network fits; and its multiply-adds.

    Args:
        settings: the network, whatever its width.
        budget: the time.
        cost: multiply-adds of a network of these settings.

    Raises:
        EdgecrnnError: even the narrowest does not fit.
    """

    def of_width(steps: int) -> int:
        return cost(dataclasses.replace(settings, width=round(steps * _STEP, 2)))

    low, high = round(_LEAST / _STEP), round(_MOST / _STEP)
    if (least := of_width(low)) > budget.multiply_adds:
        raise EdgecrnnError(
            f"--budget: expected time for {least / 1e6:.2f} million multiply-adds, which the "
            f"narrowest network needs, got {budget.multiply_adds / 1e6:.2f} million in "
            f"{budget.milliseconds:g} ms ({budget.said}); give more time or a smaller --size"
        )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if of_width(middle) <= budget.multiply_adds else (low, middle)
    if of_width(high) <= budget.multiply_adds:
        low = high
    return round(low * _STEP, 2), of_width(low)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
