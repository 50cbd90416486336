"""The diagram shows every operator once, without overlap, and says what the interpreter says."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("tensorflow")

from edgecrnn.convert.backends import Deployment, Placement
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import roll_out
from edgecrnn.convert.certificate import Bounds, Reference, examine, run_stream
from edgecrnn.convert.diagram import (
    BUILT_IN,
    PAGE,
    XNNPACK,
    bundle_diagrams,
    diagram,
    runners_by_index,
    runners_by_name,
)
from edgecrnn.convert.diagram_graph import read_graph
from edgecrnn.convert.diagram_layout import Wire, arrange
from edgecrnn.convert.flatbuffer import operators, pack, unpack
from edgecrnn.convert.graph import to_float_tflite
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import load_recipe
from edgecrnn.convert.shipping import deployment_said
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.interpreter import make_interpreter
from edgecrnn.runtime.manifest import CERTIFICATE, FORMAT, Manifest, Variant
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.network.network import build_network, step_model
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.report.certificate import certificate_section

LABELS = ("a", "b")
FRAMES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
# Left, top, right, bottom.
Rect = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    """A tiny network as each variant, for frames and for the columns of a picture."""
    made = {}
    for sequence in ("time", "columns"):
        chosen = NetworkSettings(sequence=sequence, units=4, width=0.25)
        model = to_float_tflite(step_model(build_network(chosen, (16, 16, 3), 2, seed=3)))
        ranges = measure(model, roll_out(Engine(model, LABELS, "float32"), FRAMES))
        for recipe in ("float32", "float16", "int8", "int8-mixed"):
            made[f"{sequence} {recipe}"] = quantize(model, load_recipe(recipe), ranges)
    return made


def drawn(model: bytes) -> ElementTree.Element:
    taken = Engine(model, LABELS, "any").taken()
    return ElementTree.fromstring(diagram(model, runners_by_index(model, taken)))


def groups(root: ElementTree.Element, word: str) -> list[ElementTree.Element]:
    return [group for group in root.iter("g") if word in group.get("class", "").split()]


def name_of(group: ElementTree.Element) -> str:
    return next(text.text or "" for text in group.iter("text") if text.get("class") == "name")


def rects(element: ElementTree.Element) -> Iterator[Rect]:
    for rect in element.iter("rect"):
        x, y = float(rect.get("x", "")), float(rect.get("y", ""))
        yield x, y, x + float(rect.get("width", "")), y + float(rect.get("height", ""))


def overlap(one: Rect, other: Rect) -> bool:
    # Numbers in the drawing have two decimals.
    slack = 0.02
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


KINDS = [f"{s} {r}" for s in ("time", "columns") for r in ("float32", "int8", "int8-mixed")]


@pytest.mark.parametrize("kind", [*KINDS, "time float16"])
def test_one_box_an_operator_and_none_overlaps(models: dict[str, bytes], kind: str) -> None:
    root = drawn(models[kind])
    names = [name for name, _ in operators(models[kind])]
    assert sorted(names) == sorted(map(name_of, groups(root, "op")))
    boxes = list(rects(root))
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other)
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    assert width <= PAGE
    assert all(x >= 0 and y >= 0 and right <= width and low <= height for x, y, right, low in boxes)


@pytest.mark.parametrize("kind", KINDS)
def test_text_stays_in_its_box(models: dict[str, bytes], kind: str) -> None:
    root = drawn(models[kind])
    for group in (*groups(root, "op"), *groups(root, "io")):
        boxes = list(rects(group))
        for text in group.iter("text"):
            x, y = float(text.get("x", "")), float(text.get("y", ""))
            half = 6.62 * len(text.text or "") / 2
            assert any(
                box[0] <= x - half and x + half <= box[2] and box[1] + 9 <= y <= box[3] - 3
                for box in boxes
            )
        lines = [float(t.get("y", "")) for t in group.iter("text")]
        tabs = sum("tab" in rect.get("class", "") for rect in group.iter("rect"))
        # Tabs lie side by side, the lines of a box below each other.
        assert len(set(lines)) == len(lines) - max(0, tabs - 1)


def test_states_loop_in_one_colour(models: dict[str, bytes]) -> None:
    root = drawn(models["time int8"])
    ports = {name_of(group): group.get("class") for group in groups(root, "io")}
    assert {"frame", "scores", "h0", "c0", "h0_out", "c0_out"} <= set(ports)
    for name in ("h0", "c0"):
        assert ports[name] == ports[f"{name}_out"]
        assert "state" in str(ports[name])
    assert ports["h0"] != ports["c0"]
    assert ports["frame"] == ports["scores"] == "io"


@pytest.mark.parametrize("kind", ["time int8", "columns int8", "time int8-mixed"])
def test_edges_say_the_quantization_of_the_interpreter(models: dict[str, bytes], kind: str) -> None:
    interpreter = make_interpreter(models[kind], 1)
    details = {int(one["index"]): one for one in interpreter.get_tensor_details()}
    graph = read_graph(models[kind])
    root = drawn(models[kind])
    wires = groups(root, "wire")
    read = {tensor for operator in graph.operators for tensor in operator.inputs}
    assert {int(wire.get("data-tensor", "")) for wire in wires} == read | {
        tensor for _, tensor in graph.outputs
    }
    integer = 0
    for wire in wires:
        detail = details[int(wire.get("data-tensor", ""))]
        said = str(wire.findtext("title"))
        kind_said = np.dtype(detail["dtype"]).name
        assert f": {kind_said} " in said
        assert wire.get("class", "").split()[1] == kind_said
        if kind_said != "int8":
            continue
        integer += 1
        scale, zero = detail["quantization"]
        short = graph.tensors[int(wire.get("data-tensor", ""))].short
        assert short == f"i8 {scale:.3g} z{zero}"
        assert any(text.text == short for text in root.iter("text"))
        quoted = said.split("scale ")[1].split(", zero point ")
        assert float(quoted[0]) == pytest.approx(float(scale), rel=1e-7)
        assert int(quoted[1]) == zero
    assert integer > 3


def test_weights_and_sizes_stand_in_the_box(models: dict[str, bytes]) -> None:
    graph = read_graph(models["time int8"])
    first = next(one for one in graph.operators if one.name == "CONV_2D")
    detail = make_interpreter(models["time int8"], 1).get_tensor_details()[first.outputs[0]]
    rows, columns, channels = detail["shape"][1:]
    assert first.size == f"3x3/2 relu → {rows}x{columns}x{channels}"
    assert first.weights == f"w i8 x{channels}"
    assert first.layer == "conv_0"
    scaled = [one.weights for one in graph.operators if one.weights.startswith("by ")]
    assert scaled == ["by 0.00392"]  # pixels to 0..1


def test_runners_are_told_apart(models: dict[str, bytes]) -> None:
    model = models["time int8"]
    count = len(operators(model))
    taken = Engine(model, LABELS, "int8").taken()
    assert 0 < len(taken) < count
    root = ElementTree.fromstring(diagram(model, runners_by_index(model, taken)))
    classes = [group.get("class") for group in groups(root, "op")]
    assert classes.count("op run-0") == len(taken)
    assert classes.count("op run-1") == count - len(taken)
    legend = " ".join(text.text or "" for text in root.findall("text"))
    assert f"{XNNPACK}: {len(taken)} operators" in legend
    assert f"{BUILT_IN}: {count - len(taken)} operator" in legend
    plain = ElementTree.fromstring(diagram(model))
    assert plain.findall("text") == []
    assert {group.get("class") for group in groups(plain, "op")} == {"op"}


def test_where_only_names_are_told_a_doubt_is_said(models: dict[str, bytes]) -> None:
    names = [name for name, _ in operators(models["time int8"])]
    taken, left = {"CONV_2D": 2, "MUL": 1}, {"MUL": 2, "SOFTMAX": 1}
    runners = runners_by_name(models["time int8"], "ethos-u", taken, left)
    by_name = {names[index]: who for index, who in runners.items()}
    assert by_name["CONV_2D"] == "ethos-u"
    assert by_name["SOFTMAX"] == BUILT_IN
    assert "not told which" in by_name["MUL"]
    assert "not told which" in by_name["ADD"]


def test_a_bundle_has_a_diagram_of_each_int8_variant(
    models: dict[str, bytes], tmp_path: Path
) -> None:
    scores = run_stream(Engine(models["time float32"], LABELS, "float32"), FRAMES)
    reference = Reference(FRAMES, scores.argmax(1), np.ones(len(FRAMES), bool), scores)
    bounds, runtime = Bounds(100.0, 0.0), ("ai-edge-litert", "2.3.0")
    named = {kind.split()[1]: model for kind, model in models.items() if kind.startswith("time")}
    findings = [
        examine(model, load_recipe(name), LABELS, reference, bounds, runtime)[0]
        for name, model in named.items()
    ]
    found = {finding.variant: finding for finding in findings}
    npu = Placement({"CONV_2D": 9, "FULLY_CONNECTED": 3}, {"SOFTMAX": 1}, 1, "estimated", {})
    deployments = [Deployment("ethos-u", "int8", b"", npu, "")]
    variants = tuple(
        Variant(name, f"{name}.tflite", ("cpu",), found[name].operator, found[name].runtimes)
        for name in named
    )
    certificate = {
        "device": "a board",
        "bounds": dataclasses.asdict(bounds),
        "variants": [dataclasses.asdict(finding) for finding in findings],
        "deployments": [deployment_said(one) for one in deployments],
        "shipped": [variant.name for variant in variants],
    }
    manifest = Manifest(
        FORMAT, "x", "2026-01-01T00:00:00+00:00", "tests", "a board", "classify", LABELS, "time",
        Preprocessing(16, 16), 10.0, DecisionSettings(), variants,
        {variant.file: "0" * 64 for variant in variants},
    )  # fmt: skip
    files = {f"{name}.tflite": model for name, model in named.items()}
    golden = {"frames": FRAMES[:2], **dict.fromkeys(named, scores[:2])}
    write_bundle(tmp_path / "x.edgecrnn", manifest, files, certificate, golden)
    bundle = open_bundle(tmp_path / "x.edgecrnn")
    said = json.loads(bundle.read(CERTIFICATE))
    drawings = bundle_diagrams(bundle, said)
    assert list(drawings) == [
        "int8 on the CPU", "int8-mixed on the CPU", "int8 on ethos-u (estimated)"
    ]  # fmt: skip
    for heading, drawing in drawings.items():
        root = ElementTree.fromstring(drawing)
        assert root.get("aria-label") == heading
        taken = sum(group.get("class") == "op run-0" for group in groups(root, "op"))
        if "CPU" in heading:
            assert taken == found[heading.split()[0]].delegated
    # The certificate of a real conversion is one that its page can say.
    section = certificate_section(said, drawings)
    assert f"{sum(found['int8'].operators.values())}" in section
    assert section.count("<details") == 4
    assert all(f">{name}</span>" in section for name in named)


def test_names_are_escaped(models: dict[str, bytes]) -> None:
    parsed = unpack(models["time int8"])
    for tensor in parsed.subgraphs[0].tensors:
        tensor.name = b'step_1/<&>"\x01_1/Add'
    for port in parsed.signatureDefs[0].inputs:
        if port.name == b"h0":
            port.name = b"<h&0>"
    said = diagram(pack(parsed), dict.fromkeys(range(100), "<NPU & Co>"))
    root = ElementTree.fromstring(said)
    assert "\x01" not in said
    assert "<h&0>" in set(map(name_of, groups(root, "io")))
    assert any('<&>"' in (text.text or "") for text in root.iter("text"))
    assert any("<NPU & Co>" in (text.text or "") for text in root.findall("text"))


def test_a_model_without_a_signature_is_drawn(models: dict[str, bytes]) -> None:
    parsed = unpack(models["columns float32"])
    parsed.signatureDefs = None
    root = ElementTree.fromstring(diagram(pack(parsed)))
    assert len(groups(root, "io")) == 2


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[Wire]]:
    """Boxes of any size, wired from lower numbers to higher ones."""
    count = draw(st.integers(1, 24))
    sides = st.floats(20, 260)
    boxes = [(draw(sides), draw(st.floats(20, 80))) for _ in range(count)]
    wires = []
    for source in range(count - 1):
        for _ in range(draw(st.integers(0, 2))):
            targets = draw(st.lists(st.integers(source + 1, count - 1), min_size=1, max_size=4))
            wires.append(Wire(source, tuple(targets), draw(st.floats(0, 1))))
    return boxes, wires


@settings(max_examples=80, deadline=None)
@given(graphs(), st.integers(300, 1000))
def test_any_graph_is_laid_out(
    graph: tuple[list[tuple[float, float]], list[Wire]], page: int
) -> None:
    boxes, wires = graph
    layout = arrange(boxes, wires, float(page))
    placed = [
        (x, y, x + width, y + height)
        for (x, y), (width, height) in zip(layout.corners, boxes, strict=True)
    ]
    for one, other in itertools.combinations(placed, 2):
        assert not overlap(one, other)
    assert all(x >= -1e-6 and right <= layout.width + 1e-6 for x, _, right, _ in placed)
    assert all(y >= 0 and low <= layout.height + 1e-6 for _, y, _, low in placed)
    for wire, strokes in zip(wires, layout.strokes, strict=True):
        entered = [stroke.target for stroke in strokes if stroke.target is not None]
        assert sorted(entered) == sorted(set(wire.targets))
        for stroke in strokes:
            # Down, past no box: the straight part beside them, the slanted one below them all.
            assert stroke.start[0] == stroke.bend[0]
            assert stroke.start[1] <= stroke.bend[1] < stroke.end[1]
            for x, y, right, low in placed:
                inside = x + 0.01 < stroke.start[0] < right - 0.01
                assert not (inside and y < stroke.bend[1] - 0.01 and stroke.start[1] + 0.01 < low)
                assert not (stroke.bend[1] + 0.01 < low and y < stroke.end[1] - 0.01)
            if stroke.target is not None:
                x, y, right, _ = placed[stroke.target]
                assert x <= stroke.end[0] <= right
                assert stroke.end[1] == y


def test_a_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="cycle"):
        arrange([(10.0, 10.0)] * 2, [Wire(0, (1,)), Wire(1, (0,))], 100.0)


def test_a_wide_layer_is_folded_to_the_page() -> None:
    boxes = [(150.0, 40.0)] * 17
    wires = [Wire(0, tuple(range(1, 16))), *(Wire(i, (16,)) for i in range(1, 16))]
    layout = arrange(boxes, wires, 900.0)
    assert layout.width <= 900.0
