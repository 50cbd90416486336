"""Cross-validation: every clip of train and val judged by a run that has not seen it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.evaluation.metrics import share_interval
from edgecrnn.train.evaluation.text import interval_said, percent, table
from edgecrnn.train.folds import fold_data
from edgecrnn.train.plan import CHECKPOINTS, PLAN, Plan, settings_text
from edgecrnn.train.run_folder import RECORD, read_record

RESULT = "folds.json"
_STARTED = "folds-started.json"


@dataclass(frozen=True)
class FoldResult:
    """One fold, judged by a run that was neither trained nor chosen on it."""

    run: str
    clips: tuple[str, ...]
    truth: tuple[int, ...]
    predicted: tuple[int, ...]
    accuracy: float  # of clips or pictures
    stream: float | None  # of frames; None for pictures


@dataclass(frozen=True)
class CrossValidation:
    """All folds."""

    kind: str  # clips or pictures
    labels: tuple[str, ...]
    groups: tuple[str, ...]  # of each judged clip, in the order of the folds' clips
    folds: tuple[FoldResult, ...]

    @property
    def right(self) -> npt.NDArray[np.int64]:
        """1 for each clip that is right, in the order of the folds' clips."""
        pairs = [np.equal(fold.truth, fold.predicted) for fold in self.folds]
        return np.concatenate(pairs).astype(np.int64)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the accuracy over all clips; whole groups are drawn."""
        names, place = np.unique(np.array(self.groups), return_inverse=True)
        right = np.bincount(place, self.right, len(names))
        return share_interval(right, np.bincount(place, minlength=len(names)), 0)


def cross_validate(
    out: Path,
    data: Data,
    pool: FrameStore,
    fold: npt.NDArray[np.int64],
    groups: Sequence[str],
    plan: Plan,
    train_fold: Callable[[Path, Data, bool], bool],
    say: Callable[[str], None],
) -> CrossValidation | None:
    """Train and judge every fold; what an earlier call has finished is not trained again.

    Args:
        out: folder of the runs `fold-1`, `fold-2` ... and of folds.json.
        data: the whole data folder, loaded.
        pool: its clips of train and val.
        fold: the fold of each of them.
        groups: the group of each of them.
        plan: the choices, the same for every fold.
        train_fold: (run, its data, whether to resume) to whether it came to its end.
        say: told what begins.

    Returns:
        None where a training was interrupted.

    Raises:
        EdgecrnnError: `out` holds folds of other data or settings.
    """
    from edgecrnn.train.judge import judge_run

    _start(out, {"data": data.hash, "fold": fold.tolist(), "settings": settings_text(plan)})
    count = int(fold.max()) + 1
    names = dict(zip(pool.names, groups, strict=True))
    labels = list(data.labels) if data.task == "classify" else []
    results = []
    for number in range(count):
        run = out / f"fold-{number + 1}"
        part = fold_data(data, pool, fold, number)
        if (run / RECORD).is_file() and not read_record(run).interrupted:
            say(f"fold {number + 1} of {count}: trained before")
        else:
            sizes = ", ".join(f"{len(store)} {name}" for name, store in part.splits.items())
            say(f"fold {number + 1} of {count}: {sizes}")
            begun = (run / PLAN).is_file() and any((run / one).is_file() for one in CHECKPOINTS)
            if not train_fold(run, part, begun):
                return None
        judged = judge_run(run, read_record(run), part)
        clips, stream = judged.chosen.clips, judged.evaluation.stream
        answers = (clips.labels, judged.evaluation.detail.predicted)
        truth, predicted = (renumbered(each, judged.evaluation.labels, labels) for each in answers)
        results.append(
            FoldResult(
                run.name, tuple(clips.names), truth, predicted, judged.evaluation.clip.accuracy,
                None if stream is None else stream.accuracy,
            )
        )  # fmt: skip
    judged_groups = tuple(names[name] for result in results for name in result.clips)
    found = CrossValidation(data.kind, tuple(labels), judged_groups, tuple(results))
    low, high = found.interval
    summary = {"accuracy": float(found.right.mean()), "interval": [low, high]}
    write_file(out / RESULT, json.dumps({**asdict(found), **summary}, indent=1).encode())
    return found


def renumbered(
    numbers: npt.NDArray[np.int64], names: Sequence[str], known: list[str]
) -> tuple[int, ...]:
    """The same labels, or sets of them, by their places in `known`, which the new ones join.

    Each fold numbers the sets of labels that it holds.
    """
    known += [name for name in dict.fromkeys(names[i] for i in numbers) if name not in known]
    return tuple(known.index(names[i]) for i in numbers)


def cross_validation_text(found: CrossValidation) -> str:
    """The folds, then the classes over all of them."""
    streamed = found.folds[0].stream is not None
    rows = [["fold", found.kind, "right", *(["stream"] if streamed else [])]]
    for number, fold in enumerate(found.folds, 1):
        row = [str(number), f"{len(fold.clips):,}", percent(fold.accuracy)]
        rows.append(row + ([percent(fold.stream)] if streamed else []))
    spread = [float(np.std([fold.accuracy for fold in found.folds], ddof=1))]
    mean = ["mean of the folds", "", percent(float(np.mean([f.accuracy for f in found.folds])))]
    around = ["standard deviation", "", percent(spread[0])]
    if streamed:
        streams = [fold.stream or 0.0 for fold in found.folds]
        mean.append(percent(float(np.mean(streams))))
        around.append(percent(float(np.std(streams, ddof=1))))
    total = f"{len(found.right):,} {found.kind}, each judged once by a run that has not seen it"
    return (
        f"{table([*rows, mean, around])}\n{total}: {percent(float(found.right.mean()))} right "
        f"(95 % interval {interval_said(found.interval)}, whole groups drawn).\n\n"
        f"{table(_class_rows(found))}"
    )


def _class_rows(found: CrossValidation) -> list[list[str]]:
    """Recall by class: over all clips, and the worst and best fold that has the class."""
    truth = np.concatenate([fold.truth for fold in found.folds])
    rows = [["class", found.kind, "found", "worst fold", "best fold"]]
    for index, label in enumerate(found.labels):
        mine = truth == index
        each = []
        for fold in found.folds:
            its = np.equal(fold.truth, index)
            if its.any():
                each.append(float(np.equal(fold.predicted, index)[its].mean()))
        if each:
            rows.append([label, f"{int(mine.sum()):,}", percent(float(found.right[mine].mean())),
                         percent(min(each)), percent(max(each))])  # fmt: skip
    return rows


def _start(out: Path, asked: dict[str, Any]) -> None:
    """Note what the folds are of; an `out` with other folds is refused."""
    path = out / _STARTED
    if path.exists():
        try:
            same = json.loads(path.read_bytes()) == asked
        except ValueError:
            same = False
        if not same:
            raise EdgecrnnError(
                f"{out}: expected folds of the same data with the same settings, got others; "
                "choose another folder with --out, or delete this one"
            )
        return
    if out.exists() and any(out.iterdir()):
        raise EdgecrnnError(
            f"{out}: expected a folder that does not exist yet or holds these folds, got one with "
            "other files; choose another with --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(asked).encode())
