"""`edgecrnn generate`: new pictures from a bundle of the task of that name, alone or in a pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from edgecrnn.runtime.answers import EITHER, Told
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.making import Pixels, Teller, asked_labels, is_maker
from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.runtime.settings import nearest

TASK = "generate"


class Generated(NamedTuple):
    """A new picture.

    Attributes:
        label: that was asked for; "" where pictures are of no class.
        picture: uint8 [height, width, channels], RGB or gray.
        read: what the other task of a pair says of it; None where there is none.
    """

    label: str
    picture: Pixels
    read: Told | None


def generated(
    bundle: Bundle, labels: tuple[str, ...], count: int, seed: int = 0, variant: str | None = None
) -> Iterator[Generated]:
    """`count` pictures of each label; the same again for the same seed.

    Args:
        bundle: of the task generate, or generate+B.
        labels: of the bundle's; () for all of them.
        count: pictures of each.
        seed: of the noise that they are made of.
        variant: of the bundle; the preferred one where none is named.

    Raises:
        EdgecrnnError: the bundle is of another task, or has no such label.
    """
    manifest = bundle.manifest
    if not is_maker(manifest):
        raise EdgecrnnError(
            f"{bundle.path}: expected a bundle that makes pictures of noise, got one for "
            f"{manifest.task}; train with --task {TASK}"
        )
    known = asked_labels(manifest)
    for label in labels:
        if label not in known:
            expected = f"one of {', '.join(known)}" if known else "none, for pictures of no class"
            raise EdgecrnnError(f"label: expected {expected}, got {label!r}{nearest(label, known)}")
    teller = Teller(load_engine(bundle, variant), manifest)
    reads = EITHER in manifest.answer
    shape = manifest.preprocessing.frame_shape
    for label in labels or known or ("",):
        number = known.index(label) if label else -1
        # Of no class is a stream of its own, after those of the classes.
        rng = np.random.default_rng((seed, number if label else len(manifest.labels)))
        for _ in range(count):
            picture = teller.made(seed_frame(shape, number, rng))
            yield Generated(label, picture, teller.read(picture) if reads else None)
