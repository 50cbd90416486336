"""`edgecrnn evaluate` with a run that was really trained, for a moment."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.cli import evaluate as command
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.store import DataSettings, load
from edgecrnn.train.evaluation.choice import choose_clips
from edgecrnn.train.evaluation.evaluate import evaluate
from edgecrnn.train.report.build import build_report
from edgecrnn.train.report.from_run import report_of_run
from edgecrnn.train.run_folder import read_record
from edgecrnn.train.subject import load_for, open_subject

SMALL = Preprocessing(height=16, width=16, color="gray")


def clips(
    root: Path, seed: int, count: int = 10, labels: tuple[str, ...] = ("left", "right")
) -> Path:
    """Clips of 20 frames of a bright bar moving left or right."""
    for label in labels:
        (root / label).mkdir(parents=True)
        for i in range(count):
            random = np.random.default_rng((seed, i, len(label)))
            path = root / label / f"{chr(97 + i)}.avi"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 32))
            start = int(random.integers(32))
            for t in range(20):
                frame = random.integers(0, 60, (32, 32, 3), np.uint8)
                at = (start + (t if label == "right" else -t) * 2) % 32
                frame[:, at : at + 4] = 230
                writer.write(frame)
            writer.release()
    return root


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, the `run` trained on it and a `cache`."""
    pytest.importorskip("tensorflow")
    from edgecrnn.train.data.augment import Augmentation
    from edgecrnn.train.network.settings import NetworkSettings
    from edgecrnn.train.plan import Plan
    from edgecrnn.train.settings import TrainSettings
    from edgecrnn.train.training import Watch, train

    folder = tmp_path_factory.mktemp("evaluate")
    root = clips(folder / "data", seed=0)
    plan = Plan(
        preprocessing=SMALL,
        data=DataSettings(cache=str(folder / "cache")),
        network=NetworkSettings(width=0.25, units=4, layers=1),
        train=TrainSettings(epochs=1, batch=2, window=8, warmup=4),
        augmentation=Augmentation(),
    )
    data = load(root, SMALL, plan.data)
    watch = Watch(lambda *step: None, lambda *epoch: None)
    train(root, folder / "run", data, plan, False, watch)
    return folder


def run(place: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.execute(parser.parse_args([*words, "--cache", str(place / "cache")]))


def test_a_run_is_judged_on_the_split_that_its_training_made(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "numbers.json"
    assert run(place, str(place / "run"), str(place / "data"), "--json", str(out)) == 0
    said = capsys.readouterr().out
    assert "the test split that training made (seed 0)" in said
    assert "without memory" in said
    assert "4 frames of warm-up left out" in said
    numbers = json.loads(out.read_bytes())
    assert numbers["split"] == "test"
    assert numbers["clip"]["count"] < 20
    assert f"{100 * numbers['clip']['accuracy']:.1f} %" in said
    assert numbers["baseline"]["clip_accuracy"] is not None
    with pytest.raises(EdgecrnnError, match="does not exist yet"):
        run(place, str(place / "run"), str(place / "data"), "--json", str(out))


def test_the_run_has_a_report(place: Path) -> None:
    subject = open_subject(place / "run")
    data = load_for(subject, place / "data", str(place / "cache"))
    chosen = choose_clips(data, None, subject.trained)
    evaluation = evaluate(
        subject.predictor, chosen.clips, subject.labels, subject.kind, subject.warmup, 0,
        subject.baseline,
    )  # fmt: skip
    record = read_record(place / "run")
    page = build_report(report_of_run(record, evaluation, chosen.clips, chosen.said))
    for part in ("training made (seed 0)", "Frame by frame", "learning_rate", "data:image/jpeg"):
        assert part in page


def test_other_data_is_judged_whole(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = clips(tmp_path / "other", seed=1, count=4)
    assert run(place, str(place / "run"), str(other)) == 0
    assert "all of it: it has no splits and is not the data trained on, 8 clips" in (
        capsys.readouterr().out
    )


def test_one_known_class_alone_can_be_judged(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place, str(place / "run"), str(clips(tmp_path / "one", 2, 1, ("right",)))) == 0
    assert "1 clip, 20 frames" in capsys.readouterr().out


def test_orders_are_said_and_written(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (str(place / "run"), str(place / "data"))
    numbers = tmp_path / "numbers.json"
    assert run(place, *words, "--orders", "3", "--json", str(numbers)) == 0
    assert "In 3 orders of the clips the stream is right in" in capsys.readouterr().out
    told = json.loads(numbers.read_bytes())
    assert len(told["orders"]["accuracies"]) == 3
    assert told["orders"]["accuracies"][0] == pytest.approx(told["stream"]["accuracy"])
    with pytest.raises(EdgecrnnError, match="--orders: expected 2 to 100, got 1"):
        run(place, *words, "--orders", "1")


def test_what_is_neither_run_nor_bundle_is_refused(place: Path, tmp_path: Path) -> None:
    data = str(place / "data")
    (tmp_path / "file.bin").write_bytes(b"no model")
    for path, said in (
        (tmp_path / "missing", "nothing there"),
        (tmp_path, "a folder that is neither"),
        (tmp_path / "file.bin", "a file that is neither"),
    ):
        with pytest.raises(EdgecrnnError, match=said):
            run(place, str(path), data)
    with pytest.raises(EdgecrnnError, match="leave --variant out"):
        open_subject(place / "run", "int8")


def test_a_damaged_run_is_refused(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "run", tmp_path / "run")
    (tmp_path / "run" / "model.keras").write_bytes(b"half")
    with pytest.raises(EdgecrnnError, match=r"model\.keras"):
        run(place, str(tmp_path / "run"), str(place / "data"))


def test_an_unknown_class_or_the_wrong_kind_of_data_is_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="did you mean 'right'"):
        run(place, str(place / "run"), str(clips(tmp_path / "u", 3, 1, ("left", "righ"))))
    (tmp_path / "p" / "left").mkdir(parents=True)
    picture = np.zeros((8, 8, 3), np.uint8)
    assert cv2.imwrite(str(tmp_path / "p" / "left" / "a.png"), picture)
    with pytest.raises(EdgecrnnError, match="expected clips"):
        run(place, str(place / "run"), str(tmp_path / "p"))
    with pytest.raises(EdgecrnnError, match="no such folder"):
        run(place, str(place / "run"), str(tmp_path / "nowhere"))
    with pytest.raises(EdgecrnnError, match="0 or more"):
        run(place, str(place / "run"), str(place / "data"), "--seed", "-1")
