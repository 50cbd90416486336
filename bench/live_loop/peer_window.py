"""The plain loop without a state: for each decision the last 16 frames are read again."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from worker import Step, serve

WINDOW = 16


def setup(folder: Path, facts: dict[str, Any]) -> Step:
    """The same step, from a zero state over the window; frames are resized once."""
    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    inputs, outputs = runner.get_input_details(), runner.get_output_details()
    frame = inputs.pop("frame")
    pairs = [(inputs[n]["index"], outputs[f"{n}_out"]["index"]) for n in inputs]
    zeros = {index: np.zeros_like(interpreter.get_tensor(index)) for index, _ in pairs}
    scores = outputs["scores"]["index"]
    _, height, width, _ = frame["shape"]
    window: deque[np.ndarray] = deque(maxlen=WINDOW)

    def step(image: Any) -> int:
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        window.append(small[None].astype(frame["dtype"]))
        while len(window) < WINDOW:
            window.append(window[-1])
        for index, zero in zeros.items():
            interpreter.set_tensor(index, zero)
        for each in window:
            interpreter.set_tensor(frame["index"], each)
            interpreter.invoke()
            for into, out in pairs:
                interpreter.set_tensor(into, interpreter.get_tensor(out))
        return int(interpreter.get_tensor(scores)[0].argmax())

    return step


if __name__ == "__main__":
    serve(setup)
