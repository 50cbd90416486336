"""`edgecrnn compare RUN RUN...`: several runs on the same clips, side by side."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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


def execute(args: argparse.Namespace) -> int:
    """Judge, print, and write the page."""
    from edgecrnn.train.compare import judge_runs
    from edgecrnn.train.evaluation.comparison import difference_said, differences

    if args.out is not None:
        check_output(args.out, args.force, ())
    show = _say if sys.stderr.isatty() else lambda sentence: None
    contenders = judge_runs(args.runs, args.data, args.cache, show)
    print(comparison_text(contenders), end="")
    for difference in differences(contenders):
        print(f"\n{difference_said(difference)}")
    if args.out is not None:
        from edgecrnn.train.report.compare import write_comparison

        write_comparison(args.out, contenders)
        print(f"\npage    {args.out}")
    return 0


def comparison_text(contenders: tuple[Contender, ...]) -> str:
    """The scores and the settings that differ."""
    from edgecrnn.train.evaluation.comparison import settings_that_differ
    from edgecrnn.train.evaluation.text import percent, shown, table
    from edgecrnn.train.report.page import setting_said

    streamed = contenders[0].evaluation.stream is not None
    head = ["run", contenders[0].evaluation.kind, "95 % interval"]
    rows = [head + (["stream", "shuffled"] if streamed else []) + ["parameters", "multiply-adds"]]
    for one in contenders:
        clip, stream = one.evaluation.clip, one.evaluation.stream
        row = [shown(one.name, 40), percent(clip.accuracy)]
        row.append(f"{100 * clip.interval[0]:.1f} to {100 * clip.interval[1]:.1f}")
        if stream is not None:
            row += [percent(stream.accuracy), percent(clip.shuffled_accuracy)]
        cost = f"{one.multiply_adds / 1e6:.2f} M" if one.multiply_adds else "-"
        rows.append([*row, f"{one.parameters:,}", cost])
    text = table(rows)
    differ = settings_that_differ(contenders)
    if differ:
        rows = [["setting", *(shown(one.name, 24) for one in contenders)]]
        rows += [[name, *map(setting_said, values)] for name, values in differ.items()]
        text += f"\n{table(rows)}"
    return text


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
