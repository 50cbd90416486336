"""`edgecrnn rollback HOST`: go back to the release that ran before."""

from __future__ import annotations

import argparse
import json

from edgecrnn.cli.board import add_board, asked


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_board(parser)


def execute(args: argparse.Namespace) -> int:
    """Switch back, and tell between which."""
    answer = asked(args, ["rollback"])
    if args.json:
        print(json.dumps(answer, indent=1))
    else:
        print(f"{args.host} runs {answer['to'] or 'nothing'} again; {answer['from']} was taken off")
    return 0
