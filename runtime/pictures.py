"""Reading one picture file, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import as_image
from edgecrnn.runtime.intact import truncated

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def read_picture(path: Path) -> npt.NDArray[np.uint8]:
    """The picture, uint8 BGR [h, w, 3], turned as its EXIF data says.

    Raises:
        EdgecrnnError: it is not there, or is not a whole picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise EdgecrnnError(f"{path}: expected a picture, got {reason.lower()}") from error
    image = None if truncated(data) else decode(data)
    if image is None:
        what = "an empty file" if not data else "a truncated one" if truncated(data) else "another"
        raise EdgecrnnError(
            f"{path}: expected a whole {path.suffix[1:].lower()} picture, got {what}; "
            "replace the file"
        )
    return image


def decode(data: bytes) -> npt.NDArray[np.uint8] | None:
    """The picture that `data` holds, uint8 BGR [h, w, 3]; None where it holds none."""
    if not data:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else as_image(image)
