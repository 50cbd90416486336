"""`edgecrnn logs HOST`: what the run on a board printed."""

from __future__ import annotations

import argparse
import json

from edgecrnn.cli.board import add_board, asked
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.printable import printable


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_board(parser)
    parser.add_argument(
        "--lines", type=int, default=50, metavar="N", help="of its end (default 50)"
    )
    parser.add_argument("--flash", action="store_true", help="of the switches between releases")


def execute(args: argparse.Namespace) -> int:
    """Print the last lines."""
    if args.lines < 1:
        raise EdgecrnnError(f"--lines: expected at least 1, got {args.lines}")
    words = ["logs", "--lines", str(args.lines), *(["--flash"] if args.flash else [])]
    answer = asked(args, words)
    if args.json:
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        for line in answer["lines"]:
            # A log holds what a model or a camera says; a terminal must not obey it.
            print(printable(line))
    return 0
