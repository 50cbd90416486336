"""`edgecrnn devices list|show|check|probe`: the boards that `convert --device` knows, or yours."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.convert.backends import check_delegates, load_backend
from edgecrnn.devices.probe import ROOT, Facts, Mismatch, fits, fitting_profile, probe
from edgecrnn.devices.profile import STATUSES, DeviceProfile, load_profile, profile_names
from edgecrnn.devices.ssh import LOCAL, SshSettings, connect
from edgecrnn.runtime.printable import printable


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions; without one it lists."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    actions.add_parser("list", help="the boards that come with edgecrnn (the default)")
    show = actions.add_parser("show", help="everything that is known of one board")
    show.add_argument("device", metavar="NAME", help="a board's name, or a .toml file of your own")
    check = actions.add_parser("check", help="whether a .toml file of your own is a profile")
    check.add_argument("file", metavar="FILE", type=Path)
    ask = actions.add_parser("probe", help="ask a board what it is, and which profile fits")
    ask.add_argument(
        "host", nargs="?", default=LOCAL, metavar="HOST", help="USER@HOST; this machine without it"
    )
    ask.add_argument("--device", metavar="NAME", help="hold it against this profile")
    ask.add_argument(
        "--root", default=ROOT, metavar="DIR", help=f"edgecrnn's folder there (default {ROOT})"
    )
    ask.add_argument("--json", action="store_true", help="everything as one JSON object")
    add_settings(ask, SshSettings)


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
        if profile.cannot_run:
            print(f"  cannot run edgecrnn: {profile.cannot_run}")
    elif args.action == "probe":
        return _probe(args)
    else:
        print(_table())
    return 0


def _probe(args: argparse.Namespace) -> int:
    """0 where the profile fits, 1 where something fatal does not."""
    asked = load_profile(args.device) if args.device else None
    with connect(args.host, read_settings(SshSettings, args)) as shell:
        facts = probe(shell, args.root)
    profile = asked or fitting_profile(facts)
    found = fits(facts, profile) if profile else [_nothing_fits(facts)]
    if args.json:
        said = {
            "host": args.host,
            "facts": dataclasses.asdict(facts),
            "profile": profile.name if profile else None,
            "mismatches": [dataclasses.asdict(each) for each in found],
        }
        print(json.dumps(said, indent=1, ensure_ascii=False))
    else:
        print(_told(facts))
        if profile:
            print(f"\nprofile  {profile.name} ({profile.title}, {profile.status})")
        for each in found:
            print(f"{'cannot  ' if each.fatal else 'note    '} {each.text()}")
        if not found:
            print("         everything fits")
    return int(any(each.fatal for each in found))


def _nothing_fits(facts: Facts) -> Mismatch:
    return Mismatch(
        f"no profile is for {facts.architecture or 'a machine that says not what it is'}",
        "write one (docs/adding-a-device.md)",
    )


def _told(facts: Facts) -> str:
    """The facts, a line each; what the board did not tell is left out."""
    packages = ", ".join(f"{name} {version}" for name, version in (facts.packages or {}).items())
    heat = "" if facts.celsius is None else f", {facts.celsius:.0f} °C"
    rows = {
        "board": facts.model,
        "system": f"{facts.os}, {facts.architecture}, glibc {facts.glibc or 'none'}",
        "cpu": f"{facts.cores} cores, {'' if facts.dot_product else 'no '}int8 dot product{heat}",
        "memory": f"{facts.memory_mb} MB",
        "folder": f"{facts.root}: {facts.free_mb} MB free"
        + ("" if facts.writable else ", not writable"),
        "python": facts.python + ("" if facts.venv else ", no venv"),
        "packages": packages or "none",
        "cameras": ", ".join(facts.cameras) or "none",
        "libraries": ", ".join(facts.libraries) or "none",
        "services": "systemd" if facts.systemd else "no systemd",
    }
    return "\n".join(f"{name:<9}  {printable(text)}" for name, text in rows.items() if text)


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
            text = text or "none"
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
