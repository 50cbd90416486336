"""What a board is, asked of the board itself, and which profile fits."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from edgecrnn.devices.profile import DeviceProfile, load_profile, profile_names
from edgecrnn.devices.ssh import Shell
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, from_mapping, setting

ROOT = "~/.local/share/edgecrnn"
# edgecrnn's own, of `requires-python`.
LEAST_PYTHON = (3, 10)
# The interpreters' wheels' (the package index's file list).
_LEAST_GLIBC = {"ai-edge-litert": (2, 27), "tflite-runtime": (2, 34)}
# Two environments of 290 MB (NumPy, OpenCV, the interpreter) stand side by side in an update.
LEAST_FREE_MB = 800
# Off by more, and certificates and signatures are dated wrongly.
_CLOCK_OFF = 86_400.0  # s
_NOT_FOUND = 127
_LIBRARY_OF = {"edgetpu": "edgetpu", "ethos-u": "ethos-u", "gpu": "vulkan"}
_EXTERNAL = {"libteflon.so": "teflon", "libvx_delegate.so": "vx"}


@dataclass(frozen=True)
class Facts:
    """What the board said; texts are empty where it did not tell."""

    architecture: str = setting("", "of the system's programs, as wheels call it")
    model: str = setting("", "the board's name in its device tree")
    compatible: tuple[str, ...] = setting((), "the device tree's identifiers")
    cores: int = setting(1, "processors", least=1)
    dot_product: bool = setting(False, "whether the CPU has int8 dot products")
    memory_mb: int = setting(0, "of memory", unit="MB", least=0)
    root: str = setting("", "folder that edgecrnn is to live in")
    writable: bool = setting(False, "whether that folder can be written")
    free_mb: int = setting(0, "free there", unit="MB", least=0)
    os: str = setting("", "operating system")
    glibc: str = setting("", "version of the C library; empty where it is another")
    python: str = setting("", "version of python3")
    venv: bool = setting(False, "whether that Python can make virtual environments")
    packages: Mapping[str, str] | None = setting(None, "versions of packages that are there")
    cameras: tuple[str, ...] = setting((), "video devices")
    libraries: tuple[str, ...] = setting((), "delegates' libraries")
    systemd: bool = setting(False, "whether systemd manages services")
    rsync: bool = setting(False, "whether rsync is there")
    clock: float = setting(0.0, "seconds since 1970", unit="s")
    celsius: float | None = setting(None, "of the hottest zone", unit="°C")
    user: str = setting("", "who logged in")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Mismatch:
    """What of the board does not fit, and the mend; `fatal` where edgecrnn cannot run so."""

    what: str
    mend: str
    fatal: bool = True

    def text(self) -> str:
        """One sentence."""
        return f"{self.what}; {self.mend}"


def probe(shell: Shell, root: str = ROOT) -> Facts:
    """Ask the board by one command; nothing on it is changed.

    Args:
        shell: where it is asked.
        root: folder that edgecrnn is to live in, on the board.

    Raises:
        EdgecrnnError: it cannot be reached, or has no python3 that can answer.
    """
    script = (resources.files(__package__) / "_facts_script.py").read_bytes()
    ran = shell.run(["python3", "-", root], stdin=script)
    if ran.code == _NOT_FOUND:
        raise EdgecrnnError(
            f"{shell.name}: expected python3 on the board, got none; "
            "install Python 3.10 or later there (apt install python3 python3-venv)"
        )
    last = (ran.out.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
    try:
        values = json.loads(last)
    except ValueError as error:
        got = (ran.err.strip().splitlines() or [last or "nothing"])[-1]
        raise EdgecrnnError(
            f"{shell.name}: expected its python3 to tell what the board is, got {got!r}; "
            f"try it there by hand: python3 -c 'print(1)'"
        ) from error
    return from_mapping(Facts, values, shell.name)


def fits(
    facts: Facts,
    profile: DeviceProfile,
    now: float | None = None,
    room_mb: int = LEAST_FREE_MB,
) -> list[Mismatch]:
    """Everything in which the board differs from what the profile needs; none where it fits.

    Args:
        facts: what the board said.
        profile: what is expected of it.
        now: this machine's clock in seconds since 1970, to hold the board's against.
        room_mb: what must be free; less where an environment is there already.
    """
    if profile.cannot_run:
        why, _, mend = profile.cannot_run.partition("; ")
        return [Mismatch(f"{profile.title} cannot run edgecrnn: {why}", mend)]
    found = [
        *_of_system(facts, profile),
        *_of_python(facts, profile),
        *_of_delegates(facts, profile),
    ]
    if not facts.writable:
        found.append(
            Mismatch(f"{facts.root} cannot be written by {facts.user}", "name another with --root")
        )
    if facts.free_mb < room_mb:
        found.append(Mismatch(f"{facts.free_mb} MB are free at {facts.root}", f"free {room_mb} MB"))
    off = facts.clock - (time.time() if now is None else now)
    if abs(off) > _CLOCK_OFF:
        days, way = abs(off) / 86_400, "fast" if off > 0 else "slow"
        found.append(
            Mismatch(
                f"the board's clock is {days:.0f} days {way}",
                "set it (timedatectl set-ntp true)",
                fatal=False,
            )
        )
    return found


def fitting_profile(facts: Facts) -> DeviceProfile | None:
    """The profile of this very board; of boards of its architecture where none names it.

    A profile that prefers a delegate whose library is missing gives way to one that does not.
    """
    profiles = [load_profile(name) for name in profile_names()]
    named = [p for p in profiles if set(p.compatible) & set(facts.compatible)]
    if named:
        complete = [p for p in named if not _of_delegates(facts, p)]
        # Of two, the one that has the better delegate besides the CPU.
        return max(complete or named, key=lambda p: len(p.delegates))
    same = [p for p in profiles if p.architecture == facts.architecture and not p.compatible]
    return same[0] if same else None


def _of_system(facts: Facts, profile: DeviceProfile) -> list[Mismatch]:
    found = []
    if facts.architecture != profile.architecture:
        narrow = (profile.architecture, facts.architecture) == ("aarch64", "armv7l")
        mend = "write the 64-bit system to its card" if narrow else "choose the board's own profile"
        found.append(
            Mismatch(
                f"the board is {facts.architecture}, {profile.name} is {profile.architecture}", mend
            )
        )
    least = _LEAST_GLIBC[profile.runtime]
    wanted = ".".join(map(str, least))
    if not facts.glibc:
        found.append(
            Mismatch(
                "the board's C library is not glibc", f"take a system with glibc {wanted} or later"
            )
        )
    elif _version(facts.glibc) < least:
        found.append(
            Mismatch(
                f"the board has glibc {facts.glibc}, {profile.runtime} needs {wanted}",
                "update its system",
            )
        )
    return found


def _of_python(facts: Facts, profile: DeviceProfile) -> list[Mismatch]:
    have, least = _version(facts.python), ".".join(map(str, LEAST_PYTHON))
    if have < LEAST_PYTHON:
        return [
            Mismatch(f"the board's Python is {facts.python}", f"install Python {least} or later")
        ]
    found = []
    short = f"{have[0]}.{have[1]}"
    if short not in profile.python:
        wanted = ", ".join(profile.python)
        found.append(
            Mismatch(
                f"the board's Python is {short}, {profile.name} was written for {wanted}",
                f"see that {profile.runtime} has a wheel for it",
                fatal=False,
            )
        )
    if not facts.venv:
        found.append(
            Mismatch(
                "the board's Python makes no virtual environments", "apt install python3-venv there"
            )
        )
    return found


def _of_delegates(facts: Facts, profile: DeviceProfile) -> list[Mismatch]:
    found = []
    for name in profile.delegates:
        library = str(profile.delegate.get(name, {}).get("library", ""))
        needed = _EXTERNAL.get(library.rpartition("/")[2]) or _LIBRARY_OF.get(name)
        if needed and needed not in facts.libraries:
            shown = f" ({library})" if library else ""
            found.append(
                Mismatch(
                    f"the delegate {name} finds no library{shown} on the board",
                    "install it, or go on with the others: "
                    + ", ".join(other for other in profile.delegates if other != name),
                    fatal=False,
                )
            )
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
