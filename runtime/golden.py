"""The proof that an engine answers rightly: the bundle's golden frames, before any other frame.

`convert` put frames in the bundle with the scores that each variant gave to them on the
workstation. An engine reads them in their order, from a zero state, and must give the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import GOLDEN

# Two runtimes round integers differently: ai-edge-litert 2.3 and tflite-runtime 2.14 were up to 9
# steps of 1/256 apart, OpenVINO 6. A third more, for those that were not seen.
INTEGER_TOLERANCE = 12 / 256
# Float arithmetic in another order moves a score by 1e-5, float16 in a GPU by 1e-3; ten times that.
FLOAT_TOLERANCE = 0.01
# A longer answer is no list of scores but a picture, a map, or two answers as one.
_SCORES = 4096


def has_golden(bundle: Bundle) -> bool:
    """Whether the bundle carries golden frames; every one that convert wrote does."""
    return GOLDEN in bundle.manifest.files


def golden_tolerance(engine: Engine) -> float:
    """How far a score may be from the golden one."""
    return INTEGER_TOLERANCE if engine.integer else FLOAT_TOLERANCE


def golden_difference(engine: Engine, bundle: Bundle) -> float:
    """The largest difference of a score from the golden ones.

    Raises:
        EdgecrnnError: it is over the tolerance or no number; or the bundle has nothing to
            compare the variant with.
    """
    golden = bundle.golden()
    # What a compiler made of a recipe must answer as the recipe does.
    recipe = engine.variant.removesuffix(f".{engine.delegate}")
    if "frames" not in golden or recipe not in golden:
        raise EdgecrnnError(
            f"{bundle.path}: expected golden scores of {recipe}, got none; convert the run again"
        )
    frames, expected = golden["frames"], golden[recipe]
    if frames.shape[1:] != engine.frame_shape or frames.dtype != np.uint8:
        raise EdgecrnnError(
            f"{bundle.path}: expected golden frames of {engine.frame_shape}, got "
            f"{frames.dtype} {frames.shape[1:]}; convert the run again"
        )
    state, worst = engine.zero_state(), 0.0
    for frame, wanted in zip(frames, expected, strict=True):
        scores, state = engine.step(np.asarray(frame, np.uint8), state)
        # np.maximum keeps a NaN, Python's max may lose it.
        worst = float(np.maximum(worst, _apart(scores, np.asarray(wanted, np.float32))))
    tolerance = golden_tolerance(engine)
    # Written so that NaN is refused too.
    if not worst <= tolerance:
        raise EdgecrnnError(
            f"{engine.delegate}: expected the scores of the bundle's golden frames within "
            f"{tolerance:.4f}, got {worst:.4f}; its answers are wrong here, take another "
            "--delegate or --variant"
        )
    return worst


def _apart(answer: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> float:
    """How far an answer is from the wanted one, as a share of its scale.

    Of scores the one that is furthest off; of pictures and maps, where single pixels at an edge may
    round the other way, the root of the mean square.
    """
    if wanted.ndim <= 1 and wanted.size <= _SCORES:
        return float(np.abs(answer - wanted).max())
    scale = max(1.0, float(np.abs(wanted).max()))
    return float(np.sqrt(np.mean(np.square(answer - wanted)))) / scale
