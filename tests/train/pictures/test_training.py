"""Each picture task learns, and what ships answers as Keras does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("keras")

from edgecrnn.runtime.answers import EITHER, LABELS, shown, teller_of
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.fit import Epoch
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.either import Asked
from edgecrnn.train.pictures.examples import fixed_examples, judged_batches, training_batches
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.judge import chosen_split, engine_answer, judge, keras_answer
from edgecrnn.train.pictures.load import PictureData, load_pictures
from edgecrnn.train.pictures.plan import PicturePlan
from edgecrnn.train.pictures.record import load_picture_model, read_picture_record
from edgecrnn.train.pictures.training import train_pictures
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import LABEL_TASKS, picture_task, task_names
from edgecrnn.train.training import Watch

pytestmark = pytest.mark.slow

TASKS = [name for name in task_names() if name not in LABEL_TASKS]
TASKS += ["denoise+detect", "enhance+segment", "denoise+classify"]
TASKS += ["generate+segment", "generate+classify", "generate+detect"]
SMALL = Preprocessing(height=32, width=32)


def data_for(task: str, scenes: Path, tmp_path: Path) -> tuple[Path, PictureData]:
    """The scenes, or for tasks that need classes a folder of light and dark ones."""
    needs, root = picture_task(task).NEEDS, scenes
    if needs == "classes":
        root = tmp_path / "classes"
        for file in scenes.glob("*/pictures/*.png"):
            pixels = cv2.imread(str(file))
            assert pixels is not None
            kind = "dark" if pixels.mean() < 125 else "light"
            (root / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / kind / f"{file.parent.parent.name}{file.name}"), pixels)
    return root, load_pictures(find_pictures(root, needs, 0), SMALL)


def plan_for(task: str, **train: Any) -> PicturePlan:
    given = {"epochs": 4, "batch": 8, "learning_rate": 0.002, **train}
    settings = dataclasses.asdict(picture_task(task).Settings())
    network = NetworkSettings(sequence="patches", width=0.5, units=8, blocks=2)
    return PicturePlan(task, settings, SMALL, network, TrainSettings(**given))


def quiet(epochs: list[Epoch]) -> Watch:
    return Watch(lambda *step: None, lambda part, line: epochs.append(line))


@pytest.mark.parametrize("name", TASKS)
def test_it_learns_and_ships_what_it_learned(name: str, scenes: Path, tmp_path: Path) -> None:
    from edgecrnn.convert.graph import to_float_tflite

    root, data = data_for(name, scenes, tmp_path)
    epochs: list[Epoch] = []
    run = tmp_path / "run"
    record, fitted = train_pictures(root, run, data, plan_for(name), False, quiet(epochs))
    assert min(line.loss for line in epochs[1:]) < epochs[0].loss
    assert read_picture_record(run) == record and record.best_epoch == fitted.best_epoch

    task, model = picture_task(name), load_picture_model(run)
    keras = judge(task, record.settings, data.splits["test"], "test", keras_answer(task, model))
    assert set(keras.measures) == set(task.MEASURES)
    engine = Engine(to_float_tflite(model), data.labels, "float32")
    lite = engine_answer(task, engine)
    for example, answer in zip(keras.examples, keras.answers, strict=True):
        pairs = zip(_each(lite(example.frame)), _each(answer), strict=True)
        for ours, theirs in pairs:
            assert ours.shape == theirs.shape
            assert np.allclose(ours, theirs, atol=1e-4 * max(1.0, float(np.abs(theirs).max())))

    # And how a board would tell and show it.
    assert task.ANSWER != LABELS
    flat, _ = engine.step(keras.examples[0].frame, {})
    labels = data.labels if task.NEEDS else ()
    told = teller_of(task.ANSWER.replace(EITHER, "+"))(engine.parts(flat), labels)
    view = shown(told, np.full((48, 64, 3), 90, np.uint8))
    assert told.label and 0.0 <= told.score <= 1.0
    assert view.dtype == np.uint8 and view.ndim == 3 and view.shape[2] == 3


def test_a_process_that_only_converts_knows_every_layer(scenes: Path, tmp_path: Path) -> None:
    from edgecrnn.convert.graph import Conversion

    root, data = data_for("superres", scenes, tmp_path)
    run = tmp_path / "run"
    train_pictures(root, run, data, plan_for("superres", epochs=1), False, quiet([]))
    engine = Engine(Conversion(run / "model.keras").result(), (), "float32")
    assert engine.step(data.splits["test"].pictures[0][::2, ::2], {})[0].shape == (32, 32, 3)


@pytest.mark.parametrize("name", TASKS)
def test_what_is_judged_is_always_the_same(name: str, scenes: Path, tmp_path: Path) -> None:
    _, data = data_for(name, scenes, tmp_path)
    task, settings = picture_task(name), picture_task(name).Settings()
    first, second = (list(fixed_examples(task, settings, data.splits["val"], "val")) for _ in "ab")
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.frame, other.frame)
        for ours, theirs in zip(_each(one.target), _each(other.target), strict=True):
            assert np.array_equal(ours, theirs)
        assert one.frame.shape == task.frame_shape(settings, SMALL.frame_shape)
    # What is asked for is what full marks are given for.
    answers = [_perfect(name, example.target, len(data.labels)) for example in first]
    targets = [example.target for example in first]
    best = task.summary(task.notes(settings, answers, targets))
    assert min(best.values()) >= 0.99


def _each(answer: Any) -> tuple[np.ndarray, ...]:
    """An answer, or both of a pair; a target of either."""
    if isinstance(answer, Asked):
        return (answer.target,)
    return answer if isinstance(answer, tuple) else (answer,)


def _perfect(name: str, target: Any, classes: int) -> Any:
    """The answer that a network gives that is always right."""
    if isinstance(target, Asked):
        own = _perfect(name.split("+")[target.part], target.target, classes)
        return tuple(own if part == target.part else None for part in (0, 1))
    if "+" in name:
        both = zip(name.split("+"), target, strict=True)
        return tuple(_perfect(part, each, classes) for part, each in both)
    if name == "segment":
        return np.eye(classes, dtype=np.float32)[target.astype(int)]
    if name == "classify":
        return np.eye(classes, dtype=np.float32)[int(target[0])]
    if name == "generate":
        return target[..., :-1]
    if name == "detect":
        return np.concatenate([target[..., :5], np.eye(classes)[target[..., 5].astype(int)]], -1)
    return target


def test_batches_are_full_and_leave_nothing_uncounted(scenes: Path) -> None:
    data = load_pictures(find_pictures(scenes, "", 0), SMALL)
    task, settings = picture_task("denoise"), picture_task("denoise").Settings()
    made = list(training_batches(task, settings, data.splits["train"], 10, 0, 0))
    assert [window.frames.shape[0] for window in made] == [10, 10, 10]
    other = next(training_batches(task, settings, data.splits["train"], 10, 0, 1))
    assert not np.array_equal(other.targets, made[0].targets)
    judged = list(judged_batches(task, settings, data.splits["val"], "val", 5))
    assert [float(window.weights.sum()) for window in judged] == [5.0, 3.0]


def test_a_training_that_was_stopped_goes_on_as_if_not(scenes: Path, tmp_path: Path) -> None:
    root, data = data_for("denoise", scenes, tmp_path)
    whole, _ = train_pictures(
        root, tmp_path / "whole", data, plan_for("denoise", adversarial=0.05), False, quiet([])
    )

    def stop(part: str, line: Epoch) -> None:
        if line.epoch == 2:
            raise KeyboardInterrupt

    stopped = Watch(lambda *step: None, stop)
    run = tmp_path / "run"
    _, fitted = train_pictures(
        root, run, data, plan_for("denoise", adversarial=0.05), False, stopped
    )
    assert fitted.interrupted
    again, _ = train_pictures(
        root, run, data, plan_for("denoise", adversarial=0.05), True, quiet([])
    )
    keep = ("loss", "val_loss")
    assert [[line[k] for k in keep] for line in again.history] == [
        [line[k] for k in keep] for line in whole.history
    ]
    assert again.validation == whole.validation
    other = dataclasses.replace(data, hash="0" * 64)
    with pytest.raises(EdgecrnnError, match="expected the data that the run was started with"):
        train_pictures(root, run, other, plan_for("denoise", adversarial=0.05), True, quiet([]))


def test_a_split_that_is_not_there(scenes: Path) -> None:
    data = load_pictures(find_pictures(scenes, "", 0), SMALL)
    assert chosen_split(data)[0] == "test"
    with pytest.raises(EdgecrnnError, match="split: expected one of test, train, val, got 'dev'"):
        chosen_split(data, "dev")


def test_other_pictures_without_splits_are_judged_all(scenes: Path) -> None:
    own = scenes / "val" / "pictures"
    data = load_pictures(find_pictures(own, "", 0), SMALL)
    split, pictures = chosen_split(data, None, "0" * 64)
    assert split == "all" and list(pictures.names) == sorted(p.name for p in own.iterdir())
    # What the model was trained on has a part that it has not seen.
    assert chosen_split(data, None, data.hash)[0] == "test"
    parted = load_pictures(find_pictures(scenes, "", 0), SMALL)
    assert chosen_split(parted, None, "0" * 64)[0] == "test"


def test_a_frame_that_cannot_be_halved(scenes: Path, tmp_path: Path) -> None:
    root, data = data_for("superres", scenes, tmp_path)
    plan = dataclasses.replace(plan_for("superres"), options={"scale": 3})
    with pytest.raises(EdgecrnnError, match="size: expected a width and a height that the scale 3"):
        train_pictures(root, tmp_path / "run", data, plan, False, quiet([]))
    plan = dataclasses.replace(plan_for("superres"), options={"scale": 4})
    with pytest.raises(EdgecrnnError, match="16 pixels or more, got 8x8"):
        train_pictures(root, tmp_path / "run", data, plan, False, quiet([]))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("denoise+dtect", "expected two of boundary, denoise,.* got 'denoise.dtect'"),
        ("denoise+detect+segment", "expected two of"),
        ("denoise+compress", "expected two of"),
        ("classify+generate", "expected generate before the other task.*write generate.classify"),
        ("generate+denoise", "which both answer with a picture"),
        ("retrieve+classify", "which both answer with a vector"),
        ("denoise+enhance", "which both answer with a picture"),
        ("detect+segment", "no more than one of boxes and masks"),
    ],
)
def test_two_tasks_that_do_not_go_together(name: str, said: str) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        picture_task(name)


def test_a_pair_has_the_settings_of_both() -> None:
    pair = picture_task("denoise+boundary")
    settings = pair.Settings(noise=10, high=300.0)
    assert (settings.noise, settings.low, settings.high) == (10, 100.0, 300.0)
    assert pair.MEASURES == ("psnr", "ssim", "f1") and pair.ANSWER == "picture+edges"
    with pytest.raises(EdgecrnnError, match=r"noise: expected [01] to 100"):
        pair.Settings(noise=900)
