"""What a person sees while it trains: on a terminal a line that moves, elsewhere one an epoch."""

from __future__ import annotations

import io

import pytest

from edgecrnn.cli.progress import TrainingProgress
from edgecrnn.train.fit import Epoch

LINE = Epoch(1, 1.25, 0.5, 0.75, 0.625, 0.003, 10.0, 1234.0, 0.021)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_time_left_follows_from_the_steps_done(clock: list[float]) -> None:
    out = Terminal()
    shown = TrainingProgress(out)
    shown.step("network", 0, 4, 1, 10, 2.0)
    clock[0] += 90
    shown.step("network", 1, 4, 5, 10, 1.5)
    # 15 of 40 steps took 90 s: 25 more take 150.
    bar = "█" * 9 + "░" * 15
    assert out.getvalue().endswith(f"network 2/4 {bar} loss 1.500, 2:30 left")


def test_a_resumed_training_counts_its_own_epochs(clock: list[float]) -> None:
    out = Terminal()
    shown = TrainingProgress(out)
    shown.step("network", 2, 4, 1, 10, 2.0)
    clock[0] += 30
    shown.step("network", 3, 4, 5, 10, 1.5)
    assert out.getvalue().endswith("network 4/4 " + "█" * 18 + "░" * 6 + " loss 1.500, 0:10 left")


def test_elsewhere_there_is_a_line_an_epoch(clock: list[float]) -> None:
    out = io.StringIO()
    shown = TrainingProgress(out)
    shown.step("network", 0, 4, 1, 10, 2.0)
    assert out.getvalue() == ""
    shown.epoch("network", LINE)
    assert out.getvalue() == (
        "network 1: loss 1.250, accuracy 50.0%; validation 0.750, 62.5%; 1234 frames/s, "
        "2.1% waiting for data\n"
    )
