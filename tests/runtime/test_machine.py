"""Frequency, heat and throttling. The boards are made up: trees of files as their kernels give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgecrnn.runtime.machine import Reading, machine_name, read_machine


@pytest.fixture(autouse=True)
def _no_vcgencmd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what a test puts there."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "sys"


def vcgencmd(root: Path, script: str) -> None:
    path = root / "bin" / "vcgencmd"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


PI = {
    "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
    "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
    "devices/system/cpu/cpu3/cpufreq/scaling_cur_freq": "1600000\n",
    "class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "class/thermal/thermal_zone0/temp": "84500\n",
    "firmware/devicetree/base/model": "Raspberry Pi 5 Model B Rev 1.0\0",
}


def test_a_raspberry_pi_that_is_hot(tmp_path: Path) -> None:
    vcgencmd(tmp_path, 'test "$1" = get_throttled && echo "throttled=0xd0006"')
    found = read_machine(tree(tmp_path, PI))
    assert found == Reading(
        1600.0, 2400.0, 84.5,
        ("frequency capped", "throttled"),
        ("under-voltage", "throttled", "soft temperature limit"),
    )  # fmt: skip
    assert found.text() == (
        "1600 of 2400 MHz, 84 °C, frequency capped, throttled, under-voltage before, "
        "soft temperature limit before"
    )


@pytest.mark.parametrize("script", ["exit 1", "echo VCHI failed", "exec /bin/sleep 9"])
def test_a_vcgencmd_that_does_not_answer(tmp_path: Path, script: str) -> None:
    vcgencmd(tmp_path, script)
    assert read_machine(tree(tmp_path, PI)).throttled == ()


def test_a_jetson_counts_its_cooling_and_has_sensors_that_are_off(tmp_path: Path) -> None:
    files = {
        "class/thermal/thermal_zone0/type": "CPU-therm\n",
        "class/thermal/thermal_zone0/temp": "51000\n",
        "class/thermal/thermal_zone1/type": "GPU-therm\n",
        "class/thermal/thermal_zone1/temp": "61000\n",
        "class/thermal/thermal_zone2/type": "CV0-therm\n",
        "class/thermal/thermal_zone2/temp": "-256000\n",
        "class/thermal/cooling_device0/type": "thermal-cpufreq-0\n",
        "class/thermal/cooling_device0/cur_state": "3\n",
        "class/thermal/cooling_device1/type": "pwm-fan\n",
        "class/thermal/cooling_device1/cur_state": "4\n",
    }
    found = read_machine(tree(tmp_path, files))
    assert (found.celsius, found.throttled, found.megahertz) == (51.0, ("throttled",), None)


def test_without_a_zone_of_the_processor_the_hottest_counts(tmp_path: Path) -> None:
    files = {
        "class/thermal/thermal_zone0/temp": "40000",
        "class/thermal/thermal_zone1/temp": "45000",
        "class/thermal/thermal_zone2/temp": "no number",
        "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7",
    }
    found = read_machine(tree(tmp_path, files))
    assert (found.celsius, found.throttled, found.throttled_before) == (45.0, (), ("throttled",))


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    found = read_machine(tmp_path / "nowhere")
    assert found == Reading(None, None, None)
    assert found.text() == "the machine tells neither frequency nor heat"


def test_this_machine_can_be_asked() -> None:
    found = read_machine()
    assert found.celsius is None or -50 < found.celsius < 200
    assert found.megahertz is None or 1 < found.megahertz < 20000


def test_the_name_is_the_boards_or_the_processors(tmp_path: Path) -> None:
    cores = f", {os.cpu_count()} core"
    assert machine_name(tree(tmp_path, PI)).startswith(f"Raspberry Pi 5 Model B Rev 1.0{cores}")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    assert machine_name(tmp_path / "no", tmp_path).startswith(f"Some CPU @ 2 GHz{cores}")
