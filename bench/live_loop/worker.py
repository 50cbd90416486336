"""A contender: a process that reads frames when it is told to; nothing but NumPy and JSON here.

It is asked by lines on standard input, each a number of frames, and answers each line with the
labels that it gave to them and the processor time of all its threads, in seconds. The caller
measures the time between question and answer, and the memory of the process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Step = Callable[[np.ndarray], int]  # a frame, uint8 BGR [480, 640, 3], to the number of its label


def serve(setup: Callable[[Path, dict[str, Any]], Step]) -> None:
    """Set up from the folder that `prepare.py` wrote, then answer until the input ends."""
    folder = Path(sys.argv[1])
    facts = json.loads((folder / "facts.json").read_text())
    frames = np.load(folder / "frames.npy", mmap_mode="r")
    step = setup(folder, facts)
    place = 0
    for line in sys.stdin:
        labels, began = [], time.process_time()
        for _ in range(int(line)):
            labels.append(step(np.asarray(frames[place % len(frames)])))
            place += 1
        told = {"labels": labels, "core_s": time.process_time() - began}
        print(json.dumps(told), flush=True)
