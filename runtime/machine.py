"""How fast and how hot the machine is, where it tells: sysfs, and vcgencmd on a Raspberry Pi."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys")
# Bits of `vcgencmd get_throttled` (Raspberry Pi documentation, "vcgencmd"). The same sixteen bits
# higher say that it was so at some time since the start.
_NOW = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
_PATIENCE = 1.0  # s


@dataclass(frozen=True)
class Reading:
    """One look at the machine; None and () where it does not tell.

    Attributes:
        megahertz: the fastest processor's frequency now.
        most_megahertz: what it could be.
        celsius: of the processor, or else of the hottest zone.
        throttled: what slows it down now, in words.
        throttled_before: what did since the machine was started.
    """

    megahertz: float | None
    most_megahertz: float | None
    celsius: float | None
    throttled: tuple[str, ...] = ()
    throttled_before: tuple[str, ...] = ()

    def text(self) -> str:
        """For a person; "the machine tells neither frequency nor heat" where it does not."""
        said = []
        if self.megahertz is not None:
            of = f" of {self.most_megahertz:.0f}" if self.most_megahertz else ""
            said.append(f"{self.megahertz:.0f}{of} MHz")
        if self.celsius is not None:
            said.append(f"{self.celsius:.0f} °C")
        said += self.throttled
        said += [f"{word} before" for word in self.throttled_before if word not in self.throttled]
        return ", ".join(said) or "the machine tells neither frequency nor heat"


def read_machine(sys: Path = SYS) -> Reading:
    """Ask the machine. Takes a millisecond, 10 with vcgencmd.

    Args:
        sys: where sysfs is mounted.
    """
    now, before = _throttled(sys)
    return Reading(
        megahertz=_largest(sys, "cpufreq/scaling_cur_freq"),
        most_megahertz=_largest(sys, "cpufreq/cpuinfo_max_freq"),
        celsius=_celsius(sys),
        throttled=now,
        throttled_before=before,
    )


def machine_name(sys: Path = SYS, proc: Path = Path("/proc")) -> str:
    """What the machine is: its board's model, or else its processor's, and how many cores."""
    model = _text(sys / "firmware/devicetree/base/model").rstrip("\0")
    if not model:
        found = re.search(r"^model name\s*: (.+)$", _text(proc / "cpuinfo"), re.M)
        model = found[1] if found else platform.machine()
    cores = os.cpu_count() or 1
    return f"{model}, {cores} core{'s' * (cores != 1)}"


def _largest(sys: Path, name: str) -> float | None:
    """The largest value over all processors; sysfs counts in kHz."""
    values = [_number(path) for path in sys.glob(f"devices/system/cpu/cpu[0-9]*/{name}")]
    found = [value for value in values if value is not None]
    return max(found) / 1000.0 if found else None


def _celsius(sys: Path) -> float | None:
    """The zone that is the processor's by its type; without one the hottest (Linux, thermal)."""
    zones: list[tuple[bool, float]] = []
    for zone in sys.glob("class/thermal/thermal_zone*"):
        value = _number(zone / "temp")
        # A Jetson answers for sensors that are off with an error or with -256 °C.
        if value is not None and -50_000 < value < 200_000:
            zones.append((bool(re.search("cpu|soc|x86_pkg", _text(zone / "type"), re.I)), value))
    if not zones:
        return None
    of_cpu = [value for is_cpu, value in zones if is_cpu]
    return max(of_cpu or [value for _, value in zones]) / 1000.0


def _throttled(sys: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what slows it down now, what did before)."""
    bits = _raspberry_bits()
    if bits is not None:
        return (
            tuple(word for bit, word in _NOW.items() if bits >> bit & 1),
            tuple(word for bit, word in _NOW.items() if bits >> (bit + 16) & 1),
        )
    # A cooling device above state 0 that acts on the processor's speed (Jetson and others).
    acting = []
    for device in sys.glob("class/thermal/cooling_device*"):
        kind, state = _text(device / "type"), _number(device / "cur_state")
        if state and re.search("cpu|processor|thermal-cpufreq", kind, re.I):
            acting.append("throttled")
    # Intel counts the times that a core was slowed down by heat.
    counts = sys.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
    before = any(_number(path) for path in counts)
    return tuple(dict.fromkeys(acting)), ("throttled",) if before else ()


def _raspberry_bits() -> int | None:
    """What `vcgencmd get_throttled` says; None where there is no such command."""
    command = shutil.which("vcgencmd")
    if command is None:
        return None
    try:
        said = subprocess.run(
            [command, "get_throttled"],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"throttled=0x([0-9a-fA-F]+)", said)
    return int(match[1], 16) if match else None


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
