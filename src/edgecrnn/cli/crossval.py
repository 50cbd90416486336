"""`edgecrnn crossval DATA`: how much of a score is the luck of the split."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.cli.train import add_choices, plan_of, read_choices
from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from edgecrnn.train.data.layout import Layout
    from edgecrnn.train.data.store import Data


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments: those of train, and the folds."""
    parser.add_argument("data", type=Path, metavar="DATA", help="[split/]class/file; test unused")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR",
        help="folder of the folds' runs; what is finished there is not trained again",
    )  # fmt: skip
    parser.add_argument(
        "--folds", type=int, default=5, metavar="K", help="parts, 3 to 50 (default 5)"
    )
    parser.add_argument(
        "--group", metavar="REGEX",
        help="finds in a file's name what must not be divided, such as the camera or the person; "
        "without it parts of one recording stay together",
    )  # fmt: skip
    parser.add_argument(
        "--keep-alike", action="store_true",
        help="also keep together what `data check` would call nearly the same: reads every file "
        "once more",
    )  # fmt: skip
    add_choices(parser)


def execute(args: argparse.Namespace) -> int:
    """Train and judge every fold, then tell."""
    from edgecrnn.train.data.cache import cache_root
    from edgecrnn.train.data.digests import digests_of
    from edgecrnn.train.data.layout import read_layout
    from edgecrnn.train.data.shared import refuse_shared
    from edgecrnn.train.data.store import load
    from edgecrnn.train.folds import LEAST, groups_of, make_folds, pooled
    from edgecrnn.train.plan import check_plan
    from edgecrnn.train.tasks import LABEL_TASKS, is_picture_task
    from edgecrnn.train.tensorflow_start import start_tensorflow

    if not LEAST <= args.folds <= 50:
        raise EdgecrnnError(f"--folds: expected {LEAST} to 50, got {args.folds}")
    if os.environ.get("TF_CONFIG"):
        raise EdgecrnnError(
            "TF_CONFIG: expected none for folds, which train on one machine; unset it"
        )
    read_choices(args)
    if hasattr(args, "task") and is_picture_task(args.task):
        raise EdgecrnnError(
            f"--task: expected {' or '.join(LABEL_TASKS)} for folds, got {args.task}; train it "
            "once with edgecrnn train"
        )
    digests = digests_of(args.data, cache_root(getattr(args, "cache", "")))
    layout = read_layout(args.data, 0, digest=digests)
    plan = plan_of(args, layout.kind)
    check_plan(plan, layout.kind)
    refuse_shared(layout, plan.data.allow_shared)
    data = load(args.data, plan.preprocessing, plan.data, digests=digests)
    pool = pooled(data)
    contents = {layout.name(item): item.digest for item in layout.items}
    groups = groups_of(pool.names, contents, args.group)
    if args.keep_alike:
        groups = _with_alike(groups, pool.names, layout)
    fold = make_folds(pool.targets > 0.5, groups, data.labels, args.folds, plan.train.seed)
    # TensorFlow is imported only now: a mistake in the data is told at once.
    start_tensorflow()
    from edgecrnn.cli.progress import TrainingProgress
    from edgecrnn.train.cross_validation import RESULT, cross_validate, cross_validation_text
    from edgecrnn.train.training import Watch, train

    def train_fold(run: Path, part: Data, resume: bool) -> bool:
        progress = TrainingProgress()
        watch = Watch(progress.step, progress.epoch)
        return not train(args.data, run, part, plan, resume, watch)[1].interrupted

    found = cross_validate(args.out, data, pool, fold, groups, plan, train_fold, _say)
    if found is None:
        _say(f"\nstopped; the same command goes on where {args.out} ends")
        return 130
    print(cross_validation_text(found))
    print(f"folds   {args.out / RESULT}")
    return 0


def _with_alike(groups: Sequence[str], names: Sequence[str], layout: Layout) -> tuple[str, ...]:
    """The groups, joined where files of them show nearly the same."""
    from edgecrnn.train.data.check.near_duplicates import near_duplicates
    from edgecrnn.train.data.check.reading import read_all
    from edgecrnn.train.folds import joined

    items = {layout.name(item): item for item in layout.items}
    readings = read_all([items[name] for name in names], layout.kind)
    pairs = [(pair.first, pair.second) for pair in near_duplicates(readings).pairs]
    made = joined(groups, pairs)
    if pairs:
        _say(
            f"{len(pairs):,} pairs show nearly the same: {len(set(groups)):,} groups became "
            f"{len(set(made)):,}"
        )
    return made


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
