"""The run as a child: what it may find when it is started, and what it leaves."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import pytest

from edgecrnn.runtime.board.run import Run
from edgecrnn.runtime.errors import EdgecrnnError


def test_a_temporary_folder_that_cannot_be_made_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A full /tmp must not end the supervisor, which tries again after a pause."""
    (tmp_path / "a file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a file"))
    with pytest.raises(EdgecrnnError, match="true: could not be started"):
        Run(["true"], print)


def test_one_that_has_ended_leaves_nothing_open() -> None:
    before = set(Path("/proc/self/fd").iterdir())
    gc.disable()
    try:
        for _ in range(3):
            run = Run(["true"], print)
            while run.poll(1.0) is None:
                pass
            assert run.end() == 0
        assert set(Path("/proc/self/fd").iterdir()) == before
    finally:
        gc.enable()
