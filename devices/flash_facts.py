"""What is known before anything on the board is changed; what cannot work is refused here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgecrnn.devices.agent import SERVICE_ROOT, status_of_current
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.probe import (
    LEAST_FREE_MB,
    ROOT,
    Facts,
    Mismatch,
    fits,
    fitting_profile,
    probe,
)
from edgecrnn.devices.profile import DeviceProfile, load_profile
from edgecrnn.devices.ssh import SshShell
from edgecrnn.devices.wheels import Target, environment_id, fetch, requirements
from edgecrnn.runtime.board.release import BUNDLE, SIGNATURE, Release
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256
from edgecrnn.runtime.signature import SUFFIX, claimed, verify

Resolved = tuple[Mapping[str, Path], str]
Resolve = Callable[[Sequence[str], Target], Resolved]
_PATH_OF_A_LIBRARY = "/"
_MEGABYTE = 1_000_000
# What stays free beside a bundle that is sent and installed, for logs.
_SPARE_MB = 20


@dataclass(frozen=True)
class Known:
    """A board and what it is to run.

    Attributes:
        shell: the board.
        facts: what it said of itself.
        profile: that fits it.
        notes: what is worth knowing and hinders nothing.
        status: what its agent says; None where no release runs.
        wheels: of the environment, by their file names.
        environment: its id.
        release: what is to run.
        outbox: folder here of the files that a release is made of: a copy of the bundle, so that
            what was hashed is what is sent; its signature where it came with one.
    """

    shell: SshShell
    facts: Facts
    profile: DeviceProfile
    notes: tuple[str, ...]
    status: Mapping[str, Any] | None
    wheels: Mapping[str, Path]
    environment: str
    release: Release
    outbox: Path

    @property
    def root(self) -> str:
        """The folder that edgecrnn lives in on the board, an absolute path."""
        return self.facts.root

    @property
    def current(self) -> str | None:
        """Id of the release that runs."""
        return None if self.status is None else self.status.get("current")

    def has(self, what: str, name: str) -> bool:
        """Whether the board told of an environment or a release of that id."""
        return self.status is not None and name in self.status.get(what, ())

    @property
    def runs_already(self) -> bool:
        """Whether this very release runs and has proven itself."""
        if self.status is None or self.current != self.release.id:
            return False
        alive = self.status.get("running") or self.status.get("ended")
        return bool(alive and self.status.get("healthy") and not self.status.get("on_trial"))


def resolve(wanted: Sequence[str], target: Target) -> Resolved:
    """The wheels for a board by their file names, and the id of their environment.

    Raises:
        EdgecrnnError: the package index has none for it, or cannot be reached.
    """
    wheels = fetch(wanted, target, wheels_cache())
    return wheels, environment_id(wheels, target)


def ask(
    shell: SshShell,
    settings: FlashSettings,
    outbox: Path,
    say: Callable[[str], None],
    resolved: Resolve = resolve,
) -> Known:
    """Learn what the board is and what it is to run.

    Args:
        shell: the board.
        settings: of the flash.
        outbox: an empty folder here.
        say: is told what was found, a line each.
        resolved: gives the wheels for the board.

    Raises:
        EdgecrnnError: the bundle is none, the board cannot be reached, or it cannot work there.
    """
    bundle = _copied(Path(settings.bundle), outbox)
    root = settings.root or (SERVICE_ROOT if settings.service else ROOT)
    facts = probe(shell, root)
    say(f"probe: {_board(facts)}")
    profile = _profile(facts, settings)
    notes = _fitting(facts, profile, bundle, settings)
    say(f"fits: {profile.name} ({profile.title}, {profile.status})")
    for note in notes:
        say(f"fits: note: {note}")
    status = status_of_current(shell, facts.root)
    target = Target(facts.architecture, _short(facts.python), _short(facts.glibc))
    words = run_words(settings)
    wanted = requirements(profile.runtime, profile.runtime_version, target, extras_for(words))
    wheels, environment = resolved(wanted, target)
    size = sum(path.stat().st_size for path in wheels.values())
    say(f"wheels: {len(wheels)} of {size / _MEGABYTE:.0f} MB, environment {environment}")
    release = Release(
        name=Path(settings.bundle).name.removesuffix(".edgecrnn"),
        bundle=file_sha256(outbox / BUNDLE),
        environment=environment,
        run=words,
        budget_ms=budget_of(settings, bundle),
    )
    known = Known(shell, facts, profile, tuple(notes), status, wheels, environment, release, outbox)
    _check_room(known)
    return known


def run_words(settings: FlashSettings) -> tuple[str, ...]:
    """Arguments of `edgecrnn run` after the bundle."""
    chosen = ("--delegate", settings.delegate) if settings.delegate else ()
    return ("--source", settings.camera, *chosen, *settings.run)


def extras_for(words: Sequence[str]) -> tuple[str, ...]:
    """The extras of edgecrnn that a run with these arguments needs on the board."""
    wanted = {
        "mqtt": any(word.removeprefix("--sink=").startswith("mqtt") for word in words),
        "page": any(word.partition("=")[0] == "--serve" for word in words),
    }
    return ("flash", *(name for name, needed in wanted.items() if needed))


def wheels_cache() -> Path:
    """Where this person's wheels lie (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "edgecrnn" / "wheels"


def _copied(bundle: Path, outbox: Path) -> Bundle:
    """The bundle, its copy in the outbox, and its signature where one lies beside it."""
    if bundle.is_dir():
        raise EdgecrnnError(f"{bundle}: expected a bundle's file, got a folder; pack it again")
    opened = open_bundle(bundle)
    copy, beside = outbox / BUNDLE, bundle.with_name(f"{bundle.name}{SUFFIX}")
    shutil.copyfile(bundle, copy)
    if beside.is_file():
        shutil.copyfile(beside, outbox / SIGNATURE)
    return opened


def came_signed(known: Known, settings: FlashSettings) -> bool:
    """Whether the signature that lies beside the bundle is taken as it is.

    Raises:
        EdgecrnnError: there is one and it does not hold, so that somebody changed the bundle.
    """
    signature = known.outbox / SIGNATURE
    if settings.key or not signature.is_file():
        return False
    data = signature.read_bytes()
    name = f"{settings.bundle}{SUFFIX}"
    try:
        verify(known.outbox / BUNDLE, data, frozenset({claimed(data, name).key}))
    except EdgecrnnError as error:
        raise EdgecrnnError(
            f"{name}: expected the signature of this bundle, got one that does not hold; where you "
            "made the bundle anew remove it, or sign with a key of your own: --key default"
        ) from error
    return True


def _board(facts: Facts) -> str:
    parts = [facts.model or facts.os, facts.architecture, f"Python {facts.python}"]
    return ", ".join(part for part in [*parts, f"{facts.free_mb} MB free"] if part)


def _profile(facts: Facts, settings: FlashSettings) -> DeviceProfile:
    found = load_profile(settings.profile) if settings.profile else fitting_profile(facts)
    if found is None:
        raise EdgecrnnError(
            f"board: expected one that a profile is for, got {facts.architecture or 'no answer'}; "
            "write a profile (docs/adding-a-device.md) and name it with --profile"
        )
    return found


def _fitting(
    facts: Facts, profile: DeviceProfile, bundle: Bundle, settings: FlashSettings
) -> list[str]:
    """What is worth knowing; an EdgecrnnError where it cannot work."""
    # A service's folder is made by sudo; the room depends on what is there already.
    asked = replace(facts, writable=facts.writable or settings.service)
    found = fits(asked, profile, room_mb=0)
    if settings.service and not facts.systemd:
        found.append(
            Mismatch("the board has no systemd", "leave --service out: edgecrnn runs without it")
        )
    if not facts.rsync:
        found.append(Mismatch("the board has no rsync", "apt install rsync there"))
    fatal = [each for each in found if each.fatal]
    if fatal:
        raise EdgecrnnError("; ".join(each.text() for each in fatal))
    _check_delegate(bundle, settings.delegate)
    notes = [each.text() for each in found]
    if bundle.manifest.device != profile.name:
        notes.append(f"the bundle was converted for {bundle.manifest.device}")
    return notes


def _check_delegate(bundle: Bundle, name: str) -> None:
    """A library's path may be any; of a name the bundle must have a variant."""
    variants = bundle.manifest.variants
    known = sorted({each for variant in variants for each in variant.delegates})
    if name and _PATH_OF_A_LIBRARY not in name and name not in known:
        raise EdgecrnnError(
            f"--delegate: expected one that the bundle has a variant for ({', '.join(known)}), "
            f"got {name!r}; convert with --device for this board"
        )


def _check_room(known: Known) -> None:
    """A board that has the environment needs little: what was sent is moved, not copied."""
    whole = known.has("environments", known.environment)
    bundle = (known.outbox / BUNDLE).stat().st_size // _MEGABYTE
    room = bundle + _SPARE_MB if whole else LEAST_FREE_MB
    found = fits(replace(known.facts, writable=True), known.profile, room_mb=room)
    if fatal := [each for each in found if each.fatal]:
        raise EdgecrnnError("; ".join(each.text() for each in fatal))


def budget_of(settings: FlashSettings, bundle: Bundle) -> float | None:
    """A step that takes longer than the time between two frames leaves frames out."""
    rate = bundle.manifest.frame_rate
    return settings.budget or (None if rate is None else round(1000 / rate, 3))


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])
