"""Which pictures a task finds in a folder, and what it says of folders that do not serve."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.pictures.found import find_pictures, shared_note
from edgecrnn.train.pictures.load import load_pictures

SMALL = Preprocessing(height=32, width=32)


def write(path: Path, seed: int, size: tuple[int, int] = (32, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
    cv2.imwrite(str(path), pixels)


def test_any_folders_with_a_split_by_seed(tmp_path: Path) -> None:
    for index in range(40):
        write(tmp_path / f"trip{index % 3}" / "day" / f"{index}.png", index)
    # The same picture under another name goes where the first one goes.
    shutil.copy(tmp_path / "trip0/day/0.png", tmp_path / "trip1/day/copy.png")
    layout = find_pictures(tmp_path, "", 0)
    counts = {s: sum(i.split == s for i in layout.items) for s in ("train", "val", "test")}
    assert layout.made_split and sum(counts.values()) == 41 and min(counts.values()) >= 5
    twins = {i.split for i in layout.items if i.path.name in ("0.png", "copy.png")}
    assert len(twins) == 1
    assert [i.split for i in find_pictures(tmp_path, "", 0).items] == [
        i.split for i in layout.items
    ]
    assert find_pictures(tmp_path, "", 1).hash != layout.hash


def test_pictures_of_test_that_are_in_train_too_are_told(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        for index in range(3):
            write(tmp_path / split / f"{index}.png", 10 * len(split) + ord(split[1]) + index)
    assert shared_note(find_pictures(tmp_path, "", 0)) == ""
    shutil.copy(tmp_path / "train/1.png", tmp_path / "test/copy.png")
    note = shared_note(find_pictures(tmp_path, "", 0))
    assert note.startswith("1 picture of val or test is in train too, for example test/copy.png = ")


def test_the_same_picture_with_two_masks_stays_on_one_side(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("ground\nthing\n")
    (tmp_path / "masks").mkdir()
    for index in range(24):
        write(tmp_path / "pictures" / f"{index}.png", index // 2)
        mask = np.random.default_rng(index).integers(0, 2, (32, 32)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "masks" / f"{index}.png"), mask)
    splits = {item.path.stem: item.split for item in find_pictures(tmp_path, "masks", 0).items}
    assert all(splits[f"{2 * n}"] == splits[f"{2 * n + 1}"] for n in range(12))


def test_masks_and_boxes_beside_the_pictures(scenes: Path) -> None:
    masks = load_pictures(find_pictures(scenes, "masks", 0), SMALL)
    assert {split: len(each) for split, each in masks.splits.items()} == {
        "train": 32, "val": 8, "test": 8,
    }  # fmt: skip
    assert masks.labels[0] == "background" and not masks.made_split
    truth = masks.splits["train"].truths[0]
    assert truth.mask is not None and truth.mask.shape == (32, 32) and truth.mask.max() > 0
    larger = Preprocessing(height=64, width=32)
    boxes, high = (
        load_pictures(find_pictures(scenes, "boxes", 0), each).splits["val"].truths
        for each in (SMALL, larger)
    )
    assert boxes[0].boxes is not None and high[0].boxes is not None
    # Twice as high a frame, twice as high boxes.
    assert np.allclose(high[0].boxes, boxes[0].boxes * (1, 2, 1, 2, 1))
    # The masks lie beside the pictures and are none of them.
    assert len(find_pictures(scenes, "", 0).items) == 48


def broken(scenes: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scenes, tmp_path / "data"))


def test_what_is_missing_is_named_with_its_layout(scenes: Path, tmp_path: Path) -> None:
    data = broken(scenes, tmp_path)
    (data / "train/masks/00003.png").unlink()
    with pytest.raises(EdgecrnnError, match=r"00003.png: expected a mask for it at .*, got none"):
        find_pictures(data, "masks", 0)
    shutil.rmtree(data / "val/masks")
    (data / "val/boxes.csv").unlink()
    with pytest.raises(EdgecrnnError, match=r"expected .split/.pictures/NAME.jpg with .*got no"):
        find_pictures(data, "boxes", 0)
    (data / "labels.txt").unlink()
    shutil.copytree(scenes / "val/masks", data / "val/masks")
    shutil.copy(scenes / "train/masks/00003.png", data / "train/masks")
    with pytest.raises(EdgecrnnError, match=r"labels.txt: expected a class a line"):
        find_pictures(data, "masks", 0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("00000.png,1,1,0,4,3", r"line \d+: expected a box inside 00000.png"),
        ("00000.png,1,1,x,4,3", r"line \d+: expected numbers for the box in 00000.png"),
        ("00000.png,1,1,4,4", r"line \d+: expected file, left, .*, label, got 00000.png,1,1,4,4"),
        ("00000.png,1,1,4,4,", r"line \d+: expected file, left, .*, label, got"),
        ("00000.png,1,1,4,4,3,9", r"line \d+: expected file, left, .*, label, got"),
        ("00000.png,nan,1,4,4,3", r"line \d+: expected a box inside 00000.png, got left nan"),
        ("nowhere.png,1,1,4,4,3", r"expected names of files in .*, got 'nowhere.png'"),
        ("00000.png,30,1,9,4,3", r"expected boxes inside its 32x32 pixels, got left 30"),
    ],
)
def test_boxes_that_do_not_fit(scenes: Path, tmp_path: Path, row: str, said: str) -> None:
    data = broken(scenes, tmp_path)
    with (data / "train/boxes.csv").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(EdgecrnnError, match=said):
        load_pictures(find_pictures(data, "boxes", 0), SMALL)


def test_a_table_as_a_spreadsheet_writes_it(scenes: Path, tmp_path: Path) -> None:
    data = broken(scenes, tmp_path)
    table = data / "train/boxes.csv"
    spaced = table.read_text().replace(",", " , ")
    table.write_bytes("\ufeff".encode() + spaced.encode() + b"\r\n,,,,,\r\n")
    layouts = [find_pictures(folder, "boxes", 0) for folder in (scenes, data)]
    for one, other in zip(*(layout.items for layout in layouts), strict=True):
        assert one.boxes is not None and np.array_equal(one.boxes, other.boxes)
    assert layouts[0].labels == layouts[1].labels


def test_a_folder_where_the_table_should_be(scenes: Path, tmp_path: Path) -> None:
    data = broken(scenes, tmp_path)
    (data / "train/boxes.csv").unlink()
    (data / "train/boxes.csv").mkdir()
    with pytest.raises(EdgecrnnError, match=r"boxes.csv: expected a CSV in UTF-8, got"):
        find_pictures(data, "boxes", 0)


def test_a_table_with_other_columns(scenes: Path, tmp_path: Path) -> None:
    data = broken(scenes, tmp_path)
    (data / "test/boxes.csv").write_text("name,x,y\n")
    with pytest.raises(EdgecrnnError, match="expected the columns file,left,top"):
        find_pictures(data, "boxes", 0)


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((16, 32), np.uint8), "expected a mask of its picture's 32x32 pixels, got 32x16"),
        (np.full((32, 32), 200, np.uint8), r"expected levels below 11, .* got 200"),
        (np.zeros((32, 32, 3), np.uint8), "expected a PNG with one channel of 8 bits"),
    ],
)
def test_masks_that_do_not_fit(scenes: Path, tmp_path: Path, mask: np.ndarray, said: str) -> None:
    data = broken(scenes, tmp_path)
    cv2.imwrite(str(data / "val/masks/00001.png"), mask)
    with pytest.raises(EdgecrnnError, match=said):
        load_pictures(find_pictures(data, "masks", 0), SMALL)


def test_cropping_would_part_pictures_from_their_masks(scenes: Path) -> None:
    with pytest.raises(EdgecrnnError, match="fit: expected stretch"):
        load_pictures(find_pictures(scenes, "masks", 0), Preprocessing(fit="crop"))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="got nothing there"):
        find_pictures(tmp_path / "none", "", 0)
    with pytest.raises(EdgecrnnError, match=r"expected pictures .*found none"):
        find_pictures(tmp_path, "", 0)
    write(tmp_path / "train/a.png", 0)
    write(tmp_path / "other/a.png", 1)
    with pytest.raises(EdgecrnnError, match="got 'train' beside 'other'"):
        find_pictures(tmp_path, "", 0)


def test_what_lies_there_instead_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.png", 0)
    with pytest.raises(EdgecrnnError, match=r"found none, but pictures elsewhere below it \(1\)"):
        find_pictures(tmp_path, "classes", 0)
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    with pytest.raises(EdgecrnnError, match=r"found none, but clips \(1\); save frames of them"):
        find_pictures(tmp_path, "", 0)


def test_a_class_alone_is_none(tmp_path: Path) -> None:
    write(tmp_path / "cat/a.png", 0)
    with pytest.raises(EdgecrnnError, match="expected at least 2 different classes, got cat"):
        find_pictures(tmp_path, "classes", 0)


def test_a_model_knows_more_classes_than_are_there(scenes: Path, tmp_path: Path) -> None:
    write(tmp_path / "dog/a.png", 0)
    layout = find_pictures(tmp_path, "classes", 0, ("cat", "dog"))
    assert layout.labels == ("cat", "dog") and [item.label for item in layout.items] == [1]
    with pytest.raises(EdgecrnnError, match="expected the model's classes cat, cow, got dog"):
        find_pictures(tmp_path, "classes", 0, ("cat", "cow"))
    # What a level of a mask means is said by all of the names.
    names = tuple((scenes / "labels.txt").read_text().split())
    assert find_pictures(scenes, "masks", 0, names).labels == names
    with pytest.raises(EdgecrnnError, match="expected the model's classes background, 0"):
        find_pictures(scenes, "masks", 0, (*names, "more"))


def test_broken_files_are_skipped_or_too_many(tmp_path: Path) -> None:
    for index in range(30):
        write(tmp_path / f"{index}.png", index)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    data = load_pictures(find_pictures(tmp_path, "", 0), SMALL)
    assert [item.path.name for item in data.skipped] == ["bad.png"]
    for index in range(5):
        (tmp_path / f"worse{index}.png").write_bytes(b"no picture %d" % index)
    with pytest.raises(EdgecrnnError, match=r"expected at most 5% of the files to be bad, got 6"):
        load_pictures(find_pictures(tmp_path, "", 0), SMALL)
