"""Models that answer noise with a picture, and can read what they made in a second pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import EITHER, Told, joined, kinds_of, teller_of
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import Manifest
from edgecrnn.runtime.seeds import asked_for, is_seed

Pixels = npt.NDArray[np.uint8]
PICTURE = "picture"
# Kinds of answers that come of data with classes: there noise asks for a class.
_BY_CLASS = ("label", "embedding")


def is_maker(manifest: Manifest) -> bool:
    """Whether it is a bundle of generate, alone or beside another task."""
    return manifest.task.partition("+")[0] == "generate"


def asked_labels(manifest: Manifest) -> tuple[str, ...]:
    """What noise can ask for; () where pictures are of no class."""
    if EITHER in manifest.answer and kinds_of(manifest.answer)[1] not in _BY_CLASS:
        return ()
    return manifest.labels


class Teller:
    """Tells what a model answers to a prepared frame, in as many passes as that takes.

    Args:
        engine: of the bundle.
        manifest: its answer and labels.
    """

    def __init__(self, engine: Engine, manifest: Manifest):
        self._engine = engine
        self._labels, self._asked = manifest.labels, asked_labels(manifest)
        self._generates, self._reads = is_maker(manifest), EITHER in manifest.answer
        kinds = kinds_of(manifest.answer)
        self._told = teller_of(kinds[1] if self._reads else manifest.answer)
        self._told_made = teller_of(kinds[0])

    def __call__(self, frame: Pixels) -> Told:
        """The answer; of noise that asks for a picture the picture, read.

        Args:
            frame: uint8 [height, width, channels] from `prepare`.

        Raises:
            EdgecrnnError: the model answered with something that is no number.
        """
        parts = self._parts(frame)
        if not (self._generates and is_seed(frame)):
            return self._told(parts, self._labels)
        told = self._told_made(parts, () if self._reads else self._labels)
        if (asked := asked_for(frame, len(self._asked))) >= 0:
            # Not what it sees, but what it was to make.
            told = told._replace(label=self._asked[asked])
        return joined(told, self.read(pixels_of(parts[PICTURE]))) if self._reads else told

    def made(self, seed: Pixels) -> Pixels:
        """The picture that the noise asks for, uint8 [height, width, channels], RGB or gray."""
        return pixels_of(self._parts(seed)[PICTURE])

    def read(self, picture: Pixels) -> Told:
        """What the other task says of a picture, whatever it looks like."""
        return self._told(self._parts(picture), self._labels)

    def _parts(self, frame: Pixels) -> dict[str, npt.NDArray[np.float32]]:
        answer, _ = self._engine.step(frame, {})
        if not np.isfinite(answer).all():
            raise EdgecrnnError(
                "model: expected an answer of numbers, got others; try another --variant"
            )
        return self._engine.parts(answer)


def pixels_of(picture: npt.NDArray[np.float32]) -> Pixels:
    """Levels 0 to 255 of what a model answered."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
