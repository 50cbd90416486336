"""What a pair of tasks loses against its two tasks alone, and what it costs.

    python bench/tasks/pairs.py --out FOLDER [--only PAIR ...] [--seed N] [--split val]
    python bench/tasks/pairs.py --out FOLDER --write docs/tasks.md

Each pair is trained and converted by the `edgecrnn` commands; each of its tasks alone is the same
network with one head, trained on the same frames for as many epochs with the same settings. All are
judged on the same pictures: those of test, or of val where something is still to be chosen, which
converts nothing. What is in FOLDER already is not done again.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from boards import export_boards
from commands import edgecrnn
from generation import export_digits
from half import Half
from table import SAID

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.train.fit import fit
from edgecrnn.train.measures.bootstrap import resampled
from edgecrnn.train.network.cost import model_multiply_adds
from edgecrnn.train.pictures.either import Either
from edgecrnn.train.pictures.examples import batch_steps, judged_batches, training_batches
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.judge import PictureVerdict, engine_answer, judge, keras_answer
from edgecrnn.train.pictures.load import PictureData, load_pictures
from edgecrnn.train.pictures.network import Judging, PictureTrainee, build_picture_model
from edgecrnn.train.pictures.pair import Pair
from edgecrnn.train.pictures.record import (
    PictureRecord,
    load_picture_model,
    read_picture_record,
)  # fmt: skip
from edgecrnn.train.tasks import picture_task

_BEGIN, _END = "<!-- bench/tasks/pairs begins -->", "<!-- bench/tasks/pairs ends -->"
_BOARDS = ("--size", "48x48", "--color", "gray", "--width", "0.5", "--batch", "16",
           "--learning-rate", "0.003")  # fmt: skip
_DIGITS = ("--size", "32x32", "--color", "gray", "--width", "0.5", "--learning-rate", "0.003")
_SAID = {
    "digits": "handwritten digits, 32x32",
    "masks": "one handwritten digit on a plain ground, 32x32",
    "boards": "one to three handwritten digits on a plain ground, 48x48",
}


@dataclass(frozen=True)
class PairContest:
    """One pair, and what it is trained on with which flags."""

    name: str
    data: str
    flags: tuple[str, ...]


PAIRS = (
    PairContest("denoise+classify", "digits", (*_DIGITS, "--batch", "32", "--epochs", "10")),
    PairContest("denoise+segment", "boards", (*_BOARDS, "--epochs", "40")),
    PairContest("denoise+detect", "boards", (*_BOARDS, "--epochs", "40")),
    PairContest("generate+classify", "digits", (*_DIGITS, "--batch", "32", "--epochs", "30")),
    PairContest("generate+segment", "masks", (*_DIGITS, "--batch", "32", "--epochs", "60")),
    PairContest("generate+detect", "masks", (*_DIGITS, "--batch", "32", "--epochs", "40")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[each.name for each in PAIRS])
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and noise")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--write", type=Path, help="put the table between its marks there")
    args = parser.parse_args()
    if args.write:
        args.write.write_text(written(args.write.read_text(), table(_results(args.out))))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for contest in PAIRS:
        result = args.out / f"{_title(contest, args.seed, args.split)}.json"
        if contest.name in args.only and not result.exists():
            facts = run(contest, _data(contest.data, args.out), args.out, args.seed, args.split)
            result.write_text(json.dumps(facts, indent=1))
            print(json.dumps(facts, indent=1), flush=True)


def _title(contest: PairContest, seed: int, split: str = "test") -> str:
    """What its files are called."""
    return f"{contest.name}{f'-{seed}' if seed else ''}{'' if split == 'test' else f'-{split}'}"


def run(contest: PairContest, data: Path, out: Path, seed: int, split: str) -> dict[str, Any]:
    """The pair as a person trains and converts it, and each of its tasks alone."""
    title = _title(contest, seed)
    folder, bundle = out / f"{title}.run", out / f"{title}.edgecrnn"
    if not (folder / "run.json").exists():
        begun = ("--resume",) if (folder / "checkpoint.npz").exists() else (
            "--force", "--task", contest.name, *contest.flags, "--seed", str(seed),
        )  # fmt: skip
        edgecrnn("train", str(data), "--out", str(folder), *begun)
    if not bundle.exists() and split == "test":
        edgecrnn("convert", str(folder), "--device", "linux-x86_64", "--out", str(bundle),
                 "--calibration-frames", "100", "--check", "100")  # fmt: skip
    record = read_picture_record(folder)
    pair, settings = picture_task(record.task), record.settings
    assert isinstance(pair, Pair)
    layout = find_pictures(data, pair.NEEDS, record.data.split_seed)
    loaded = load_pictures(layout, record.preprocessing)
    shown = loaded.splits[split]
    together = judge(pair, settings, shown, split, keras_answer(pair, load_picture_model(folder)))
    shipped, variant = together, "float32"
    if split == "test":
        engine = load_engine(open_bundle(bundle))
        shipped, variant = (
            judge(pair, settings, shown, split, engine_answer(pair, engine)), engine.variant,
        )  # fmt: skip
    rows, costs = [], []
    for part in (0, 1):
        half = Half(pair, part)
        alone, cost = _alone(half, record, loaded, out / f"{title}.{part}", split)
        costs.append(cost)
        ours, ships = (_own_notes(pair, each, part) for each in (together, shipped))
        for name in half.MEASURES:
            rows.append(_row(half, name, alone.notes, ours, ships))
    return {
        "pair": contest.name,
        "said": _SAID[contest.data],
        "pictures": len(shown),
        "seed": seed,
        "split": split,
        "rows": rows,
        "variant": variant,
        "million": record.multiply_adds / 1e6,
        "million_alone": [cost / 1e6 for cost in costs],
        "flags": contest.flags,
    }


def _alone(
    half: Half, record: PictureRecord, data: PictureData, out: Path, split: str
) -> tuple[Any, int]:
    """(what it comes to, its multiply-adds); goes on where it was stopped."""
    import keras

    settings, train = record.settings, record.train
    shape, classes = record.preprocessing.frame_shape, len(data.labels)
    model = build_picture_model(half, settings, record.network, shape, classes, train.seed)
    seeds = keras.random.SeedGenerator(train.seed)
    trainee = PictureTrainee(model, Judging(half, settings), seeds)
    learned = half.shown(data.splits["train"])
    val = list(judged_batches(half, settings, data.splits["val"], "val", train.batch))
    out.mkdir(exist_ok=True)
    fit(
        trainee,
        lambda epoch: training_batches(
            half, settings, learned, train.batch, train.seed, epoch
        ),
        lambda _: iter(val),
        batch_steps(learned, train.batch),
        train,
        out / "checkpoint.npz",
        True,
        on_epoch=lambda line: print(out.name, line.epoch, f"{line.loss:.4f} {line.val_loss:.4f}",
                                    flush=True),
    )  # fmt: skip
    verdict = judge(half, settings, data.splits[split], split, keras_answer(half, model))
    return verdict, model_multiply_adds(model)


def _own_notes(pair: Pair, verdict: PictureVerdict, part: int) -> list[Any]:
    if isinstance(pair, Either):
        return [note for which, note in verdict.notes if which == part]
    return [note[part] for note in verdict.notes]


def _row(half: Half, name: str, alone: Any, ours: Any, ships: Any) -> dict[str, Any]:
    """Both, and the share that is kept with its 95 % interval over the same draws of pictures."""

    def value(notes: Any, chosen: Any) -> float:
        return half.summary([notes[i] for i in chosen])[name]

    def kept(chosen: Any) -> float:
        return value(ours, chosen) / max(1e-9, value(alone, chosen))

    every = np.arange(len(alone))
    low, high = resampled(kept, len(alone))
    return {
        "measure": name,
        "alone": value(alone, every),
        "pair": value(ours, every),
        "ships": value(ships, every),
        "keeps": kept(every),
        "low": low,
        "high": high,
    }


def _data(name: str, out: Path) -> Path:
    """A folder of pictures, made where it is not there yet."""
    folder = out / "data" / name
    if not folder.exists():
        if name == "digits":
            export_digits(folder)
        elif name == "boards":
            export_boards(folder)
        else:
            export_boards(folder, size=32, sides=(27, 30), most=1)
    return folder


def _results(folder: Path) -> list[list[dict[str, Any]]]:
    """Of each pair what is there of it on test pictures: the first seed's, then others'."""
    found = [
        [folder / f"{_title(pair, 0)}.json", *sorted(folder.glob(f"{pair.name}-[0-9]*.json"))]
        for pair in PAIRS
    ]
    read = [
        [json.loads(file.read_text()) for file in one if file.exists() and "-val" not in file.stem]
        for one in found
    ]
    return [one for one in read if one]


def table(results: list[list[dict[str, Any]]]) -> str:
    """A row for each measure of each pair; what keeps less than nine tenths is in bold."""
    lines = [
        "| pair | measure | alone | in the pair | keeps (95 %) | other seeds | ships | million "
        "multiply-adds: pair of both |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one, *others in results:
        share = one["million"] / sum(one["million_alone"])
        both = " + ".join(f"{each:.1f}" for each in one["million_alone"])
        cost = f"{one['million']:.1f} of {both} ({share:.0%})"
        for place, row in enumerate(one["rows"]):
            kept = _bold(row, f" ({row['low']:.1%} to {row['high']:.1%})")
            again = ", ".join(_bold(other["rows"][place]) for other in others) or "not tried"
            lines.append(
                f"| {one['pair']} | {SAID[row['measure']]} | {row['alone']:.3f} | "
                f"{row['pair']:.3f} | {kept} | {again} | {row['ships']:.3f} ({one['variant']}) | "
                f"{cost} |"
            )
    said = "; ".join(f"{one['pair']}: {one['pictures']} {one['said']}" for one, *_ in results)
    return "\n".join([*lines, "", f"Test pictures of {said}."])


def _bold(row: dict[str, Any], interval: str = "") -> str:
    said = f"{row['keeps']:.1%}{interval}"
    return f"**{said}**" if row["keeps"] < 0.9 else said


def written(page: str, made: str) -> str:
    """The page with the table between its marks."""
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{made}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    main()
