"""The board that the tests of this folder reach over ssh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.devices.board import Board, running_board


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with running_board(tmp_path / "board") as running:
        yield running
