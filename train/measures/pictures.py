"""How near one picture is to another: PSNR and SSIM."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

_MOST = 100.0  # dB, for pictures that are the same
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal to noise in dB, at most 100: pictures that are the same have none.

    Args:
        one: uint8 [height, width, channels].
        other: of the same shape.
    """
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    if error == 0.0:
        return _MOST
    return min(_MOST, 10.0 * math.log10(255.0**2 / error))


def ssim(one: Picture, other: Picture) -> float:
    """Structural similarity, 1 for the same, the mean over channels.

    Wang et al., 2004: Gaussian window of 11 pixels, sigma 1.5; places nearer to the border than
    half a window do not count.

    Args:
        one: uint8 [height, width, channels], 11 pixels a side or more.
        other: of the same shape.
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    # Unbiased, as the reference does it, would only scale C2.
    var_x = _blurred(x * x) - mean_x**2
    var_y = _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    map_ = ((2 * mean_x * mean_y + _C1) * (2 * both + _C2)) / (
        (mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)
    )
    edge = _WINDOW // 2
    return float(map_[edge:-edge, edge:-edge].mean())


def _blurred(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blurred = cv2.GaussianBlur(x, (_WINDOW, _WINDOW), _SIGMA)
    return np.asarray(blurred, np.float64).reshape(x.shape)
