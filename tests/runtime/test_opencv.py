"""What a V4L2 camera that stalls or goes does to a read, as seen with the kernel's `vivid`."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.opencv import LiveCapture


class OneFrame:
    """Gives one frame; after that nothing, `waits` seconds later."""

    waits = 0.0

    def __init__(self, *_: object):
        self.count = 0

    def grab(self) -> bool:
        self.count += 1
        if self.count > 1:
            time.sleep(self.waits)
        return self.count == 1

    def retrieve(self) -> tuple[bool, np.ndarray]:  # type: ignore[type-arg]
        return True, np.zeros((4, 6, 3), np.uint8)

    def get(self, _: int) -> float:
        return 0.0

    def release(self) -> None:
        pass


def capture(monkeypatch: pytest.MonkeyPatch, waits: float) -> LiveCapture:
    monkeypatch.setattr(cv2, "VideoCapture", type("Stalls", (OneFrame,), {"waits": waits}))
    opened = LiveCapture("cam", "/dev/video0", cv2.CAP_V4L2, [], 0.2, "look")
    assert opened.size == (6, 4) and opened.read() is not None
    return opened


def test_a_camera_that_stalls_is_told_from_one_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(EdgecrnnError, match=r"cam: expected a frame within 0\.2 s, got none"):
        capture(monkeypatch, waits=0.2).read()
    assert capture(monkeypatch, waits=0.0).read() is None
