"""A board, and bundles for it; whatever runs on it is ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from tests.runtime.board.a_board import ABoard


@pytest.fixture
def board(tmp_path: Path) -> Iterator[ABoard]:
    made = ABoard(tmp_path / "root")
    yield made
    made.close()
