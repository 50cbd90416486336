"""`edgecrnn search BUNDLE INDEX PICTURE`: the pictures of an index that are most like one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="that the index was made with")
    parser.add_argument("index", type=Path, metavar="INDEX", help="what edgecrnn index wrote")
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="what is looked for")
    parser.add_argument("--most", type=int, default=10, help="pictures told (default 10)")
    parser.add_argument("--json", action="store_true", help="JSON lines")


def execute(args: argparse.Namespace) -> int:
    """Print a line for each picture found, the most alike first."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.search import find

    if args.most < 1:
        raise EdgecrnnError(f"--most: expected 1 or more, got {args.most}")
    for hit in find(open_bundle(args.bundle), args.index, args.picture, args.most):
        if args.json:
            print(json.dumps({"picture": hit.name, "alike": round(hit.alike, 4)}))
        else:
            print(f"{hit.alike:6.3f}  {hit.name}")
    return 0
