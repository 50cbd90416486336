"""BRISQUE of the package brisque, with the model that it carries; run by an environment with it.

    BRISQUE_PYTHON brisque_peer.py FRAMES.npy SCORES.npy

The environment: pip install brisque opencv-contrib-python-headless==4.12.0.88. FRAMES holds uint8
[n, height, width, 3] in RGB. Nothing of edgecrnn is imported: the packages do not mix.
"""

from __future__ import annotations

import sys


def main() -> None:
    import numpy as np
    from brisque import BRISQUE

    frames, judge = np.load(sys.argv[1]), BRISQUE(url=False)
    np.save(sys.argv[2], np.array([judge.score(frame) for frame in frames], np.float64))


if __name__ == "__main__":
    main()
