"""Each kind of finding, from a folder that has that fault and no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data import store
from edgecrnn.train.data.check.check import Checked, check_folder
from edgecrnn.train.data.check.finding import Finding
from edgecrnn.train.data.store import DataSettings


def check(root: Path, **settings) -> Checked:
    return check_folder(root, DataSettings(**settings))


def only(checked: Checked) -> Finding:
    (finding,) = checked.findings
    return finding


def load(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image


def files(finding: Finding) -> list[str]:
    return [file for entry in finding.entries for file in entry.files]


@pytest.fixture
def clips(tmp_path: Path, scene, save_clip) -> Path:
    """Two classes of clips of 20 frames at 10 a second, 12 in train and 30 in val and in test."""
    root, seed = tmp_path / "clips", 0
    for split, count in (("train", 12), ("val", 15), ("test", 15)):
        for name in ("away", "toward"):
            for i in range(count):
                seed += 1
                frames = [scene(seed, at=(40, 4 + 5 * k)) for k in range(20)]
                save_clip(root / split / name / f"{i}.avi", frames)
    return root


def test_nothing_is_found_in_good_pictures(good: Path) -> None:
    checked = check(good)
    assert checked.findings == () and not checked.serious
    assert checked.counts["train"] == {"cat": 12, "dog": 12}
    assert checked.frame_rate is None


def test_nothing_is_found_in_good_clips(clips: Path) -> None:
    checked = check(clips)
    assert checked.findings == () and checked.frame_rate == 10


def test_an_identical_file_in_two_splits(good: Path) -> None:
    shutil.copy(good / "train/cat/1.jpg", good / "test/cat/copy.jpg")
    finding = only(check(good))
    assert (finding.kind, finding.severity) == ("shared", "serious")
    assert finding.entries[0].files == ("test/cat/copy.jpg", "train/cat/1.jpg")
    assert finding.entries[0].said == "identical"
    assert "--allow-shared" in finding.remedy


def test_a_near_copy_in_two_splits(good: Path, save) -> None:
    original = load(good / "train/cat/1.jpg")
    save(good / "val/cat/copy.png", original[2:, 3:])
    finding = only(check(good))
    assert (finding.kind, finding.severity) == ("leak", "serious")
    assert finding.entries[0].files == ("val/cat/copy.png", "train/cat/1.jpg")
    assert finding.entries[0].said.startswith("difference 0.")
    assert "move them into the split of their twin" in finding.remedy


def test_a_split_by_file_where_it_should_be_by_recording(good: Path, save) -> None:
    for i in range(10):
        image = load(good / f"train/cat/{i}.jpg")
        save(good / f"test/cat/next{i}.png", cv2.convertScaleAbs(image, beta=4))
        save(good / f"val/cat/next{i}.png", cv2.convertScaleAbs(image, beta=7))
    finding = only(check(good))
    assert finding.kind == "leak" and len(finding.entries) == 20
    assert "divide by recording, day or place" in finding.remedy


def test_a_made_split_that_divides_twins_says_how_to_join_them(tmp_path: Path, scene, save) -> None:
    for c, name in enumerate(("cat", "dog")):
        for i in range(40):
            image = scene(100 * c + i)
            save(tmp_path / "d" / name / f"{i}.png", image)
            save(tmp_path / "d" / name / f"{i}b.png", cv2.convertScaleAbs(image, beta=5))
    kinds = {finding.kind: finding for finding in check(tmp_path / "d").findings}
    assert set(kinds) == {"leak", "repeats", "made-split", "coarse"}
    assert "a_part1, a_part2" in kinds["leak"].remedy


def test_the_same_picture_under_two_classes(good: Path, save) -> None:
    shutil.copy(good / "train/cat/1.jpg", good / "train/dog/copy.jpg")
    original = load(good / "train/cat/2.jpg")
    save(good / "train/dog/near.png", original[1:, 1:])
    finding = only(check(good))
    assert (finding.kind, finding.severity) == ("labels", "serious")
    assert files(finding) == [
        "train/cat/1.jpg", "train/dog/copy.jpg", "train/cat/2.jpg", "train/dog/near.png",
    ]  # fmt: skip
    assert [entry.said == "identical" for entry in finding.entries] == [True, False]


def test_classes_that_differ_in_too_little_are_a_warning(tmp_path: Path, scene, save) -> None:
    rng = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for c, name in enumerate(("closed", "open")):
            for i in range(15):
                frame = scene(0)
                frame[60 + 2 * c, 80] = 255
                noise = rng.normal(0, 2, frame.shape)
                image = np.clip(frame + noise, 0, 255).astype(np.uint8)
                save(tmp_path / "d" / split / name / f"{i}.png", image)
    kinds = {finding.kind: finding for finding in check(tmp_path / "d").findings}
    assert kinds["alike"].severity == "warning" and "labels" not in kinds
    assert "90 files look like one of other classes" in kinds["alike"].title


def test_repeats_within_a_class_and_split_are_a_note(good: Path) -> None:
    for i in range(3):
        shutil.copy(good / "train/cat/1.jpg", good / f"train/cat/copy{i}.jpg")
    checked = check(good)
    finding = only(checked)
    assert (finding.kind, finding.severity) == ("repeats", "note") and not checked.serious
    assert len(finding.entries) == 1 and len(finding.entries[0].files) == 4
    assert "3 fewer than it seems" in finding.remedy


def test_a_few_broken_files_are_a_warning_and_many_are_serious(good: Path) -> None:
    bad = good / "train/cat/1.jpg"
    bad.write_bytes(bad.read_bytes()[:900])
    finding = only(check(good))
    assert (finding.kind, finding.severity) == ("broken", "warning")
    assert [(entry.files, entry.said) for entry in finding.entries] == [
        (("train/cat/1.jpg",), "truncated")
    ]
    assert only(check(good, max_bad=0.01)).severity == "serious"
    for i in range(12):
        (good / f"train/dog/{i}.jpg").write_bytes(f"{i}".encode())
    kinds = {f.kind: f.severity for f in check(good, max_bad=0.9).findings}
    assert kinds == {"broken": "serious", "missing": "serious"}


def test_short_clips(clips: Path, scene, save_clip) -> None:
    save_clip(clips / "train/away/short.avi", [scene(900 + i) for i in range(9)])
    finding = only(check(clips))
    assert (finding.kind, finding.severity) == ("short", "warning")
    assert finding.entries[0].said == "9 frames" and "training skips them" in finding.title
    finding = only(check(clips, shortest=21))
    assert finding.severity == "serious" and "use --window 20" in finding.remedy
    finding = only(check(clips, frame_rate=5))
    assert len(finding.entries) == 85 and "use --window 10 or a higher" in finding.remedy


def test_broken_and_short_clips_are_too_many_together(clips: Path, scene, save_clip) -> None:
    for i in range(3):
        (clips / f"train/away/{i}.avi").write_bytes(f"{i}".encode())
        save_clip(clips / f"train/toward/short{i}.avi", [scene(900 + 9 * i + k) for k in range(9)])
    kinds = {f.kind: (f.severity, f.title) for f in check(clips).findings}
    with pytest.raises(EdgecrnnError, match="expected at most 5% bad files, got 6 of 87"):
        store.load(clips, Preprocessing(height=16, width=16), DataSettings(cache=str(clips / ".c")))
    for kind in ("broken", "short"):
        severity, title = kinds[kind]
        assert severity == "serious" and "training refuses the folder" in title


def test_a_set_of_labels_whose_only_file_is_broken_is_no_class(tmp_path: Path, scene, save) -> None:
    for split, count in (("train", 24), ("val", 30), ("test", 30)):
        rows = ["file,cat,dog"]
        for i in range(count):
            save(tmp_path / split / f"{i}.jpg", scene(100 * ord(split[1]) + i))
            rows.append(f"{i}.jpg,{i % 2},{1 - i % 2}")
        (tmp_path / split / "labels.csv").write_text("\n".join(rows))
    table = tmp_path / "train" / "labels.csv"
    table.write_text(table.read_text().replace("\n0.jpg,0,1", "\n0.jpg,1,1"))
    (tmp_path / "train" / "0.jpg").write_bytes(b"no picture")
    finding = only(check(tmp_path))
    assert (finding.kind, finding.severity) == ("broken", "warning")


def test_slow_and_fast_clips(clips: Path, scene, save_clip) -> None:
    save_clip(clips / "train/away/slow.avi", [scene(900 + i) for i in range(20)], rate=4)
    save_clip(clips / "train/away/fast.avi", [scene(950 + i) for i in range(60)], rate=30)
    slow, fast = check(clips).findings
    assert (slow.kind, slow.severity, files(slow)) == ("slow", "warning", ["train/away/slow.avi"])
    assert "--frame-rate 4" in slow.remedy
    assert (fast.kind, fast.severity, files(fast)) == ("rates", "note", ["train/away/fast.avi"])


def test_blank_and_frozen_clips(clips: Path, scene, save_clip) -> None:
    grey = np.full((120, 160, 3), 60, np.uint8)
    frames = [grey] * 6 + [scene(900 + i) for i in range(18)]
    save_clip(clips / "train/away/starting.avi", frames)
    save_clip(clips / "train/away/hung.avi", [scene(990)] * 20)
    blank, frozen = check(clips).findings
    assert (blank.kind, blank.severity, blank.entries[0].said) == ("blank", "warning", "25% of 24")
    assert (frozen.kind, frozen.severity, files(frozen)) == (
        "frozen", "note", ["train/away/hung.avi"],
    )  # fmt: skip


def test_blank_pictures(good: Path, save) -> None:
    save(good / "val/dog/lens.png", np.full((120, 160, 3), 3, np.uint8))
    finding = only(check(good))
    assert finding.kind == "blank" and files(finding) == ["val/dog/lens.png"]


def test_odd_sizes(good: Path, scene, save) -> None:
    save(good / "train/cat/tall.jpg", cv2.rotate(scene(900), cv2.ROTATE_90_CLOCKWISE))
    save(good / "train/cat/tiny.png", cv2.resize(scene(901), (60, 45)))
    shape, small = check(good).findings
    assert (shape.kind, shape.severity) == (small.kind, small.severity) == ("sizes", "warning")
    assert shape.entries[0].files == ("train/cat/tall.jpg",) and "--fit" in shape.remedy
    assert shape.entries[0].said == "120x160"
    assert small.entries[0].files == ("train/cat/tiny.png",) and "160x120" in small.title


def test_a_clip_whose_size_changes(tmp_path: Path, clips: Path, scene, save) -> None:
    for i in range(20):
        frame = scene(900 + i)
        save(clips / "train/away/numbered" / f"{i}.png", frame if i < 10 else frame[:100])
    assert files(only(check(clips))) == ["train/away/numbered"]


def test_identical_files_stay_serious_where_the_classes_look_alike(tmp_path, scene, save) -> None:
    rng = np.random.default_rng(0)
    root = tmp_path / "d"
    for split in ("train", "val", "test"):
        for c, name in enumerate(("closed", "open")):
            for i in range(15):
                frame = scene(0)
                frame[60 + 2 * c, 80] = 255
                image = np.clip(frame + rng.normal(0, 2, frame.shape), 0, 255).astype(np.uint8)
                save(root / split / name / f"{i}.png", image)
    shutil.copy(root / "train/open/3.png", root / "train/closed/x.png")
    kinds = {finding.kind: finding for finding in check(root).findings}
    assert files(kinds["labels"]) == ["train/closed/x.png", "train/open/3.png"]
    assert kinds["alike"].severity == "warning"
