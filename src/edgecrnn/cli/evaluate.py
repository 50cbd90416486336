"""`edgecrnn evaluate RUN|BUNDLE DATA`: how good a model is, on clips and on the stream."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file

# Skipped files listed on the terminal; the JSON has all of them.
_LISTED = 10
_MOST_ORDERS = 100
_NO_STREAM = (
    "--orders: expected a model of clips with one label each, which are joined to a stream, got "
    "another; leave it out"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=Path, metavar="RUN|BUNDLE", help="what to judge")
    parser.add_argument("data", type=Path, metavar="DATA", help="[split/]class/file")
    parser.add_argument(
        "--split",
        choices=("train", "val", "test"),
        help="which clips; without it test, or what comes nearest to it",
    )
    parser.add_argument("--variant", help="of a bundle; without it the preferred one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there too")
    parser.add_argument("--force", action="store_true", help="replace the --json file")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the stream")
    parser.add_argument(
        "--orders", type=int, metavar="N",
        help=f"also judge the stream in N orders of its clips, 2 to {_MOST_ORDERS}: how much is "
        "the luck of one",
    )  # fmt: skip
    parser.add_argument("--cache", default="", help="folder for decoded frames")


def execute(args: argparse.Namespace) -> int:
    """Judge, print, and write the JSON."""
    from edgecrnn.cli.evaluate_pictures import evaluate_pictures, is_picture_subject
    from edgecrnn.train.evaluation.choice import choose_clips
    from edgecrnn.train.evaluation.multilabel import evaluate_task
    from edgecrnn.train.evaluation.orders import judge_orders, orders_text
    from edgecrnn.train.evaluation.streams import counting
    from edgecrnn.train.evaluation.text import count_said, evaluation_text, shown
    from edgecrnn.train.subject import load_for, open_subject

    if args.seed < 0:
        raise EdgecrnnError(f"--seed: expected 0 or more, got {args.seed}; leave it out for 0")
    if args.orders is not None and not 2 <= args.orders <= _MOST_ORDERS:
        raise EdgecrnnError(f"--orders: expected 2 to {_MOST_ORDERS}, got {args.orders}")
    if args.json is not None:
        check_output(args.json, args.force, ())
    if is_picture_subject(args.model):
        if args.orders:
            raise EdgecrnnError(_NO_STREAM)
        return evaluate_pictures(args)
    subject = open_subject(args.model, args.variant)
    if args.orders and (subject.kind != "clips" or subject.task != "classify"):
        raise EdgecrnnError(_NO_STREAM)
    data = load_for(subject, args.data, args.cache, _progress("decoding"))
    chosen = choose_clips(data, args.split, subject.trained)
    evaluation, _ = evaluate_task(
        subject.task,
        subject.predictor,
        chosen.clips,
        subject.labels,
        subject.kind,
        subject.warmup,
        subject.decision,
        args.seed,
        subject.baseline,
        _progress("judging"),
    )
    if chosen.unseen:
        evaluation = dataclasses.replace(evaluation, promise=subject.promise)
    frames = int(chosen.clips.starts[-1])
    size = count_said(len(chosen.clips), subject.kind.removesuffix("s"))
    size += f", {count_said(frames, 'frame')}" if subject.kind == "clips" else ""
    print(f"{shown(str(args.model), 1000)} ({subject.what})")
    print(f"on {shown(str(args.data), 1000)}: {chosen.said}, {size}\n")
    print(evaluation_text(evaluation), end="")
    orders = None
    if args.orders:
        orders = judge_orders(
            subject.predictor,
            chosen.clips,
            evaluation.detail.predicted,
            subject.warmup,
            args.orders,
            counting(args.orders * frames, _progress("orders")),
        )
        print(f"\n{orders_text(orders)}")
    if not chosen.unseen:
        print("\nNote: training has used this split; expect less of clips that it has not.")
    for note in data.notes:
        print(f"\nNote: {shown(note, 1000)}")
    skipped = [(str(item.path), item.reason) for item in data.skipped]
    if skipped:
        print(f"\nSkipped {len(skipped)} of the folder's files:")
        for path, reason in skipped[:_LISTED]:
            print(f"  {shown(path, 200)}: {shown(reason, 200)}")
        if len(skipped) > _LISTED:
            print(f"  and {len(skipped) - _LISTED} more")
    if args.json is not None:
        facts: dict[str, Any] = {
            "model": str(args.model),
            "what": subject.what,
            "data": str(args.data),
            "data_hash": data.hash,
            "split": chosen.split,
            **evaluation.to_dict(),
            **({"orders": dataclasses.asdict(orders)} if orders else {}),
            "skipped": [{"path": path, "reason": reason} for path, reason in skipped],
        }
        # Plain ASCII: a file name may hold bytes that are no letters.
        write_file(args.json, (json.dumps(facts, indent=1) + "\n").encode("ascii"))
        print(f"\nWrote {shown(str(args.json), 1000)}")
    return 0


def _progress(what: str) -> Callable[[int, int], None] | None:
    """A line on standard error that counts up, where a person sits before it."""
    if not sys.stderr.isatty():
        return None
    last = -1

    def show(done: int, total: int) -> None:
        nonlocal last
        share = 100 * done // max(1, total)
        if share != last:
            last = share
            end = "\r\x1b[K" if done >= total else ""
            print(f"\r{what} {share} %{end}", end="", file=sys.stderr, flush=True)

    return show
