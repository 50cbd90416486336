from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.layout import Layout, read_layout


def splits_of(layout: Layout) -> Counter[str]:
    return Counter(item.split for item in layout.items)


def test_a_folder_without_split(picture_set: Path) -> None:
    layout = read_layout(picture_set)
    assert (layout.kind, layout.labels, layout.made_split) == ("pictures", ("cat", "dog"), True)
    assert splits_of(layout) == {"train": 28, "val": 6, "test": 6}
    assert read_layout(picture_set) == layout
    assert read_layout(picture_set, seed=1).items != layout.items


def test_given_splits_stay(tmp_path, write_picture) -> None:
    for i, split in enumerate(("train", "valid", "Test")):
        for c in "ab":
            for k in range(2):
                write_picture(tmp_path / split / c / f"{k}.png", seed=100 * i + 10 * ord(c) + k)
    layout = read_layout(tmp_path)
    assert not layout.made_split
    assert splits_of(layout) == {"train": 4, "val": 4, "test": 4}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("train",), {"train", "val", "test"}),
        (("train", "test"), {"train", "val", "test"}),
        (("train", "val"), {"train", "val"}),
    ],
)
def test_missing_splits(tmp_path, write_picture, given, expected) -> None:
    for i, split in enumerate(given):
        for c in "ab":
            for k in range(10):
                write_picture(tmp_path / split / c / f"{k}.png", seed=1000 * i + 20 * ord(c) + k)
    layout = read_layout(tmp_path)
    assert set(splits_of(layout)) == expected
    for item in layout.items:
        if item.split == "test" and "test" in given:
            assert item.path.is_relative_to(tmp_path / "test")
    assert layout.made_split == (expected != set(given))


def test_windows_and_their_reverse_stay_together(tmp_path, write_clip) -> None:
    for recording in range(8):
        for w in range(2):
            number = 10 * recording + w
            write_clip(tmp_path / "away" / f"r{recording}_w{w}.avi", seed=number)
            write_clip(tmp_path / "toward" / f"r{recording}_w{w}_rev.avi", seed=100 + number)
    sides: dict[str, set[str]] = {}
    for item in read_layout(tmp_path).items:
        sides.setdefault(item.path.name[:2], set()).add(item.split)
    assert all(len(splits) == 1 for splits in sides.values())
    assert {s for splits in sides.values() for s in splits} == {"train", "val", "test"}


def test_other_files_are_ignored(picture_set: Path) -> None:
    before = read_layout(picture_set)
    (picture_set / "notes.csv").write_text("a,b")
    (picture_set / ".DS_Store").write_text("x")
    (picture_set / "cat" / "README.md").write_text("x")
    (picture_set / "cat" / "._1.png").write_text("x")
    (picture_set / ".git").mkdir()
    (picture_set / "__MACOSX").mkdir()
    assert read_layout(picture_set) == before


def test_folders_of_pictures_are_clips(tmp_path, write_picture) -> None:
    for c in "ab":
        for clip in range(4):
            for i in range(3):
                seed = 100 * ord(c) + 10 * clip + i
                write_picture(tmp_path / c / f"clip{clip}" / f"{i}.png", seed=seed)
    layout = read_layout(tmp_path)
    assert layout.kind == "clips" and len(layout.items) == 8
    assert len({item.digest for item in layout.items}) == 8


def test_a_class_may_be_called_train(tmp_path, write_picture) -> None:
    for c, name in enumerate(("car", "train")):
        for i in range(5):
            write_picture(tmp_path / name / f"{i}.png", seed=10 * c + i)
    assert read_layout(tmp_path).labels == ("car", "train")


def test_labels_are_ordered_by_number(tmp_path, write_picture) -> None:
    for c in range(11):
        for i in range(2):
            write_picture(tmp_path / str(c) / f"{i}.png", seed=10 * c + i)
    assert read_layout(tmp_path).labels == tuple(map(str, range(11)))


def test_labels_of_a_model_number_the_classes(tmp_path, picture_set) -> None:
    shutil.rmtree(picture_set / "cat")
    layout = read_layout(picture_set, labels=("ant", "cat", "dog"))
    assert {item.label for item in layout.items} == {2}
    assert splits_of(layout) == {"test": 20} and not layout.made_split
    only_test = tmp_path / "new"
    only_test.mkdir()
    shutil.move(picture_set, only_test / "test")
    assert splits_of(read_layout(only_test, labels=("cat", "dog"))) == {"test": 20}
    with pytest.raises(EdgecrnnError, match=r"got the class 'dog' \(did you mean 'dogs'\?\)"):
        read_layout(only_test, labels=("cat", "dogs"))


def test_a_folder_that_may_have_been_trained_on_is_split_as_it_was(picture_set) -> None:
    assert read_layout(picture_set, labels=("cat", "dog")) == read_layout(picture_set)


def refused(root: Path) -> str:
    with pytest.raises(EdgecrnnError) as caught:
        read_layout(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_there(tmp_path) -> None:
    assert "there is no such folder" in refused(tmp_path / "none")
    assert "found none" in refused(tmp_path)
    file = tmp_path / "file"
    file.write_text("x")
    assert "got a file" in refused(file)


def test_one_class(picture_set) -> None:
    shutil.rmtree(picture_set / "dog")
    assert "got only 'cat'" in refused(picture_set)


def test_an_empty_class(picture_set) -> None:
    (picture_set / "eel").mkdir()
    assert "found none" in refused(picture_set)


def test_a_class_of_one_file(picture_set, write_picture) -> None:
    write_picture(picture_set / "eel" / "1.png", seed=9)
    assert "got one of 'eel'" in refused(picture_set)


def test_a_class_of_one_content(picture_set, write_picture) -> None:
    for i in range(3):
        write_picture(picture_set / "eel" / f"{i}.png", seed=9)
    assert "eel: expected at least two recordings" in refused(picture_set)


def test_pictures_and_clips_mixed(picture_set, write_clip) -> None:
    write_clip(picture_set / "cat" / "x.avi")
    message = refused(picture_set)
    assert "cat/0.png" in message and "cat/x.avi" in message


def test_a_class_that_train_lacks(tmp_path, picture_set, write_picture) -> None:
    root = tmp_path / "split"
    root.mkdir()
    shutil.move(picture_set, root / "train")
    for i in range(2):
        write_picture(root / "val" / "eel" / f"{i}.png", seed=i)
    assert "got it only in val" in refused(root)


def test_splits_without_train(tmp_path, picture_set) -> None:
    root = tmp_path / "split"
    root.mkdir()
    shutil.move(picture_set, root / "val")
    assert "expected a split folder 'train'" in refused(root)


def test_a_split_folder_beside_another(tmp_path, picture_set) -> None:
    root = tmp_path / "split"
    root.mkdir()
    shutil.copytree(picture_set, root / "train")
    shutil.copytree(picture_set, root / "extra")
    assert "got 'train' beside 'extra'" in refused(root)


def test_splits_without_classes(tmp_path, write_picture) -> None:
    for split in ("train", "val"):
        write_picture(tmp_path / split / "1.png")
    assert "expected a folder for each class" in refused(tmp_path)
