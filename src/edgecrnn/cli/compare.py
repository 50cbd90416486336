"""`edgecrnn compare RUN RUN...`: several runs on the same clips, side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output

if TYPE_CHECKING:
    from edgecrnn.train.evaluation.comparison import Contender


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of train")
    parser.add_argument(
        "--data", type=Path, metavar="DATA", help="the data, where it moved since the training"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="also write a page")
    parser.add_argument("--force", action="store_true", help="replace the page")
    parser.add_argument("--cache", default="", help="folder for decoded frames")
    parser.add_argument(
        "--device", metavar="NAME", help="also about how long a frame takes on this measured board"
    )


def execute(args: argparse.Namespace) -> int:
    """Judge, print, and write the page."""
    from edgecrnn.train.compare import judge_runs
    from edgecrnn.train.evaluation.comparison import differences
    from edgecrnn.train.evaluation.comparison_text import difference_said

    if args.out is not None:
        check_output(args.out, args.force, ())
    rate, device = _rate(args.device) if args.device is not None else (None, "")
    show = _say if sys.stderr.isatty() else lambda sentence: None
    contenders = judge_runs(args.runs, args.data, args.cache, show)
    print(_text(contenders, rate, device), end="")
    for difference in differences(contenders):
        print(f"\n{difference_said(difference)}")
    if args.out is not None:
        from edgecrnn.train.report.compare import write_comparison

        write_comparison(args.out, contenders, rate, device)
        print(f"\npage    {args.out}")
    return 0


def _rate(name: str) -> tuple[float, str]:
    """Million multiply-adds a millisecond of a board, and what people call it.

    Raises:
        EdgecrnnError: there is no such board, or nobody has measured it.
    """
    from edgecrnn.devices.profile import load_profile

    profile = load_profile(name)
    if profile.multiply_adds is None:
        raise EdgecrnnError(
            f"--device: expected a board whose speed has been measured, got {profile.name}, on "
            "which nobody has; leave --device out, or run edgecrnn bench there with a bundle"
        )
    return profile.multiply_adds, profile.title


def _text(contenders: tuple[Contender, ...], rate: float | None, device: str) -> str:
    """What was judged, the scores, and the settings that differ."""
    from edgecrnn.train.evaluation.comparison import settings_that_differ
    from edgecrnn.train.evaluation.comparison_text import comparison_rows, judged_on
    from edgecrnn.train.evaluation.text import shown
    from edgecrnn.train.report.page import setting_said

    text = f"{judged_on(contenders)}\n\n"
    text += _fitting(comparison_rows(contenders, rate, device))
    differ = settings_that_differ(contenders)
    if not differ:
        return f"{text}\nThe settings are the same.\n"
    rows = [["setting that differs", *(one.name for one in contenders)]]
    rows += [
        [name, *(shown(setting_said(value), 24) for value in values)]
        for name, values in differ.items()
    ]
    return f"{text}\n{_fitting(rows)}"


def _fitting(rows: list[list[str]]) -> str:
    """The table, its runs' names cut."""
    from edgecrnn.train.evaluation.text import shown, table

    head = [rows[0][0], *(shown(name, 24) for name in rows[0][1:])]
    return table([head, *rows[1:]])


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
