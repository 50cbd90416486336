"""`edgecrnn devices list|show|check`: the boards that `convert --device` knows."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from edgecrnn.convert.backends import check_delegates, load_backend
from edgecrnn.devices.profile import STATUSES, DeviceProfile, load_profile, profile_names


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the three actions; without one it lists."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    actions.add_parser("list", help="the boards that come with edgecrnn (the default)")
    show = actions.add_parser("show", help="everything that is known of one board")
    show.add_argument("device", metavar="NAME", help="a board's name, or a .toml file of your own")
    check = actions.add_parser("check", help="whether a .toml file of your own is a profile")
    check.add_argument("file", metavar="FILE", type=Path)


def execute(args: argparse.Namespace) -> int:
    """Print what was asked for."""
    if args.action == "show":
        print(_shown(load_profile(args.device)))
    elif args.action == "check":
        # Joined to a folder, a bare file name is not taken for a board's.
        profile = load_profile(f"{args.file.parent}/{args.file.name}")
        check_delegates(profile)
        print(f"{args.file}: in order; convert for it with --device {args.file}")
        print(f"  {profile.title}, {profile.architecture}")
        for name in profile.delegates:
            print(f"  {name}: {load_backend(name).TITLE}")
    else:
        print(_table())
    return 0


def _table() -> str:
    rows = [("NAME", "STATUS", "BOARD")]
    rows += [(p.name, p.status, p.title) for p in map(load_profile, profile_names())]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{n:<{widths[0]}}  {s:<{widths[1]}}  {t}" for n, s, t in rows)


def _shown(profile: DeviceProfile) -> str:
    lines = []
    for field in fields(profile):
        value = getattr(profile, field.name)
        if isinstance(value, Mapping):
            text = "; ".join(f"{key}: {_settings(table)}" for key, table in value.items()) or "none"
        else:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
        if field.name == "status":
            text += f" ({STATUSES[value]})"
        unit = field.metadata.get("unit", "")
        lines.append((field.name, f"{text} {unit}".strip(), field.metadata.get("help", "")))
    width = max(len(name) for name, _, _ in lines)
    return "\n".join(
        f"{name:<{width}}  {text}" + (f"\n{'':<{width}}    {help}" if help else "")
        for name, text, help in lines
    )


def _settings(table: Mapping[str, object]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in table.items())
