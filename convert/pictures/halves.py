"""A model of the task `compress` cut at its code: what writes files, and what reads them.

Both halves are operators of the variant that ships, with its weights and scales, so that what was
certified is what files go through.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecrnn.convert.flatbuffer import operator_name, pack, unpack
from edgecrnn.runtime.coded_file import tables_of
from edgecrnn.runtime.compressing import DECODER, ENCODER, TABLES, Half, code_of
from edgecrnn.train.pictures.examples import fixed_examples
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.pictures.record import PictureRecord
from edgecrnn.train.tasks import picture_task

_CUT = "ROUND"


def halves_of(model: bytes, record: PictureRecord, pictures: Pictures) -> dict[str, bytes]:
    """The files that a bundle of the task `compress` carries beside its variants.

    Args:
        model: the preferred variant.
        record: the run.
        pictures: training pictures; their codes say how often each value comes.
    """
    encoder, decoder = cut(model)
    half, settings = Half(encoder), record.settings
    examples = fixed_examples(picture_task(record.task), settings, pictures, "train")
    codes = [code_of(half(e.frame.astype(np.float32)), settings.levels) for e in examples]
    tables = tables_of(codes, settings.levels)
    return {ENCODER: encoder, DECODER: decoder, TABLES: tables.to_json()}


def cut(model: bytes) -> tuple[bytes, bytes]:
    """(frame to code, code to picture): two models, the code float32 in both."""
    parsed = unpack(model)
    graph, signature = parsed.subgraphs[0], parsed.signatureDefs[0]
    names = [operator_name(parsed.operatorCodes[each.opcodeIndex]) for each in graph.operators]
    (code,) = graph.operators[names.index(_CUT)].outputs
    given = {_text(each.name): each.tensorIndex for each in signature.inputs}
    made = {_text(each.name): each.tensorIndex for each in signature.outputs}
    return (
        _part(parsed, [given["frame"]], [code]),
        _part(parsed, [code], [made["picture"]]),
    )


def _part(parsed: Any, given: Sequence[int], made: Sequence[int]) -> bytes:
    """The operators that lead from the given tensors to the made ones, and what they read."""
    model = copy.deepcopy(parsed)
    graph = model.subgraphs[0]
    makers = {int(out): index for index, op in enumerate(graph.operators) for out in op.outputs}
    wanted, kept = [int(each) for each in made], set()
    while wanted:
        tensor = wanted.pop()
        maker = makers.get(tensor)
        if tensor not in given and maker is not None and maker not in kept:
            kept.add(maker)
            # -1 stands for an input that is left out.
            wanted.extend(int(each) for each in graph.operators[maker].inputs if each >= 0)
    graph.operators = [graph.operators[index] for index in sorted(kept)]
    used = {int(t) for op in graph.operators for t in (*op.inputs, *op.outputs) if t >= 0}
    _renumber(model, sorted(used | set(given) | set(made)))
    place = {old: new for new, old in enumerate(sorted(used | set(given) | set(made)))}
    graph.inputs, graph.outputs = [place[int(t)] for t in given], [place[int(t)] for t in made]
    model.signatureDefs, model.metadata, model.metadataBuffer = [], [], None
    return pack(model)


def _renumber(model: Any, used: Sequence[int]) -> None:
    """Leave out the tensors, buffers and operator codes that nothing reads."""
    graph = model.subgraphs[0]
    place = {old: new for new, old in enumerate(used)}
    graph.tensors = [graph.tensors[old] for old in used]
    for operator in graph.operators:
        operator.inputs = [place[int(t)] if t >= 0 else -1 for t in operator.inputs]
        operator.outputs = [place[int(t)] for t in operator.outputs]
    # Buffer 0 is the empty one, by the format's rule.
    buffers = [0, *sorted({int(t.buffer) for t in graph.tensors} - {0})]
    model.buffers = [model.buffers[old] for old in buffers]
    for tensor in graph.tensors:
        tensor.buffer = buffers.index(int(tensor.buffer))
    codes = sorted({int(op.opcodeIndex) for op in graph.operators})
    model.operatorCodes = [model.operatorCodes[old] for old in codes]
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(int(operator.opcodeIndex))


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
