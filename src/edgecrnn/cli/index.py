"""`edgecrnn index BUNDLE FOLDER --out INDEX`: make a folder of pictures searchable by likeness."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edgecrnn.runtime.files import check_output


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="of the task retrieve")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pictures, at any depth")
    parser.add_argument("--out", type=Path, required=True, metavar="INDEX", help="folder to write")
    parser.add_argument("--force", action="store_true", help="replace an index that is there")


def execute(args: argparse.Namespace) -> int:
    """Read every picture, write the index."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.search import build_index

    check_output(args.out, args.force, ("index.json",))
    head, skipped = build_index(open_bundle(args.bundle), args.folder, args.out, _progress)
    for name in skipped:
        print(f"skipped {name}: no picture that can be read", file=sys.stderr)
    print(f"{len(head.names)} pictures, {head.numbers} numbers each\nindex   {args.out}")
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\r\x1b[K" if done >= total else ""
        print(f"\rindexing {done}/{total}{end}", end="", file=sys.stderr, flush=True)
