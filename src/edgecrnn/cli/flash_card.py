"""`edgecrnn flash BUNDLE --boot-volume DIR`: a card that comes up classifying."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from edgecrnn.cli.flags import read_settings
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.runtime.errors import EdgecrnnError

# Of a board that cannot be asked yet.
_NOT_OF_A_CARD = ("offline", "allow_downgrade", "dry_run", "port", "ssh_config", "connect_timeout")


def add_card(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a card."""
    group = parser.add_argument_group("Without a board, onto a card")
    group.add_argument(
        "--boot-volume",
        type=Path,
        metavar="DIR",
        help="where the card's boot partition is mounted; it brings the bundle at its first boot",
    )
    group.add_argument(
        "--image",
        default="",
        metavar="NAME",
        help="what is on the card: trixie (Raspberry Pi OS), ubuntu-24.04 or ubuntu-22.04",
    )


def flash_card(args: argparse.Namespace, check_run: Callable[[FlashSettings], None]) -> int:
    """Write it, and tell what lies there.

    Args:
        args: of the command.
        check_run: raises where edgecrnn run would refuse what the board is to run.

    Raises:
        EdgecrnnError: the volume is none, a flag is for boards alone, or the bundle is none.
    """
    from edgecrnn.devices.boot_volume import (
        check_volume,
        image_target,
        profile_of,
        write_boot_volume,
    )

    for name in ("host", "inventory"):
        if getattr(args, name) is not None:
            raise EdgecrnnError(
                f"--boot-volume: expected no board beside it, got {getattr(args, name)}; "
                "leave one of them out"
            )
    for name in _NOT_OF_A_CARD:
        if getattr(args, name, None):
            raise EdgecrnnError(
                f"--{name.replace('_', '-')}: expected a board, got a card; leave it out"
            )
    settings = read_settings(
        FlashSettings, args, bundle=args.bundle, run=tuple(args.rest), service=True
    )
    check_run(settings)
    check_volume(args.boot_volume)
    target = image_target(profile_of(settings), args.image or _image_of(args.boot_volume))
    written = write_boot_volume(settings, args.boot_volume, target)
    if args.json:
        print(json.dumps(dataclasses.asdict(written), indent=1))
        return 0
    print(
        f"{args.boot_volume} holds release {written.release} ({written.size / 1e6:.0f} MB), "
        f"signed by key {written.key_id}\n"
        "unmount it, put the card in and switch on: the first boot takes some minutes, and leaves "
        "what it came to in edgecrnn-first-boot.txt on the card"
    )
    return 0


def _image_of(volume: Path) -> str:
    # Raspberry Pi's image builder puts it there (github.com/RPi-Distro/pi-gen, export-image).
    if (volume / "issue.txt").is_file():
        return "trixie"
    raise EdgecrnnError(
        "--image: expected trixie, ubuntu-24.04 or ubuntu-22.04, got nothing, and the card does "
        "not tell; name what you wrote onto it"
    )
