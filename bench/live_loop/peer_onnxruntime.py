"""ONNX Runtime on the same network, statically quantized to int8 by its own tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from worker import Step, serve


def setup(folder: Path, facts: dict[str, Any]) -> Step:
    """One thread; states are carried as arrays."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / "int8.onnx"), options, providers=["CPUExecutionProvider"]
    )
    height, width = facts["height"], facts["width"]
    states = {n: np.zeros(shape, np.float32) for n, shape in facts["states"].items()}
    names = ["scores", *(f"{n}_out" for n in states)]

    def step(image: Any) -> int:
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        given = {"frame": small[None].astype(np.float32), **states}
        scores, *new = session.run(names, given)
        for name, value in zip(list(states), new, strict=True):
            states[name] = value
        return int(scores[0].argmax())

    return step


if __name__ == "__main__":
    serve(setup)
