from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.check.check import check_folder
from edgecrnn.train.data.store import DataSettings


def kinds(root: Path) -> dict[str, list[tuple[str, str]]]:
    """The severity and title of each finding, by its kind."""
    found: dict[str, list[tuple[str, str]]] = {}
    for finding in check_folder(root, DataSettings()).findings:
        found.setdefault(finding.kind, []).append((finding.severity, finding.title))
    return found


def test_a_class_that_a_split_lacks(good: Path) -> None:
    shutil.rmtree(good / "val/dog")
    found = kinds(good)
    assert found["missing"] == [("warning", "val has no file of dog")]


def test_a_class_that_train_lacks_is_why_training_refuses(good: Path) -> None:
    shutil.rmtree(good / "train/dog")
    found = kinds(good)
    assert found["refused"][0][0] == "serious"
    assert found["refused"][0][1].startswith("training refuses it: expected the class 'dog' in")
    assert found["missing"] == [("serious", "train has no file of dog")]


def test_a_tiny_class_and_unequal_ones(good: Path) -> None:
    for i in range(2, 12):
        (good / f"train/dog/{i}.jpg").unlink()
    found = kinds(good)
    assert found["tiny"] == [("warning", "fewer than 10 pictures to train on of dog (2)")]
    assert found["unequal"] == [("warning", "6 times as many pictures of cat (12) as of dog (2)")]


def test_a_single_class_is_shown_all_the_same(good: Path) -> None:
    for split in ("train", "val", "test"):
        shutil.rmtree(good / split / "dog")
    found = kinds(good)
    assert "expected at least two classes, got only 'cat'" in found["refused"][0][1]


def test_parts_of_a_recording_in_two_splits(good: Path) -> None:
    (good / "train/cat/1.jpg").rename(good / "train/cat/visit_w0.jpg")
    (good / "test/cat/1.jpg").rename(good / "test/cat/visit_w1.jpg")
    (good / "test/cat/2.jpg").rename(good / "test/cat/other_w1.jpg")
    found = kinds(good)
    assert found == {
        "recordings": [("warning", "1 recording with parts in two splits, by the names")]
    }


def test_a_small_test_split_says_how_coarse_its_score_is(good: Path) -> None:
    for name in ("cat", "dog"):
        for i in range(5, 15):
            (good / "test" / name / f"{i}.jpg").unlink()
    assert kinds(good) == {
        "coarse": [("note", "test has 10 pictures: each moves its score by 10 points")]
    }


def test_a_folder_without_splits_is_counted_as_training_would_divide_it(good: Path) -> None:
    flat = good.with_name("flat")
    shutil.copytree(good / "train", flat)
    checked = check_folder(flat, DataSettings())
    assert list(checked.counts) == ["train", "val", "test"]
    assert sum(sum(counts.values()) for counts in checked.counts.values()) == 24
    assert "made-split" in kinds(flat)


def test_several_labels_a_picture(good: Path) -> None:
    """The same picture under other labels; and each label counts the files it is true of."""
    root = good.with_name("several")
    for split in ("train", "val", "test"):
        (root / split).mkdir(parents=True)
        rows = ["file,cat,dog"]
        for i in range(15):
            for name, cells in (("cat", "1,0"), ("dog", "1,1")):
                source = good / split / name / f"{i}.jpg"
                if source.exists():
                    shutil.copy(source, root / split / f"{name}{i}.jpg")
                    rows.append(f"{name}{i}.jpg,{cells}")
        rows.append("none.jpg,0,0")
        shutil.copy(good / split / "cat" / "3.jpg", root / split / "none.jpg")
        (root / split / "labels.csv").write_text("\n".join(rows) + "\n")
    checked = check_folder(root, DataSettings())
    assert checked.counts["train"] == {"cat": 24, "dog": 12}
    (finding,) = checked.findings
    assert finding.kind == "labels" and "two sets of labels" in finding.title
    assert len(finding.entries) == 3


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.write_text("")])
def test_what_is_no_data_folder_is_refused(make, tmp_path: Path) -> None:
    make(tmp_path / "d")
    with pytest.raises(EdgecrnnError, match=r"expected \[split/\]class/file"):
        check_folder(tmp_path / "d", DataSettings())


def test_labels_that_name_missing_files_are_refused(good: Path) -> None:
    for name in ("1", "2"):
        shutil.copy(good / f"train/cat/{name}.jpg", good / f"{name}.jpg")
    for split in ("train", "val", "test"):
        shutil.rmtree(good / split)
    (good / "labels.csv").write_text("file,a,b\n1.jpg,1,0\n2.jpg,0,1\ngone.jpg,1,0\n")
    with pytest.raises(EdgecrnnError, match=r"gone\.jpg is not there; add them or remove"):
        check_folder(good, DataSettings())
