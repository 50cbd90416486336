"""Wheels are asked for once for each kind of board, whatever many boards want them at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgecrnn.devices.flash_facts import Resolved
from edgecrnn.devices.fleet import ResolvedOnce
from edgecrnn.devices.wheels import Target
from edgecrnn.runtime.errors import EdgecrnnError

PI = Target("aarch64", "3.11", "2.36")
NEWER = Target("aarch64", "3.13", "2.41")


class Index:
    """Counts who asks; has nothing for 32 bits."""

    def __init__(self) -> None:
        self.asked: list[Target] = []

    def __call__(self, wanted: Sequence[str], target: Target) -> Resolved:
        self.asked.append(target)
        time.sleep(0.05)
        if target.architecture == "armv7l":
            raise EdgecrnnError("wheels for armv7l: expected some, got none")
        return {f"{wanted[0]}.whl": Path("there")}, target.python


def _by(once: ResolvedOnce, targets: Sequence[Target]) -> list[Resolved | str]:
    found: list[Resolved | str] = []

    def board(target: Target) -> None:
        try:
            found.append(once(["numpy", "tiny"], target))
        except EdgecrnnError as error:
            found.append(str(error))

    threads = [threading.Thread(target=board, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_boards_of_a_kind_share_and_another_kind_gets_its_own() -> None:
    index = Index()
    found = _by(ResolvedOnce(index), [PI, NEWER] * 5)
    assert sorted(index.asked, key=str) == [PI, NEWER]
    assert {each[1] for each in found} == {"3.11", "3.13"} and len(found) == 10


def test_other_requirements_are_asked_for_of_their_own() -> None:
    index = Index()
    once = ResolvedOnce(index)
    assert once(["numpy"], PI) == once(["numpy"], PI)
    once(["aiohttp"], PI)
    assert len(index.asked) == 2


def test_what_the_index_lacks_is_told_to_each_board_and_asked_for_once() -> None:
    index = Index()
    found = _by(ResolvedOnce(index), [Target("armv7l", "3.11", "2.36")] * 4)
    assert found == ["wheels for armv7l: expected some, got none"] * 4
    assert len(index.asked) == 1


def test_wheels_for_one_kind_that_are_none_leave_the_others_alone() -> None:
    once = ResolvedOnce(Index())
    with pytest.raises(EdgecrnnError):
        once(["numpy"], Target("armv7l", "3.11", "2.36"))
    assert once(["numpy"], PI)[1] == "3.11"
