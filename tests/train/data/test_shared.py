"""Training refuses a score on what it was trained on, and says what a split lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.data.layout import read_layout
from edgecrnn.train.data.shared import missing_notes, refuse_shared
from edgecrnn.train.data.store import load


@pytest.fixture
def divided(tmp_path: Path, write_picture) -> Path:
    """Two classes of six pictures in each split, all different."""
    root = tmp_path / "divided"
    for s, split in enumerate(("train", "val", "test")):
        for c, name in enumerate(("cat", "dog")):
            for i in range(6):
                write_picture(root / split / name / f"{i}.png", seed=100 * s + 10 * c + i)
    return root


def test_splits_that_share_nothing_pass(divided: Path) -> None:
    refuse_shared(read_layout(divided), allow=False)


def test_a_test_file_that_was_trained_on_is_refused(divided: Path) -> None:
    shutil.copy(divided / "train/cat/1.png", divided / "test/cat/other.png")
    shutil.copy(divided / "train/dog/2.png", divided / "val/dog/another.png")
    with pytest.raises(EdgecrnnError) as caught:
        refuse_shared(read_layout(divided), allow=False)
    said = str(caught.value)
    assert "expected no file of train in val or test, got 2:" in said
    assert "test/cat/other.png = train/cat/1.png" in said
    assert "val/dog/another.png = train/dog/2.png" in said
    assert "--allow-shared" in said and "delete them" in said
    refuse_shared(read_layout(divided), allow=True)


def test_a_long_list_is_cut(divided: Path) -> None:
    shutil.rmtree(divided / "test")
    shutil.copytree(divided / "train", divided / "test")
    with pytest.raises(EdgecrnnError, match=r"got 12: .* and 2 more; a score"):
        refuse_shared(read_layout(divided), allow=False)


def test_the_same_file_within_a_split_or_in_val_and_test_is_no_reason(divided: Path) -> None:
    shutil.copy(divided / "train/cat/1.png", divided / "train/dog/same.png")
    shutil.copy(divided / "val/cat/1.png", divided / "test/cat/same.png")
    refuse_shared(read_layout(divided), allow=False)


def test_a_made_split_never_shares(picture_set: Path) -> None:
    for i in range(4):
        shutil.copy(picture_set / "cat/0.png", picture_set / f"cat/copy{i}.png")
    for seed in range(5):
        refuse_shared(read_layout(picture_set, seed), allow=False)


def test_a_class_that_validation_lacks_is_said(divided: Path, small, settings) -> None:
    shutil.rmtree(divided / "val" / "dog")
    notes = load(divided, small, settings).notes
    assert len(notes) == 1 and notes[0].startswith("val has no file of 'dog': when to stop")
    assert f"edgecrnn crossval {divided} --out FOLDS" in notes[0]
    # Judging a trained model needs no such word.
    assert load(divided, small, settings, labels=("cat", "dog")).notes == ()


def test_every_split_and_class_has_its_word() -> None:
    counts = {"train": {"a": 9, "b": 9}, "val": {"a": 0, "b": 0}, "test": {"a": 1, "b": 0}}
    val, test = missing_notes(Path("my clips"), counts)
    assert val.startswith("val has no file of 'a'; 'b':")
    assert val.endswith("once by edgecrnn crossval 'my clips' --out FOLDS")
    assert test == "test has no file of 'b': the score leaves it out; record more of it"
    assert missing_notes(Path("data"), {"train": {"a": 1}}) == ()


def test_folds_are_offered_only_where_every_training_would_have_the_class() -> None:
    few = {"train": {"a": 9, "b": 2}, "val": {"a": 3, "b": 0}}
    (note,) = missing_notes(Path("data"), few)
    assert note.endswith("; record more of it")
