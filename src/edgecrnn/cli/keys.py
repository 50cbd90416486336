"""`edgecrnn keys new|list|show|trust`: the keys that bundles are signed with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edgecrnn.cli.board import add_board, asked
from edgecrnn.devices.keys import (
    DEFAULT,
    Key,
    keys_folder,
    list_keys,
    load_key,
    new_key,
    read_public,
)
from edgecrnn.runtime.signature import key_id

_EPILOG = """A private key never leaves its file. Keep a copy of it where nobody else reads:
boards take bundles from the keys they trust alone. docs/security.md tells how keys are changed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions; without one it lists."""
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    new = actions.add_parser("new", help="make a key; one that is there is never replaced")
    new.add_argument("name", nargs="?", default=DEFAULT, metavar="NAME", help="default: default")
    actions.add_parser("list", help="your keys (the default)")
    show = actions.add_parser("show", help="the public half of a key, to be given to others")
    show.add_argument("name", nargs="?", default=DEFAULT, metavar="NAME", help="default: default")
    trust = actions.add_parser("trust", help="have a board believe a key, or no more")
    add_board(trust)
    trust.add_argument("public", metavar="PUBFILE", type=Path, help="the .pub file of the key")
    trust.add_argument("--remove", action="store_true", help="believe it no more")


def execute(args: argparse.Namespace) -> int:
    """Do it; nothing of a private key is printed."""
    if args.action == "new":
        key = new_key(args.name)
        print(f"{_told(key)}\nkeep a copy of {key.file} where nobody else can read it")
    elif args.action == "show":
        print(_told(load_key(args.name)[0]))
    elif args.action == "trust":
        return _trust(args)
    else:
        print(_table(list_keys()))
    return 0


def _trust(args: argparse.Namespace) -> int:
    public = read_public(args.public)
    answer = asked(args, ["trust", public, *(["--remove"] if args.remove else [])])
    if args.json:
        print(json.dumps(answer, indent=1))
        return 0
    verb = "believes no more" if args.remove else "believes"
    print(f"{args.host} {verb} {key_id(public)}; it trusts {', '.join(answer['trusted'])}")
    return 0


def _told(key: Key) -> str:
    rows = {
        "name": key.name,
        "id": key_id(key.public),
        "public": key.public,
        "file": str(key.file.with_name(f"{key.name}.pub")),
    }
    return "\n".join(f"{name:<6}  {text}" for name, text in rows.items())


def _table(keys: list[Key]) -> str:
    if not keys:
        return (
            f"no keys in {keys_folder()}; edgecrnn keys new makes one, and so does the first flash"
        )
    rows = [("NAME", "ID", "PUBLIC HALF")]
    rows += [
        (key.name, key_id(key.public), str(key.file.with_name(f"{key.name}.pub"))) for key in keys
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{n:<{widths[0]}}  {i:<{widths[1]}}  {f}" for n, i, f in rows)
