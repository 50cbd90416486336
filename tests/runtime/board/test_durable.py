from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from edgecrnn.runtime.board.durable import point
from edgecrnn.runtime.errors import EdgecrnnError

STEPS = ["sync target", "make link", "rename link", "sync link", "linked"]


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    for name in ("old", "new"):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / "model").write_text(name)
    point(tmp_path / "current", "releases/old")
    return tmp_path


def test_the_link_leads_to_the_new_release(releases: Path) -> None:
    told: list[str] = []
    point(releases / "current", "releases/new", told.append)
    assert told == STEPS
    assert (releases / "current" / "model").read_text() == "new"
    assert _names(releases) == ["current", "releases"]


def test_a_link_that_leads_there_is_left_alone(releases: Path) -> None:
    before = (releases / "current").lstat().st_ino
    point(releases / "current", "releases/old")
    assert (releases / "current").lstat().st_ino == before


def test_a_release_that_is_not_there_is_refused(releases: Path) -> None:
    with pytest.raises(EdgecrnnError, match="could not be written"):
        point(releases / "current", "releases/none")
    assert (releases / "current" / "model").read_text() == "old"


def test_a_folder_under_the_links_name_is_refused(releases: Path) -> None:
    (releases / "folder" / "mine").mkdir(parents=True)
    with pytest.raises(EdgecrnnError, match="could not be written"):
        point(releases / "folder", "releases/new")
    assert (releases / "folder" / "mine").is_dir()
    assert _names(releases) == ["current", "folder", "releases"]


@pytest.mark.parametrize("place", STEPS)
def test_killed_at_any_step_the_link_leads_to_old_or_new(releases: Path, place: str) -> None:
    child = os.fork()
    if child == 0:

        def kill(name: str) -> None:
            if name == place:
                os.kill(os.getpid(), signal.SIGKILL)

        point(releases / "current", "releases/new", kill)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    expected = "new" if place in ("sync link", "linked") else "old"
    assert (releases / "current" / "model").read_text() == expected
    point(releases / "current", "releases/new")
    assert (releases / "current" / "model").read_text() == "new"
    assert _names(releases) == ["current", "releases"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
