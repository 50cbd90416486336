"""A time for a frame decides the network's width."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn import cli
from edgecrnn.cli.budget import Budget, read_budget, widest
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.settings import NetworkSettings


def squared(settings: NetworkSettings) -> int:
    return int(1_000_000 * settings.width**2)


def test_a_rate_by_hand_and_by_profile() -> None:
    assert read_budget("5 ms at 12 M").multiply_adds == 60_000_000
    assert read_budget("0.5ms linux-x86_64").multiply_adds == 6_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "expected a time and a board"),
        ("5 ms", "expected a time and a board"),
        ("0 ms at 12 M", "expected a time and a board"),
        ("5 ms at 0 M", "expected a rate above 0"),
        ("5 ms raspbery-pi-5", "did you mean 'raspberry-pi-5'"),
        ("5 ms raspberry-pi-5", "expected a board whose speed has been measured"),
    ],
)
def test_a_budget_that_is_none(text: str, said: str) -> None:
    with pytest.raises(EdgecrnnError) as raised:
        read_budget(text)
    assert said in str(raised.value)


@given(st.floats(0.02, 100))
def test_the_widest_that_fits(million: float) -> None:
    width, cost = widest(NetworkSettings(), Budget(1.0, million, "as given"), squared)
    assert cost <= million * 1e6
    assert width == 8.0 or squared(NetworkSettings(width=round(width + 0.05, 2))) > million * 1e6


def test_not_even_the_narrowest_fits() -> None:
    with pytest.raises(EdgecrnnError, match=r"which the narrowest network needs, got 0.00 million"):
        widest(NetworkSettings(), Budget(1.0, 0.004, "as given"), squared)


def test_budget_and_width_exclude_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--budget", "5 ms at 12 M", "--width", "2"]
    assert cli.main(["train", str(tmp_path), "--out", str(tmp_path / "run"), *flags]) == 2
    assert "expected no --width beside it" in capsys.readouterr().err


def test_train_takes_the_width(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow")
    from tests.journey import write_clips

    from edgecrnn.train.run_folder import read_record

    data, out = write_clips(tmp_path / "data", per_class=6), tmp_path / "run"
    flags = ["--size", "16x16", "--units", "4", "--epochs", "1", "--batch", "4", "--no-baseline",
             "--no-explanations"]  # fmt: skip
    command = ["train", str(data), "--out", str(out), "--budget", "1 ms at 0.1 M", *flags]
    assert cli.main(command) == 0
    record = read_record(out)
    assert 0.1 < record.network.width < 8 and 0 < record.multiply_adds <= 100_000
    assert f"budget: width {record.network.width:g}" in capsys.readouterr().err
