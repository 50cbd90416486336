"""OpenVINO on the int8 network that ONNX Runtime's tool quantized."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino
from worker import Step, serve


def setup(folder: Path, facts: dict[str, Any]) -> Step:
    """One thread, for the shortest time of a single frame."""
    core = openvino.Core()
    model = core.read_model(str(folder / facts.get("openvino_file", "int8.onnx")))
    compiled = core.compile_model(
        model, "CPU", {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    )
    request = compiled.create_infer_request()
    height, width = facts["height"], facts["width"]
    states = {n: np.zeros(shape, np.float32) for n, shape in facts["states"].items()}

    def step(image: Any) -> int:
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        request.infer({"frame": small[None].astype(np.float32), **states})
        for name in states:
            states[name] = request.get_tensor(f"{name}_out").data.copy()
        return int(request.get_tensor("scores").data[0].argmax())

    return step


if __name__ == "__main__":
    serve(setup)
