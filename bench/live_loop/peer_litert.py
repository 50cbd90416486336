"""The plain loop of LiteRT's examples: resize, set the tensors, invoke, read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from worker import Step, serve


def looping(interpolation: int) -> Callable[[Path, dict[str, Any]], Step]:
    """The same `.tflite`; states are carried as they came, for they are float in this variant."""

    def setup(folder: Path, facts: dict[str, Any]) -> Step:
        interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
        interpreter.allocate_tensors()
        runner = interpreter.get_signature_runner()
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        frame = inputs.pop("frame")
        pairs = [(inputs[n]["index"], outputs[f"{n}_out"]["index"]) for n in inputs]
        for index, _ in pairs:
            interpreter.set_tensor(index, np.zeros_like(interpreter.get_tensor(index)))
        scores = outputs["scores"]["index"]
        _, height, width, _ = frame["shape"]

        def step(image: Any) -> int:
            small = cv2.resize(image, (width, height), interpolation=interpolation)
            small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
            interpreter.set_tensor(frame["index"], small[None].astype(frame["dtype"]))
            interpreter.invoke()
            for into, out in pairs:
                interpreter.set_tensor(into, interpreter.get_tensor(out))
            return int(interpreter.get_tensor(scores)[0].argmax())

        return step

    return setup


if __name__ == "__main__":
    # Averaged over all pixels, as the model was trained.
    serve(looping(cv2.INTER_AREA))
