"""The waves of a fleet: every board once, the canaries first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.devices.fleet_settings import FleetSettings
from edgecrnn.runtime.errors import EdgecrnnError


def _sizes(settings: FleetSettings, boards: int) -> list[int]:
    return [len(wave) for wave in settings.waves([str(n) for n in range(boards)])]


def test_one_board_first_then_a_fifth_of_all_at_once() -> None:
    assert _sizes(FleetSettings(), 50) == [1, 10, 10, 10, 10, 9]
    assert _sizes(FleetSettings(), 3) == [1, 1, 1]
    assert _sizes(FleetSettings(canary=2, batch="4"), 7) == [2, 4, 1]
    assert _sizes(FleetSettings(canary=0, batch="100%"), 7) == [7]
    assert _sizes(FleetSettings(canary=9), 7) == [7]


@given(st.integers(0, 60), st.integers(1, 100), st.booleans(), st.integers(1, 60))
def test_every_board_is_in_one_wave_in_its_order(
    canary: int, batch: int, share: bool, boards: int
) -> None:
    hosts = [str(number) for number in range(boards)]
    settings = FleetSettings(canary, f"{batch}{'%' if share else ''}")
    waves = settings.waves(hosts)
    assert [host for wave in waves for host in wave] == hosts
    assert all(waves)


@pytest.mark.parametrize("batch", ["", "0", "0%", "101%", "-3", "1.5", "half", "20 %%", "٣"])
def test_a_batch_that_is_neither_number_nor_share_is_refused(batch: str) -> None:
    with pytest.raises(EdgecrnnError, match="batch: expected a number of boards"):
        FleetSettings(batch=batch)


def test_numbers_out_of_bounds_are_refused() -> None:
    with pytest.raises(EdgecrnnError, match="canary: expected at least 0, got -1"):
        FleetSettings(canary=-1)
    with pytest.raises(EdgecrnnError, match="max_failures: expected at least 1, got 0"):
        FleetSettings(max_failures=0)
