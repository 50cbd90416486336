"""One half of the folder calibrates, the other certifies; what is no use is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.foreign.frames import Material, halves, read_material
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import Form
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.errors import EdgecrnnError

LABELS = ("dark", "bright")
PICTURE = Form(16, 24, 3, clip=False)
CLIP = Form(16, 24, 3, clip=True, frames=8)
CLIPS = ForeignSettings(frame_rate=10.0)


def read(
    folder: Path,
    form: Form = PICTURE,
    labels: tuple[str, ...] = LABELS,
    settings: ConvertSettings | None = None,
) -> Material:
    foreign = CLIPS if form.clip else ForeignSettings()
    return read_material(folder, form, labels, foreign, settings or ConvertSettings())


def write_flat(folder: Path, count: int = 12) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        picture = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def in_common(one: np.ndarray, other: np.ndarray) -> int:
    return len({frame.tobytes() for frame in one} & {frame.tobytes() for frame in other})


def test_class_folders_are_halved_class_by_class(pictures: Path) -> None:
    material = read(pictures)
    assert (len(material.calibration), len(material.check)) == (20, 20)
    assert material.labels is not None
    assert np.bincount(material.labels).tolist() == [10, 10]
    assert in_common(material.calibration, material.check) == 0
    # The labels are numbered by the file of labels, not by the folders' order.
    assert material.check[material.labels == 0].max() < material.check[material.labels == 1].min()
    assert material.calibration.shape[1:] == (16, 24, 3)
    assert "every other one of each class, in an order by seed 0" in material.data["division"]


def test_the_seed_decides(pictures: Path) -> None:
    first, again, other = (
        read(pictures, settings=ConvertSettings(seed=seed)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.check, again.check)
    assert 0 < in_common(first.check, other.check) < 20


def test_at_most_as_many_as_asked_for(pictures: Path, tmp_path: Path) -> None:
    for folder in (pictures, write_flat(tmp_path / "flat", 40)):
        material = read(folder, settings=ConvertSettings(calibration_frames=5, check=16))
        assert (len(material.calibration), len(material.check)) == (5, 16)


def test_pictures_without_labels(tmp_path: Path) -> None:
    material = read(write_flat(tmp_path / "flat"))
    assert (len(material.calibration), len(material.check)) == (6, 6)
    assert material.labels is None
    assert material.data["labels"] == "none; accuracy is agreement with the Keras model"
    assert in_common(material.calibration, material.check) == 0


def test_splits_that_are_there_are_kept(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("val", 3), ("test", 3)):
        for number, label in enumerate(LABELS):
            write_flat(tmp_path / split / label, count)
            for path in (tmp_path / split / label).iterdir():
                # Each picture is another one.
                mark = np.full((24, 32, 3), 10 + 100 * number, np.uint8)
                mark[: len(split) + int(path.stem)] = 200
                assert cv2.imwrite(str(path), mark)
    material = read(tmp_path)
    assert (len(material.calibration), len(material.check)) == (12, 12)
    assert material.data["division"] == "calibrated on the split train, certified on val and test"


def test_clips_go_on_in_another_order_until_there_are_enough(clips: Path) -> None:
    settings = ConvertSettings(calibration_frames=20, check=700)
    material = read(clips, CLIP, ("flickers", "still"), settings)
    assert material.frame_rate == 10.0
    assert len(material.calibration) == 60  # every third of them is looked at
    assert len(material.check) == 700
    assert all(len(clip) == 20 for clip in material.examples)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_both_halves(seed: int) -> None:
    stems = [f"c{i // 3}_s{i % 3}" for i in range(30)] + ["x", "y"]
    digests = [str(i) for i in range(30)] + ["same", "same"]
    labels = [i // 15 for i in range(30)] + [0, 0]
    first, second = halves(stems, labels, digests, seed)
    assert sorted([*first, *second]) == list(range(32))
    group = [stem.split("_")[0] for stem in stems[:30]] + ["xy", "xy"]
    assert not {group[i] for i in first} & {group[i] for i in second}
    for label in (0, 1):
        assert {label} <= {labels[i] for i in first} & {labels[i] for i in second}


def empty(folder: Path) -> None:
    folder.mkdir()


def one_picture(folder: Path) -> None:
    write_flat(folder, 1)


def the_same_twice(folder: Path) -> None:
    write_flat(folder, 1)
    (folder / "again.png").write_bytes((folder / "0.png").read_bytes())


def one_colour_each(folder: Path) -> None:
    folder.mkdir()
    for level in range(0, 200, 20):
        cv2.imwrite(str(folder / f"{level}.png"), np.full((24, 32, 3), level, np.uint8))


def broken(folder: Path) -> None:
    write_flat(folder)
    for number in range(4):
        path = folder / f"{number}.png"
        path.write_bytes(path.read_bytes()[:200])


def broken_in_classes(folder: Path) -> None:
    for label in LABELS:
        broken(folder / label)


def another_class(folder: Path) -> None:
    for label in ("dark", "brigth"):
        write_flat(folder / label, 3)


def mixed(folder: Path) -> None:
    write_flat(folder, 3)
    write_flat(folder / "dark", 3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "expected a folder of pictures as the camera sees, got nothing"),
        (empty, "found none"),
        (one_picture, "expected at least two different pictures, .* got 1"),
        (the_same_twice, "expected at least two different pictures, .* got 2"),
        (one_colour_each, "got 5 frames of one colour each"),
        (broken, r"expected at most 5% bad files, got 4 of 12: .*\.png: truncated"),
        (broken_in_classes, "expected at most 5% bad files, got 8 of 24"),
        (another_class, r"got the class 'brigth' \(did you mean 'bright'\?\)"),
        (mixed, "got pictures beside the folder 'dark'"),
    ],
)
def test_a_folder_that_is_no_use(make, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    make(folder)
    with pytest.raises(EdgecrnnError, match=said):
        read(folder)


def test_a_few_broken_files_are_left_out_and_named(tmp_path: Path) -> None:
    folder = write_flat(tmp_path / "flat", 40)
    (folder / "3.png").write_bytes(b"no picture")
    material = read(folder)
    assert len(material.calibration) + len(material.check) == 39
    assert [line.split(": ")[0] for line in material.skipped] == [str(folder / "3.png")]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EdgecrnnError, match="got a file"):
        read(tmp_path / "file")


def test_pictures_for_a_model_of_clips_and_the_other_way_round(pictures: Path, clips: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected clips, because the model reads clips"):
        read(pictures, CLIP)
    with pytest.raises(EdgecrnnError, match="expected pictures, because the model reads pictures"):
        read(clips, PICTURE, ("flickers", "still"))


def test_clips_shorter_than_the_model_reads(clips: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected clips of at least 21 frames"):
        read(clips, dataclasses.replace(CLIP, frames=21), ("flickers", "still"))
