"""What is known of a board: one TOML file a board in `profiles/`, its name the file's name."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, from_mapping, nearest, setting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What stands behind a profile, and what each word promises.
STATUSES = {
    "proven": "run on this hardware",
    "emulated": "run under an emulator or a compiler's estimate, not on this hardware",
    "unproven": "believed from documents, never run on this hardware",
}
ARCHITECTURES = ("aarch64", "armv7l", "x86_64")
CAMERAS = ("usb", "csi", "network")
# Packages that carry an interpreter which edgecrnn can use.
RUNTIMES = ("ai-edge-litert", "tflite-runtime")
_ENTRIES = {"cameras": CAMERAS}
# What a delegate may be called; which there are only `edgecrnn.convert.backends` knows.
_DELEGATE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class DeviceProfile:
    """A board as `convert` and `run` need to know it."""

    name: str
    title: str = setting(MISSING, "what people call the board")
    status: str = setting(MISSING, "what stands behind these lines", choices=tuple(STATUSES))
    architecture: str = setting(MISSING, "what `uname -m` says on the board", choices=ARCHITECTURES)
    os: tuple[str, ...] = setting(MISSING, "operating systems that it is meant for")
    python: tuple[str, ...] = setting(MISSING, "Python versions of those systems")
    runtime: str = setting(MISSING, "package that carries the interpreter", choices=RUNTIMES)
    runtime_version: str = setting(MISSING, "least version of that package")
    delegates: tuple[str, ...] = setting(
        MISSING, "what can compute, the preferred one first: cpu, gpu, ethos-u, edgetpu ..."
    )
    cameras: tuple[str, ...] = setting(
        MISSING, f"kinds of cameras that edgecrnn reads there: {', '.join(CAMERAS)}"
    )
    compatible: tuple[str, ...] = setting(
        (), "identifiers in its device tree, by which it is known"
    )
    cannot_run: str = setting(
        "", "why edgecrnn cannot run there and what to do; empty where it can"
    )
    threads: int = setting(1, "of the CPU that a frame may use", least=1, most=64)
    multiply_adds: float | None = setting(
        None,
        "of an int8 network in a millisecond on one thread, measured on the board",
        unit="millions",
        least=0.001,
    )
    accuracy_drop: float = setting(
        1.0,
        "most that a variant's accuracy may fall below the float model's",
        unit="points",
        least=0.0,
        most=100.0,
    )
    agreement: float = setting(
        0.98,
        "least share of frames on which a variant decides as the float model does",
        least=0.0,
        most=1.0,
    )
    delegate: Mapping[str, Any] = field(
        default_factory=dict, metadata={"help": "settings of each delegate that needs some"}
    )

    def __post_init__(self) -> None:
        _check_lists(self)
        check(self)
        _check_delegates(self)
        _check_form(self.runtime_version, r"\d+(\.\d+)+", "runtime_version", "such as 2.3.0")
        for version in self.python:
            _check_form(version, r"3\.\d+", "python", "such as 3.11")


def profile_names() -> tuple[str, ...]:
    """The boards that come with the package, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(".toml")
            for entry in _shipped().iterdir()
            if entry.name.endswith(".toml")
        )
    )


def load_profile(name_or_path: str | Path) -> DeviceProfile:
    """The profile of a board by its name, or of a TOML file of one's own by its path.

    Raises:
        EdgecrnnError: there is no such board (lists those there are), or the file is no profile.
    """
    given = str(name_or_path)
    if given.endswith(".toml") or "/" in given:
        return _parse(Path(given), Path(given).stem)
    known = profile_names()
    if given not in known:
        raise EdgecrnnError(
            f"device: expected one of {', '.join(known)} or the path of a .toml file, "
            f"got {given!r}{nearest(given, known)}"
        )
    return _parse(_shipped() / f"{given}.toml", given)


def require_runnable(profile: DeviceProfile) -> DeviceProfile:
    """The profile; an EdgecrnnError with the mend where edgecrnn cannot run on that board."""
    if profile.cannot_run:
        raise EdgecrnnError(f"{profile.title} cannot run edgecrnn: {profile.cannot_run}")
    return profile


def _shipped() -> Any:
    return resources.files(__package__) / "profiles"


def _parse(file: Any, name: str) -> DeviceProfile:
    """Read `file` (a path or a package resource)."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdgecrnnError(
            f"{file}: expected a device profile, got {error.strerror or error}; "
            f"the boards that come with edgecrnn are {', '.join(profile_names())}"
        ) from error
    except ValueError as error:
        raise EdgecrnnError(f"{file}: expected TOML in UTF-8, got {error}") from error
    if "name" in values:
        raise EdgecrnnError(f"{file}: expected no key 'name', the file's name is the board's")
    known = {each.name for each in fields(DeviceProfile)}
    missing = [f.name for f in fields(DeviceProfile) if _required(f) and f.name not in values]
    if missing and known.issuperset(values):
        raise EdgecrnnError(f"{file}: expected the keys {', '.join(missing)} too; add them")
    return from_mapping(DeviceProfile, {"name": name, **values}, str(file))


def _required(each: Any) -> bool:
    plain = each.default is MISSING and each.default_factory is MISSING
    return plain and each.name != "name"


def _check_lists(profile: DeviceProfile) -> None:
    """Every list holds at least one text, none twice, each one of the field's choices."""
    for each in fields(profile):
        values = getattr(profile, each.name)
        if not str(each.type).startswith("tuple"):
            continue
        good = isinstance(values, tuple) and all(isinstance(value, str) for value in values)
        # What has a default may be left out.
        empty = not values and each.default is MISSING
        if not good or empty or len(set(values)) != len(values):
            shown = list(values) if isinstance(values, tuple) else values
            raise EdgecrnnError(
                f"{each.name}: expected a list of different texts, at least one, got {shown!r}"
            )
        choices = _ENTRIES.get(each.name, values)
        for value in values:
            if value not in choices:
                raise EdgecrnnError(
                    f"{each.name}: expected some of {', '.join(choices)}, "
                    f"got {value!r}{nearest(value, choices)}"
                )


def _check_delegates(profile: DeviceProfile) -> None:
    """Names are well formed, and each table [delegate.NAME] belongs to a delegate in the list."""
    for name in profile.delegates:
        if not _DELEGATE.fullmatch(name):
            raise EdgecrnnError(f"delegates: expected names such as cpu or ethos-u, got {name!r}")
    for name, values in profile.delegate.items():
        if name not in profile.delegates:
            raise EdgecrnnError(
                f"[delegate.{name}]: expected settings of one of {', '.join(profile.delegates)}, "
                f"got {name!r}{nearest(name, profile.delegates)}; add it to delegates"
            )
        if not isinstance(values, Mapping):
            raise EdgecrnnError(f"[delegate.{name}]: expected a table of settings, got {values!r}")


def _check_form(text: str, pattern: str, name: str, example: str) -> None:
    if not re.fullmatch(pattern, text):
        raise EdgecrnnError(f"{name}: expected a version {example}, got {text!r}")
