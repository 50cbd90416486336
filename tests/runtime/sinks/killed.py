"""Writes results to a sink over and over in children that are killed; run as a program.

killed.py SPEC TIMES LONGEST: a child lives for LONGEST seconds at most. Prints how many results the
children handed over before they died.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

import cv2
import numpy as np

from edgecrnn.runtime.classifier import Memory, Result, Seen
from edgecrnn.runtime.decision import DecisionState
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks import Stream, open_sinks, sink_entries

_LABELS = ("cat", "dog")


def write_on(spec: str, told: int) -> None:
    """Write until killed; a byte to `told` for each result that was handed over."""
    stream = Stream("/dev/video0", _LABELS, 10.0, False, "pets")
    (sink,) = open_sinks([spec], stream)
    image = np.full((48, 64, 3), 128, np.uint8)
    prepared = np.full((16, 16, 3), 128, np.uint8)
    state = {"h0": np.zeros((1, 3), np.float32)}
    number = 0
    while True:
        label = _LABELS[number // 5 % 2]
        seen = Seen(number, prepared, Memory(state, DecisionState()), number == 0)
        result = Result(number / 10, number, label, 0.9, (0.9, 0.1), 1.0, seen=seen)
        sink.write(result, Frame(image, number, number / 10, 0.0))
        os.write(told, b".")
        number += 1


def main(spec: str, times: int, longest: float) -> None:
    """Kill so many children at random moments."""
    sink_entries()  # imported once
    # Threads do not live on in a child.
    cv2.setNumThreads(0)
    chance = random.Random(0)
    total = 0
    for _ in range(times):
        hear, told = os.pipe()
        os.set_blocking(told, False)
        child = os.fork()
        if child == 0:
            try:
                write_on(spec, told)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.0, longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the child ended by itself"
        os.close(told)
        total += len(os.read(hear, 1 << 20))
        os.close(hear)
    print(total)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
