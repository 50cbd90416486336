"""Applies a recipe to the float32 model.

By ai-edge-quantizer rather than the TensorFlow converter's own quantization: it works on the
finished graph, so each recipe is a list of operators and the ranges are measured once for all of
them; it calibrates in the interpreter that will run the model; it needs no second conversion; it
takes ranges from us, which is what makes all-integer int8 keep its word (see `ranges`); and it has
not been seen to kill its process. What it leaves undone is done here: outputs as the signature
says, and true operator versions.
"""

from __future__ import annotations

from typing import Any

from edgecrnn.convert.flatbuffer import pack, unpack
from edgecrnn.convert.ranges import Ranges, quietly
from edgecrnn.convert.recipe import Recipe
from edgecrnn.convert.versions import stamp_versions
from edgecrnn.runtime.errors import EdgecrnnError


def quantize(model: bytes, recipe: Recipe, ranges: Ranges) -> bytes:
    """The variant of `model` that `recipe` describes.

    Args:
        model: the float32 `.tflite`.
        recipe: which operators compute in what.
        ranges: of each tensor, from `measure`; kind int8 alone reads them.

    Raises:
        EdgecrnnError: the recipe names an operator that the quantizer does not know, or it fails.
    """
    if recipe.kind == "float":
        return stamp_versions(model)
    from ai_edge_quantizer import qtyping, quantizer

    known = {operator.value for operator in qtyping.TFLOperationName}
    unknown = [name for name in recipe.integer if name not in known]
    if unknown:
        raise EdgecrnnError(
            f"recipe {recipe.name}: expected TFLite operators such as CONV_2D, got {unknown[0]!r}"
        )
    try:
        with quietly():
            work = quantizer.Quantizer(bytearray(model))
            _CONFIGURE[recipe.kind](work, recipe)
            result = work.quantize(dict(ranges) if recipe.kind == "int8" else None)
    except (RuntimeError, ValueError, KeyError) as error:
        raise EdgecrnnError(
            f"recipe {recipe.name}: could not quantize the model ({' '.join(str(error).split())})"
        ) from error
    return stamp_versions(_outputs_as_signed(bytes(result.quantized_model)))


def _float16(work: Any, recipe: Recipe) -> None:
    from ai_edge_quantizer import algorithm_manager, qtyping

    weights = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    work.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        algorithm_key=algorithm_manager.AlgorithmName.FLOAT_CASTING,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=weights, compute_precision=qtyping.ComputePrecision.FLOAT
        ),
    )


def _dynamic(work: Any, recipe: Recipe) -> None:
    for name, granularity in _operators(recipe):
        work.add_dynamic_config(
            regex=".*", operation_name=name, num_bits=8, granularity=granularity
        )


def _int8(work: Any, recipe: Recipe) -> None:
    from ai_edge_quantizer import algorithm_manager, qtyping

    for name, granularity in _operators(recipe):
        work.add_static_config(
            regex=".*",
            operation_name=name,
            activation_num_bits=8,
            weight_num_bits=8,
            weight_granularity=granularity,
        )
    for pattern in recipe.keep:
        work.update_quantization_recipe(
            regex=f".*{pattern}.*",
            operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
            algorithm_key=algorithm_manager.AlgorithmName.NO_QUANTIZE,
        )


_CONFIGURE = {"float16": _float16, "dynamic": _dynamic, "int8": _int8}


def _operators(recipe: Recipe) -> list[tuple[Any, Any]]:
    """The recipe's operators with the granularity of their weights; later ones win."""
    from ai_edge_quantizer import qtyping

    dense = qtyping.TFLOperationName.FULLY_CONNECTED
    chosen = [
        (qtyping.TFLOperationName(name), qtyping.QuantGranularity.CHANNELWISE)
        for name in recipe.integer
    ]
    if recipe.dense == "tensor" and {"*", dense.value} & set(recipe.integer):
        chosen = [(name, granularity) for name, granularity in chosen if name != dense]
        chosen.append((dense, qtyping.QuantGranularity.TENSORWISE))
    return chosen


def _outputs_as_signed(model: bytes) -> bytes:
    """Make the graph's outputs those of its signature.

    Where an output also feeds an integer operator the quantizer lists the integer copy as the
    output, and reading the named one fails.
    """
    parsed = unpack(model)
    parsed.subgraphs[0].outputs = [output.tensorIndex for output in parsed.signatureDefs[0].outputs]
    return pack(parsed)
