"""What `reconstruct` makes of holes that were in a picture before it was made smaller, or packed.

    python bench/tasks/darkened.py BUNDLE DATA

Validation pictures are read at four times the model's size, holes are cut into them, then they are
made smaller, the second time through a JPEG of quality 90; beside it inpainting (Telea), which is
told of every pixel that is black.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import cv2
import numpy as np

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.engine import load_engine
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.judge import engine_answer
from edgecrnn.train.pictures.load import load_pictures
from edgecrnn.train.tasks import picture_task
from edgecrnn.train.tasks.reconstruct import holes

_LARGER, _QUALITY = 4, 90


def main() -> None:
    bundle, data = open_bundle(Path(sys.argv[1])), Path(sys.argv[2])
    task, settings = picture_task("reconstruct"), picture_task("reconstruct").Settings()
    size = bundle.manifest.preprocessing
    large = dataclasses.replace(size, width=_LARGER * size.width, height=_LARGER * size.height)
    pictures = load_pictures(find_pictures(data, "", 0), large).splits["val"].pictures
    answer = engine_answer(task, load_engine(bundle))
    rng = np.random.default_rng(0)
    for name in ("made smaller", "JPEG, made smaller"):
        frames, targets = [], []
        for picture in pictures:
            lost = picture.copy()
            lost[holes(settings, picture.shape[:2], rng)] = 0
            if name.startswith("JPEG"):
                packed = cv2.imencode(".jpg", lost, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
                lost = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
            frames.append(_smaller(lost, size.width, size.height))
            targets.append(_smaller(picture, size.width, size.height).astype(np.float32))
        for who, made in (
            ("edgecrnn", [answer(frame) for frame in frames]),
            ("Telea", [_inpainted(frame) for frame in frames]),
        ):
            noted = task.notes(settings, [np.asarray(m, np.float32) for m in made], targets)
            print(name, who, {k: round(v, 3) for k, v in task.summary(noted).items()}, flush=True)


def _smaller(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _inpainted(frame: np.ndarray) -> np.ndarray:
    black = (frame.max(axis=2) == 0).astype(np.uint8)
    return np.asarray(cv2.inpaint(frame, black, 5, cv2.INPAINT_TELEA))


if __name__ == "__main__":
    main()
