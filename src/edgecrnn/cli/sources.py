"""`edgecrnn sources`: what this machine has that `run --source` can read."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgecrnn.runtime.printable import printable

if TYPE_CHECKING:
    from edgecrnn.runtime.found_sources import Found


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="a JSON list instead of the table")


def execute(args: argparse.Namespace) -> int:
    """Look and print; no camera is started."""
    from edgecrnn.runtime.found_sources import found_sources

    found = found_sources()
    if args.json:
        print(json.dumps([dataclasses.asdict(each) for each in found], indent=2))
    else:
        print(table(found, shutil.get_terminal_size().columns))
    return 0


def table(found: Sequence[Found], width: int) -> str:
    """What is here, then what is not; details are folded into `width` characters."""
    rows = [("SOURCE", "WHAT", "DETAILS")]
    for here in (True, False):
        # A camera's name is its maker's, or whoever made it.
        rows += [
            (f.source, printable(f.name), printable("; ".join(f.details)))
            for f in found
            if f.here is here
        ]
    count = sum(f.here for f in found)
    first, second = (max(len(row[column]) for row in rows) for column in range(2))
    indent = first + second + 4
    lines = []
    for place, (source, name, details) in enumerate(rows):
        if place == count + 1:
            lines += ["", "Not here:"]
        folded = textwrap.wrap(details, max(24, width - indent)) or [""]
        lines.append(f"{source:<{first}}  {name:<{second}}  {folded[0]}".rstrip())
        lines += [" " * indent + line for line in folded[1:]]
    return "\n".join(lines)
