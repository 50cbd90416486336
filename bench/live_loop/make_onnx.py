"""The network as int8 ONNX: by tf2onnx, and ONNX Runtime's static quantization.

    python make_onnx.py FOLDER

Run by an interpreter that has tf2onnx and onnxruntime.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Samples(CalibrationDataReader):
    """The calibration inputs, one after the other."""

    def __init__(self, path: Path):
        self.arrays = dict(np.load(path))
        self.place = 0

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one, with a batch of 1."""
        if self.place == len(self.arrays["frame"]):
            return None
        at = slice(self.place, self.place + 1)
        self.place += 1
        return {name: values[at] for name, values in self.arrays.items()}


def main(folder: Path) -> None:
    facts = json.loads((folder / "facts.json").read_text())
    plain = folder / "plain.onnx"
    subprocess.run(
        [sys.executable, "-m", "tf2onnx.convert", "--tflite", str(folder / "unbounded.tflite"),
         "--output", str(plain), "--opset", "17"],
        check=True,
    )  # fmt: skip
    model = onnx.load(plain)
    _rename(model, json.loads((folder / "tensors.json").read_text()))
    if facts["cell_clip"]:
        _bound(model, facts["cell_clip"])
    onnx.checker.check_model(model)
    onnx.save(model, folder / "float.onnx")
    quant_pre_process(
        str(folder / "float.onnx"), str(folder / "ready.onnx"), skip_symbolic_shape=True
    )
    quantize_static(
        str(folder / "ready.onnx"), str(folder / "int8.onnx"),
        Samples(folder / "calibration.npz"), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        # What our mixed variant has in int8.
        op_types_to_quantize=["Conv", "MatMul", "Gemm"],
    )  # fmt: skip


def _rename(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Inputs and outputs by the names of the signature, not of the tensors."""
    for node in model.graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
    for value in (*model.graph.input, *model.graph.output):
        value.name = names[value.name]


def _bound(model: onnx.ModelProto, clip: float) -> None:
    """Put the cell state's bound behind the addition that makes it."""
    graph = model.graph
    made = {out: node for node in graph.node for out in node.output}
    for value in graph.output:
        if not (value.name.startswith("c") and value.name.endswith("_out")):
            continue
        addition = made[value.name]
        while addition.op_type != "Add":
            addition = made[addition.input[0]]
        index = list(graph.node).index(addition)
        inner = addition.output[0]
        addition.output[0] = f"{inner}_free"
        bounds = []
        for name, number in (("low", -clip), ("high", clip)):
            bounds.append(f"{inner}_{name}")
            tensor = numpy_helper.from_array(np.array(number, np.float32), bounds[-1])
            graph.initializer.append(tensor)
        graph.node.insert(index + 1, helper.make_node("Clip", [f"{inner}_free", *bounds], [inner]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
