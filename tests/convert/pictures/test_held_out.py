"""The pictures that a variant is judged on, where there are more than are asked for."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.pictures.conversion import _some
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.tasks import Truth


def test_every_class_is_among_them() -> None:
    pictures = Pictures(
        np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1),
        tuple(Truth(label=number // 20) for number in range(60)),
        tuple(f"{number:02}.png" for number in range(60)),
    )
    some = _some(pictures, 20, 0)
    assert len(some) == 20 and list(some.names) == sorted(set(some.names))
    assert {truth.label for truth in some.truths} == {0, 1, 2}
    assert [f"{picture.item():02}.png" for picture in some.pictures] == list(some.names)
    assert _some(pictures, 100, 0).names == pictures.names
