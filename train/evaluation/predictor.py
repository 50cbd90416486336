"""What evaluation asks of a model, whether a run's network or a bundle's interpreter."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Predictor(Protocol):
    """Frames and a state in, scores and the new state out."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of the scores."""

    def scores(
        self, frames: npt.NDArray[np.uint8], state: Any
    ) -> tuple[npt.NDArray[np.float32], Any]:
        """Scores of frames that follow each other; of pictures, each for itself.

        Args:
            frames: uint8 [time, height, width, channels], at least one.
            state: what the last call returned, or None at the start of a stream. Pictures (and
                the single-frame baseline) have none and ignore it.

        Returns:
            float32 [time, classes], each row adding up to about 1, and the new state.
        """
