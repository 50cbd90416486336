"""The data that a run was trained on: where it is, and that it is still the same."""

from __future__ import annotations

from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError


def data_folder(recorded: str, given: Path | None) -> Path:
    """The folder that --data names, or the one of the run's record.

    Raises:
        EdgecrnnError: it is not there.
    """
    root = given or Path(recorded)
    if not root.is_dir():
        raise EdgecrnnError(
            f"{root}: expected the data that the run was trained on, to calibrate and check with, "
            "got nothing there; say where it is with --data DIR"
        )
    return root


def refuse_other_data(root: Path, trained: str, found: str) -> None:
    """Raise `EdgecrnnError` where the hash of the data is not that of what was trained on."""
    if found != trained:
        raise EdgecrnnError(
            f"{root}: expected the data that the run was trained on (SHA-256 {trained[:12]}…), got "
            f"other files ({found[:12]}…); give the same with --data, or train again"
        )
