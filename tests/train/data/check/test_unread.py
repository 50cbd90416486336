"""Files that a person put there as data and that training would pass over in silence."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgecrnn.train.data.check.check import check_folder
from edgecrnn.train.data.store import DataSettings


def unread(root: Path) -> dict[str, list[tuple[str, str]]]:
    """The files of each such finding with what is said of them, by its title."""
    return {
        finding.title: [(entry.files[0], entry.said) for entry in finding.entries]
        for finding in check_folder(root, DataSettings()).findings
        if finding.kind == "unread" and finding.severity == "warning"
    }


def test_formats_that_are_not_read(good: Path) -> None:
    for name in ("a.heic", "b.HEIC", "c.gif"):
        (good / "train/cat" / name).write_bytes(b"picture")
    assert unread(good) == {
        "3 files in a format that is not read: .heic (2), .gif (1)": [
            ("train/cat/a.heic", ""), ("train/cat/b.HEIC", ""), ("train/cat/c.gif", ""),
        ]
    }  # fmt: skip


def test_files_in_a_place_that_is_not_looked_at(good: Path) -> None:
    shutil.copy(good / "train/cat/1.jpg", good / "left.jpg")
    (good / "train/cat/gone.jpg").symlink_to(good / "nowhere.jpg")
    assert unread(good) == {
        "2 files that training does not see, by the place": [
            ("left.jpg", "in no class folder"),
            ("train/cat/gone.jpg", "a link to nothing"),
        ]
    }


def test_clips_too_deep(tmp_path: Path, scene, save_clip) -> None:
    for name in ("away", "toward"):
        for i in range(2):
            save_clip(tmp_path / "d" / name / f"{i}.avi", [scene(i) for _ in range(16)])
    save_clip(tmp_path / "d/away/monday/3.avi", [scene(9)] * 16)
    (found,) = unread(tmp_path / "d").values()
    assert found == [("away/monday/3.avi", "not where a class's files are looked for")]


def test_pictures_that_the_labels_do_not_name(good: Path) -> None:
    root = good.with_name("named")
    root.mkdir()
    rows = ["file,a,b"]
    for i in range(10):
        shutil.copy(good / f"train/cat/{i}.jpg", root / f"{i}.jpg")
        rows.append(f"{i}.jpg,{i % 2},{i % 3 % 2}")
    (root / "labels.csv").write_text("\n".join(rows[:-1]) + "\n")
    (found,) = unread(root).values()
    assert found == [("9.jpg", "not named in labels.csv")]


def test_what_is_no_data_is_not_told_of(good: Path, scene, save) -> None:
    """Notes, hidden files, thumbnails that a viewer keeps, and the frames of a clip."""
    (good / "README.txt").write_text("recorded in May")
    (good / "train/cat/1.txt").write_text("0 0.5 0.5 1 1")
    save(good / ".thumbnails/1.png", scene(0))
    save(good / "__MACOSX/1.png", scene(0))
    (good / "train/cat/._1.jpg").write_bytes(b"resource fork")
    assert unread(good) == {}
    frames = good.with_name("frames")
    for name in ("cat", "dog"):
        for clip in ("a", "b"):
            for i in range(16):
                save(frames / name / clip / f"{i}.png", scene(i))
    assert unread(frames) == {}
