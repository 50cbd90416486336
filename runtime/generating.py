"""`edgecrnn generate`: new pictures from a bundle of the task of that name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.runtime.settings import nearest

TASK = "generate"


def generated(
    bundle: Bundle, labels: tuple[str, ...], count: int, seed: int = 0, variant: str | None = None
) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """(label, picture) `count` times for each label; the same again for the same seed.

    Args:
        bundle: of the task generate.
        labels: of the bundle's; () for all of them.
        count: pictures of each.
        seed: of the noise that they are made of.
        variant: of the bundle; the preferred one where none is named.

    Yields:
        The label, and uint8 [height, width, channels], RGB or gray.

    Raises:
        EdgecrnnError: the bundle is of another task, or has no such label.
    """
    manifest = bundle.manifest
    if manifest.task != TASK:
        raise EdgecrnnError(
            f"{bundle.path}: expected a bundle that makes pictures of noise, got one for "
            f"{manifest.task}; train with --task {TASK}"
        )
    for label in labels:
        if label not in manifest.labels:
            raise EdgecrnnError(
                f"label: expected one of {', '.join(manifest.labels)}, got {label!r}"
                f"{nearest(label, manifest.labels)}"
            )
    engine = load_engine(bundle, variant)
    shape = manifest.preprocessing.frame_shape
    for label in labels or manifest.labels:
        number = manifest.labels.index(label)
        rng = np.random.default_rng((seed, number))
        for _ in range(count):
            answer, _ = engine.step(seed_frame(shape, number, rng), {})
            yield label, np.clip(np.rint(answer), 0, 255).astype(np.uint8)
