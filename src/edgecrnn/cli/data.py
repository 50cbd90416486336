"""`edgecrnn data check DIR`: what in a data folder would spoil training or its score."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file
from edgecrnn.train.data.store import DataSettings
from edgecrnn.train.settings import TrainSettings

_SKIPPED = ("cache", "allow_shared", "shortest")
_MOST_SHOWN = 200


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the one action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    check = actions.add_parser(
        "check",
        help="look through a folder before training on it; exit code 1 where it is serious",
        allow_abbrev=False,
    )
    check.add_argument("data", type=Path, metavar="DIR", help="[split/]class/file, as train takes")
    check.add_argument("--json", type=Path, metavar="FILE", help="also write all that was found")
    check.add_argument(
        "--out", type=Path, metavar="FILE.html", help="also write a page with the pictures"
    )
    check.add_argument(
        "--shown",
        type=int,
        default=12,
        metavar="N",
        help="pictures or clips on the page of each class and split (default 12)",
    )
    check.add_argument(
        "--window",
        type=int,
        metavar="N",
        help="frames of a clip that training needs at least, as for train "
        f"(default {TrainSettings.window})",
    )
    check.add_argument("--force", action="store_true", help="replace the files written")
    add_settings(check, DataSettings, skip=_SKIPPED, title="what training would be given")


def execute(args: argparse.Namespace) -> int:
    """Check, print, write; 1 where something serious was found."""
    from edgecrnn.train.data.check.check import as_json, check_folder
    from edgecrnn.train.data.check.text import check_text

    if not 0 <= args.shown <= _MOST_SHOWN:
        raise EdgecrnnError(f"--shown: expected 0 to {_MOST_SHOWN}, got {args.shown}")
    settings = read_settings(DataSettings, args, shortest=_window(args))
    for path in (args.json, args.out):
        if path is not None:
            check_output(path, args.force, ())
    if args.out is not None:
        # Imported now: what is not installed is said before minutes of reading.
        from edgecrnn.train.report.data_check import write_data_check
    show = _reading if sys.stderr.isatty() else None
    checked = check_folder(args.data, settings, show)
    print(check_text(checked), end="")
    if args.json is not None:
        text = json.dumps(as_json(checked), indent=1, ensure_ascii=False)
        write_file(args.json, text.encode("utf-8", "replace"))
        print(f"json  {args.json}")
    if args.out is not None:
        write_data_check(args.out, checked, args.shown)
        print(f"page  {args.out}")
    return int(checked.serious)


def _window(args: argparse.Namespace) -> int:
    if args.window is None:
        return TrainSettings.window
    return read_settings(TrainSettings, argparse.Namespace(window=args.window)).window


def _reading(done: int, total: int) -> None:
    end = "\r\x1b[K" if done >= total else ""
    print(f"\rreading {done}/{total}{end}", end="", file=sys.stderr, flush=True)
