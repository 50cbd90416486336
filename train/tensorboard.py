"""The history of a training as TensorBoard reads it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output

if TYPE_CHECKING:
    from edgecrnn.train.fit import Epoch


class TensorBoardLog:
    """Writes each finished epoch; a folder for each part (network, int8, baseline).

    Args:
        folder: where `tensorboard --logdir` looks.

    Raises:
        EdgecrnnError: the package is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: Path):
        try:
            from tensorboard.summary import Writer
        except ModuleNotFoundError as error:
            raise EdgecrnnError(
                "tensorboard: expected the package to be installed, got none; "
                "pip install 'edgecrnn[tensorboard]', or leave out --tensorboard"
            ) from error
        check_output(folder / "network", force=True)
        self._make = Writer
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def epoch(self, part: str, line: Epoch) -> None:
        """An epoch of `part` is done.

        Raises:
            EdgecrnnError: it cannot be written.
        """
        from tensorflow.errors import OpError

        try:
            if part not in self._writers:
                self._writers[part] = self._make(str(self._folder / part))
            writer = self._writers[part]
            for name, value in dataclasses.asdict(line).items():
                if name != "epoch":
                    writer.add_scalar(name, float(value), line.epoch)
            writer.flush()
        except (OSError, OpError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise EdgecrnnError(
                f"{self._folder}: could not be written ({said}); free some space or leave out "
                "--tensorboard, and go on with --resume"
            ) from error

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(self, *error: object) -> None:
        """End the files."""
        for writer in self._writers.values():
            writer.close()
