"""What the commands that ask a board share: how it is reached, and the folder there."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.devices.agent import call_current
from edgecrnn.devices.ssh import SshSettings, connect


def add_board(parser: argparse.ArgumentParser) -> None:
    """Add HOST, --root and how ssh reaches it."""
    parser.add_argument("host", metavar="HOST", help="USER@HOST, or a name in your ssh config")
    parser.add_argument(
        "--root",
        default="",
        metavar="DIR",
        help="edgecrnn's folder there (default: that of the service, else the person's own)",
    )
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    add_settings(parser, SshSettings)


def asked(args: argparse.Namespace, command: Sequence[str], seconds: float = 120) -> dict[str, Any]:
    """The answer of the agent that runs there.

    Raises:
        EdgecrnnError: it cannot be reached, or refuses.
    """
    with connect(args.host, read_settings(SshSettings, args)) as shell:
        return call_current(shell, args.root, command, seconds)
