"""How a fleet is flashed: waves and when to stop; and what it came to, board by board."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgecrnn.devices.flash_settings import Flashed, FlashSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, setting

State = Literal[
    "waiting", "at work", "unchanged", "planned", "healthy", "rolled back", "failed", "not begun"
]
FAILED: tuple[State, ...] = ("rolled back", "failed")
_SHARE = re.compile(r"([0-9]{1,3})(%?)")


@dataclass(frozen=True)
class FleetSettings:
    """In what portions boards are flashed, and when no further one is begun."""

    canary: int = setting(
        1,
        "boards, the first of the file, that come before all others; where one of them fails, "
        "nothing else is touched",
        least=0,
    )
    batch: str = setting("20%", "boards at once after that: a number, or a share of all")
    max_failures: int = setting(1, "boards that fail until no further one is begun", least=1)

    def __post_init__(self) -> None:
        check(self)
        self.at_once(1)

    def at_once(self, boards: int) -> int:
        """How many of so many boards a batch is: at least one.

        Raises:
            EdgecrnnError: the batch is neither a number from 1 on nor a share from 1 % to 100 %.
        """
        found = _SHARE.fullmatch(self.batch.strip())
        number = int(found[1]) if found else 0
        if found is None or number < 1 or (found[2] and number > 100):
            raise EdgecrnnError(
                f"batch: expected a number of boards such as 5, or a share such as 20%, "
                f"got {self.batch!r}"
            )
        return max(1, math.ceil(boards * number / 100)) if found[2] else number

    def waves(self, hosts: Sequence[str]) -> list[tuple[str, ...]]:
        """The hosts in portions, the canaries first; no portion is empty."""
        first, rest = tuple(hosts[: self.canary]), tuple(hosts[self.canary :])
        size = self.at_once(len(hosts))
        batches = [rest[start : start + size] for start in range(0, len(rest), size)]
        return [first, *batches] if first else batches


@dataclass(frozen=True)
class FleetBoard:
    """A board and what it is to run; settings of all, of its groups and its own are merged."""

    host: str
    groups: tuple[str, ...]
    settings: FlashSettings


@dataclass(frozen=True)
class BoardReport:
    """How a board does.

    Attributes:
        host: as the file has it.
        groups: it is in.
        wave: its number, from 1.
        canary: whether it goes first.
        state: "waiting" and "at work" while the run lasts; "not begun" where the run ended before.
        said: the last that its flash told.
        reason: why it failed; empty where it did not.
        seconds: that its flash took.
        flashed: everything that its flash came to; None where it was refused or not begun.
        defect: a traceback, where edgecrnn itself broke.
    """

    host: str
    groups: tuple[str, ...]
    wave: int
    canary: bool
    state: State = "waiting"
    said: str = ""
    reason: str = ""
    seconds: float = 0.0
    flashed: Flashed | None = None
    defect: str = ""


@dataclass(frozen=True)
class FleetReport:
    """What a run over a fleet came to; `--json` prints exactly this.

    Attributes:
        bundle: the file.
        boards: all of them, in the order of the file.
        stopped: why boards were not begun; empty where all were.
        seconds: the whole run took.
    """

    bundle: str
    boards: tuple[BoardReport, ...]
    stopped: str = ""
    seconds: float = 0.0

    def in_state(self, *states: State) -> tuple[BoardReport, ...]:
        """The boards in one of these states."""
        return tuple(board for board in self.boards if board.state in states)
