"""A card that comes up classifying: first-boot files for cloud-init, on the card's boot volume.

Raspberry Pi OS (since trixie) and Ubuntu's images read user-data, meta-data, network-config and,
where there is one, vendor-data from it (cloud-init's data source NoCloud). The person's own three
stay as they are: vendor-data is ours alone, and cloud-init acts on it beside theirs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from edgecrnn.devices import keys
from edgecrnn.devices.agent import SERVICE_ROOT
from edgecrnn.devices.environment import listed
from edgecrnn.devices.flash_facts import Resolve, budget_of, extras_for, resolve, run_words
from edgecrnn.devices.flash_facts import wheels_cache as cache
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.profile import DeviceProfile, load_profile
from edgecrnn.devices.wheels import Target, fetch, requirements
from edgecrnn.runtime.board import unit
from edgecrnn.runtime.board.release import BUNDLE, RELEASE, SIGNATURE, Release
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256, new_folder, not_written, sha256, write_file
from edgecrnn.runtime.signature import SUFFIX, claimed, key_id, sign, verify

# Images with cloud-init: their Python and glibc (the distributions' package lists).
IMAGES = {
    "trixie": ("3.13", "2.41"),
    "ubuntu-24.04": ("3.12", "2.39"),
    "ubuntu-22.04": ("3.10", "2.35"),
}
FOLDER = "edgecrnn"
VENDOR_DATA = "vendor-data"
FIRST_BOOT = "edgecrnn-first-boot.service"
_OURS = "# Written by edgecrnn flash --boot-volume."
# What only a boot volume holds, and what only one with cloud-init does.
_BOOT = ("config.txt", "cmdline.txt")
_SEED = ("user-data", "meta-data")
# A card's first boot grows its file system, and is slow in everything.
_PATIENCE = 300  # s
_MOST_OF_A_FILE = 2**32 - 1  # bytes, of FAT32
_SPARE = 1_000_000  # bytes, for clusters half full

# cloud-init runs a boothook at each boot, so that one cut short is made up for (cloud-init's
# documentation, "User-Data Formats"); all it does is to hand over to systemd.
_HOOK = f"""#cloud-boothook
#!/bin/sh
{_OURS}
for boot in /boot/firmware /boot; do
  if [ -f "$boot/{FOLDER}/{FIRST_BOOT}" ]; then
    cp "$boot/{FOLDER}/{FIRST_BOOT}" /etc/systemd/system/{FIRST_BOOT}
    systemctl daemon-reload
    systemctl enable {FIRST_BOOT}
    systemctl --no-block start {FIRST_BOOT}
    exit 0
  fi
done
"""
# Type=exec, so that nothing waits for the minutes that it takes the first time.
_UNIT = f"""[Unit]
Description=edgecrnn: brings what lies on the boot volume
After=local-fs.target cloud-init.service cloud-init-network.service time-sync.target

[Service]
Type=exec
ExecStart=/bin/sh -c 'for boot in /boot/firmware /boot; do \\
  if [ -f $$boot/{FOLDER}/payload.json ]; then \\
  exec python3 $$boot/{FOLDER}/first_boot.py $$boot/{FOLDER}; fi; done'

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Written:
    """What lies on the card now: ids of release and environment, who signed, and bytes."""

    release: str
    environment: str
    key_id: str
    size: int


def image_target(profile: DeviceProfile, image: str) -> Target:
    """What wheels must be built for, of a board that cannot be asked yet.

    Raises:
        EdgecrnnError: no image of that name is known, or the board cannot run edgecrnn.
    """
    if image not in IMAGES:
        raise EdgecrnnError(f"image: expected one of {', '.join(IMAGES)}, got {image!r}")
    if profile.cannot_run:
        raise EdgecrnnError(f"{profile.title} cannot run edgecrnn: {profile.cannot_run}")
    python, glibc = IMAGES[image]
    if python not in profile.python:
        raise EdgecrnnError(
            f"image: expected one with Python {' or '.join(profile.python)} for {profile.title}, "
            f"got {image} with {python}; choose another image, or "
            f"--profile linux-{profile.architecture}"
        )
    return Target(profile.architecture, python, glibc)


def profile_of(settings: FlashSettings) -> DeviceProfile:
    """The profile that was named, else that which the bundle was converted for.

    Raises:
        EdgecrnnError: there is none of that name, or the bundle is none.
    """
    return load_profile(settings.profile or _opened(Path(settings.bundle)).manifest.device)


def write_boot_volume(
    settings: FlashSettings,
    volume: Path,
    target: Target,
    resolved: Resolve | None = None,
    installer: Callable[[Target], Path] | None = None,
) -> Written:
    """Put a release, its environment's wheels and what brings them onto a boot volume.

    Nothing of the image is changed but vendor-data and one folder; a second call replaces those.
    Until the last rename, what was there before is what the card would bring.

    Args:
        settings: as for a board; `service` says whether systemd keeps it running.
        volume: where the card's boot partition is mounted.
        target: of the image on the card: `image_target`.
        resolved: gives the wheels; from the package index without it.
        installer: gives the wheel of pip; likewise.

    Raises:
        EdgecrnnError: the volume is no boot volume or has no room, or the bundle is none; the
            volume is as it was.
    """
    check_volume(volume)
    bundle = _opened(Path(settings.bundle))
    profile = profile_of(settings)
    words = run_words(settings)
    wanted = requirements(profile.runtime, profile.runtime_version, target, extras_for(words))
    wheels, environment = (resolved or resolve)(wanted, target)
    pip = (installer or pip_wheel)(target)
    _check_room(volume, [Path(settings.bundle), pip, *wheels.values()])
    try:
        with new_folder(volume / FOLDER) as folder:
            for name, path in wheels.items():
                _copy(path, folder / "wheels" / name)
            _copy(pip, folder / "ensurepip/_bundled" / pip.name)
            (folder / "ensurepip/__init__.py").write_bytes(b"")
            _copy(Path(settings.bundle), folder / "release" / BUNDLE)
            key = _signed(settings, folder / "release")
            release = Release(
                name=Path(settings.bundle).name.removesuffix(".edgecrnn"),
                bundle=file_sha256(folder / "release" / BUNDLE),
                environment=environment,
                run=words,
                budget_ms=budget_of(settings, bundle),
            )
            (folder / "release" / RELEASE).write_bytes(release.to_bytes())
            _write_programs(folder, settings, profile)
            payload = {
                "version": 1,
                "name": release.name,
                "release": release.id,
                "environment": environment,
                "wheels": [asdict(wheel) for wheel in listed(wheels, offline=True)],
                "key": key,
                "python": target.python,
                "root": settings.root or SERVICE_ROOT,
                "service": settings.service,
                "patience": max(settings.patience, _PATIENCE),
                "switch": [
                    *("--patience", str(max(settings.patience, _PATIENCE))),
                    *("--frames", str(settings.frames)),
                ],
                "files": _hashes(folder),
            }
            identity = sha256(json.dumps(payload, sort_keys=True).encode())[:16]
            data = json.dumps({**payload, "id": identity}, indent=1).encode()
            (folder / "payload.json").write_bytes(data + b"\n")
            size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        write_file(volume / VENDOR_DATA, _HOOK.encode())
    except OSError as error:
        raise not_written(volume, error) from error
    return Written(release.id, environment, key_id(key), size)


def check_volume(volume: Path) -> None:
    """Refuse what is no boot volume of an image with cloud-init, or holds somebody's vendor-data.

    Raises:
        EdgecrnnError: so it is.
    """
    if not volume.is_dir():
        raise EdgecrnnError(
            f"{volume}: expected the folder where the card's boot volume is mounted, got none; "
            "put the card in, and see where it shows (bootfs, system-boot)"
        )
    if not any((volume / name).is_file() for name in _BOOT):
        raise EdgecrnnError(
            f"{volume}: expected a boot volume with {' or '.join(_BOOT)}, got none in there; "
            "name the card's small FAT partition (bootfs, system-boot)"
        )
    if not all((volume / name).is_file() for name in _SEED):
        raise EdgecrnnError(
            f"{volume}: expected an image with cloud-init ({', '.join(_SEED)}), got one without; "
            "take Raspberry Pi OS trixie of November 2025 or later, or flash over ssh"
        )
    there = volume / VENDOR_DATA
    if there.exists() and _OURS.encode() not in there.read_bytes():
        raise EdgecrnnError(
            f"{there}: expected none, or one that edgecrnn wrote, got another; "
            "bring what it says into user-data and remove it"
        )


def pip_wheel(target: Target) -> Path:
    """Give pip itself, since Ubuntu's images come without.

    Raises:
        EdgecrnnError: the package index cannot be reached.
    """
    found = fetch(["pip"], target, cache())
    return next(path for name, path in found.items() if name.startswith("pip-"))


def _opened(bundle: Path) -> Bundle:
    if bundle.is_dir():
        raise EdgecrnnError(f"{bundle}: expected a bundle's file, got a folder; pack it again")
    return open_bundle(bundle)


def _signed(settings: FlashSettings, folder: Path) -> str:
    """Put the signature beside the copied bundle; gives the public key."""
    bundle, beside = folder / BUNDLE, Path(f"{settings.bundle}{SUFFIX}")
    if beside.is_file() and not settings.key:
        data = beside.read_bytes()
        key = claimed(data, str(beside)).key
        verify(bundle, data, frozenset({key}))
    else:
        name = settings.key or keys.DEFAULT
        if not settings.key and not (keys.keys_folder() / f"{name}.key").exists():
            keys.new_key(name)
        known, private = keys.load_key(name)
        key, data = known.public, sign(bundle, private)
    (folder / SIGNATURE).write_bytes(data)
    return key


def _write_programs(folder: Path, settings: FlashSettings, profile: DeviceProfile) -> None:
    """What runs on the board, and the units."""
    package = resources.files(__package__)
    for name, script in (("first_boot", "_first_boot"), ("environment", "_environment")):
        data = (package / f"{script}_script.py").read_bytes()
        (folder / f"{name}.py").write_bytes(data)
    (folder / FIRST_BOOT).write_text(_UNIT)
    if not settings.service:
        return
    root = settings.root or SERVICE_ROOT
    devices = unit.devices_for([settings.delegate] if settings.delegate else profile.delegates)
    units = folder / "units"
    units.mkdir()
    (units / unit.SERVICE).write_text(unit.service_unit(root, devices=devices))
    # The first boot sets the person of the board in root's place.
    (units / unit.ROLLBACK).write_text(unit.rollback_unit(root, "root"))
    (units / unit.SYSUSERS).write_text(unit.sysusers())


def _check_room(volume: Path, files: list[Path]) -> None:
    sizes = [file.stat().st_size for file in files]
    for file, size in zip(files, sizes, strict=True):
        if size > _MOST_OF_A_FILE:
            raise EdgecrnnError(f"{file}: expected under 4 GiB for a FAT volume, got {size} bytes")
    free = shutil.disk_usage(volume).free
    if free < sum(sizes) + _SPARE:
        raise EdgecrnnError(
            f"{volume}: expected {sum(sizes) / 1e6:.0f} MB free, got {free / 1e6:.0f} MB; "
            "remove what does not belong there, or flash over ssh"
        )


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its path in the folder: cards and FAT lose bits."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): file_sha256(each) for each in files}
