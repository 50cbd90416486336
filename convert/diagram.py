"""A converted graph as a picture: who runs each operator, and how each tensor is quantized."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from edgecrnn.convert.diagram_graph import Graph, Operator, Tensor, read_graph
from edgecrnn.convert.diagram_layout import Box, Stroke, Wire, arrange
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import Engine
from edgecrnn.train.report import svg

XNNPACK, BUILT_IN = "XNNPACK", "CPU, built-in kernels"
# Fits the column of a report that is looked at in a window of 1100 pixels.
PAGE = 1000.0
# Each letter of a font of equal widths at 11 pixels, so that text is as wide as is reckoned here.
_LETTER, _LINE, _PAD, _TAB, _MARGIN = 6.7, 14.0, 8.0, 17.0, 6.0
_LEAST_WIDTH, _MOST_LETTERS = 96.0, 26
# As many colours as the style sheet has.
_RUNNERS, _STATES = 5, 6


@dataclass(frozen=True)
class _Node:
    """A box with its lines of text, and below it a tab for each tensor that it makes."""

    class_: str
    lines: tuple[tuple[str, str], ...]  # (text, class)
    tensors: tuple[Tensor, ...]
    title: str

    @property
    def tabs(self) -> tuple[float, ...]:
        """Widths of the tabs."""
        return tuple(_LETTER * len(tensor.short) + 10 for tensor in self.tensors)

    @property
    def box(self) -> Box:
        """Size with the tabs."""
        longest = max(len(line) for line, _ in self.lines)
        tabs = sum(self.tabs) + 6 * (len(self.tabs) + 1) if self.tabs else 0.0
        width = max(_LETTER * longest + 2 * _PAD, tabs, _LEAST_WIDTH)
        return width, self.height + (_TAB if self.tensors else 0.0)

    @property
    def height(self) -> float:
        """Of the box alone."""
        return _LINE * len(self.lines) + 8

    def port(self, place: int) -> float:
        """The middle of a tab in 0..1 of the width."""
        room = (self.box[0] - sum(self.tabs)) / (len(self.tabs) + 1)
        middle = room * (place + 1) + sum(self.tabs[:place]) + self.tabs[place] / 2
        return middle / self.box[0]


def diagram(
    model: bytes,
    runners: Mapping[int, str] | None = None,
    label: str = "The converted graph",
    page: float = PAGE,
) -> str:
    """The first subgraph of a `.tflite` as an SVG, coloured by the page's style sheet.

    Args:
        model: the variant.
        runners: who runs the operator of each index; None draws them all alike, without a legend.
        label: read out in place of the drawing.
        page: the width in pixels to keep to.
    """
    graph = read_graph(model)
    nodes, wires, tensors = _nodes(graph, runners)
    layout = arrange([node.box for node in nodes], wires, page - 2 * _MARGIN)
    legend, top = _legend(graph, runners, max(layout.width, 480.0))
    parts = [*legend]
    for wire, strokes, tensor in zip(wires, layout.strokes, tensors, strict=True):
        parts.append(_wire(strokes, tensor, top, nodes[wire.source].class_))
    parts += [
        _drawn(node, x + _MARGIN, y + top)
        for node, (x, y) in zip(nodes, layout.corners, strict=True)
    ]
    width = max(layout.width + 2 * _MARGIN, 480.0 + 2 * _MARGIN)
    height = layout.height + top + _MARGIN
    return svg.picture(width, height, label, parts, wide=True, class_="diagram")


def bundle_diagrams(bundle: Bundle, certificate: Mapping[str, Any]) -> dict[str, str]:
    """A diagram of each shipped int8 variant, and of what another delegate than the CPU's runs.

    Args:
        bundle: what was shipped.
        certificate: its `certificate.json`, parsed.

    Returns:
        SVGs by their headings, for example "int8 on the CPU" and "int8 on ethos-u (estimated)".
    """
    files = {variant.name: variant.file for variant in bundle.manifest.variants}
    diagrams = {}
    for name in (finding["variant"] for finding in certificate["variants"]):
        model = bundle.read(files[name]) if name in files else b""
        if model and any(one.kind == "int8" for one in read_graph(model).tensors.values()):
            taken = Engine(model, bundle.manifest.labels, name).taken()
            heading = f"{name} on the CPU"
            diagrams[heading] = diagram(model, runners_by_index(model, taken), heading)
    for one in certificate.get("deployments", ()):
        if one["delegate"] == "cpu" or "taken" not in one or one["recipe"] not in files:
            continue
        model, heading = bundle.read(files[one["recipe"]]), f"{one['recipe']} on {one['delegate']}"
        heading += f" ({one['status']})"
        runners = runners_by_name(model, one["delegate"], one["taken"], one["left"])
        diagrams[heading] = diagram(model, runners, heading)
    return diagrams


def runners_by_index(model: bytes, taken: set[int] | frozenset[int]) -> dict[int, str]:
    """XNNPACK for the operators that it took (`Engine.taken`), built-in kernels for the rest."""
    count = len(read_graph(model).operators)
    return {index: XNNPACK if index in taken else BUILT_IN for index in range(count)}


def runners_by_name(
    model: bytes, runner: str, taken: Mapping[str, int], left: Mapping[str, int]
) -> dict[int, str]:
    """Who runs what where only names are told: some of a name may be taken and some left."""
    found = {}
    for operator in read_graph(model).operators:
        took, leaves = taken.get(operator.name, 0) > 0, left.get(operator.name, 0) > 0
        said = f"{runner} or the CPU, not told which"
        if took != leaves:
            said = runner if took else BUILT_IN
        found[operator.index] = said
    return found


def _nodes(
    graph: Graph, runners: Mapping[int, str] | None
) -> tuple[list[_Node], list[Wire], list[Tensor]]:
    """Boxes, the wires between them, and the tensor of each wire."""
    states = _states(graph)
    colours = _colours(runners)
    nodes: list[_Node] = []
    maker: dict[int, tuple[int, int]] = {}  # tensor to its box and its tab
    readers: dict[int, list[int]] = {}
    for name, tensor in graph.inputs:
        maker[tensor] = (len(nodes), 0)
        nodes.append(_port(name, graph.tensors[tensor], states, True))
    for operator in graph.operators:
        for tensor in operator.inputs:
            readers.setdefault(tensor, []).append(len(nodes))
        for place, tensor in enumerate(operator.outputs):
            maker[tensor] = (len(nodes), place)
        who = None if runners is None else runners.get(operator.index)
        nodes.append(_operator(operator, graph, f"op {colours.get(who, '')}".strip(), who))
    for name, tensor in graph.outputs:
        readers.setdefault(tensor, []).append(len(nodes))
        nodes.append(_port(name, graph.tensors[tensor], states, False))
    wires, tensors = [], []
    for tensor, targets in readers.items():
        if tensor in maker:
            box, place = maker[tensor]
            wires.append(Wire(box, tuple(targets), nodes[box].port(place)))
            tensors.append(graph.tensors[tensor])
    return nodes, wires, tensors


def _states(graph: Graph) -> dict[str, str]:
    """A colour for each state, the same one for NAME and NAME_out."""
    outputs = {name for name, _ in graph.outputs}
    names = [name for name, _ in graph.inputs if f"{name}_out" in outputs]
    return {
        said: f"state state-{index % _STATES}"
        for index, name in enumerate(names)
        for said in (name, f"{name}_out")
    }


def _colours(runners: Mapping[int, str] | None) -> dict[str | None, str]:
    """A colour for each runner; XNNPACK and the built-in kernels have theirs on every diagram."""
    known = [XNNPACK, BUILT_IN]
    known += [name for name in dict.fromkeys((runners or {}).values()) if name not in known]
    return {name: f"run-{min(index, _RUNNERS - 1)}" for index, name in enumerate(known)}


def _port(name: str, tensor: Tensor, states: Mapping[str, str], reads: bool) -> _Node:
    """A rounded box for a name of the signature."""
    lines = [(svg.cut(name, _MOST_LETTERS), "name")]
    if name in states:
        loops = f"from {name}_out" if reads else f"next {name.removesuffix('_out')}"
        lines.append(
            (svg.cut(f"\N{ANTICLOCKWISE OPEN CIRCLE ARROW} {loops}", _MOST_LETTERS), "soft")
        )
    title = f"{'input' if reads else 'output'} {name}\n{tensor.full}"
    class_ = f"io {states.get(name, '')}".strip()
    return _Node(class_, tuple(lines), (tensor,) if reads else (), title)


def _operator(operator: Operator, graph: Graph, class_: str, who: str | None) -> _Node:
    lines = [(svg.cut(operator.name, _MOST_LETTERS), "name")]
    if operator.size:
        lines.append((svg.cut(operator.size, _MOST_LETTERS), ""))
    beside = f" · {operator.weights}" if operator.layer and operator.weights else operator.weights
    layer = svg.cut(operator.layer, max(4, _MOST_LETTERS - len(beside))) if operator.layer else ""
    if layer or beside:
        lines.append((layer + beside, "soft"))
    title = operator.full if who is None else f"{operator.full}\nrun by {who}"
    tensors = tuple(graph.tensors[tensor] for tensor in operator.outputs)
    return _Node(class_, tuple(lines), tensors, title)


def _drawn(node: _Node, x: float, y: float) -> Markup:
    width, height, middle = node.box[0], node.height, x + node.box[0] / 2
    parts = [svg.tag("title", node.title)]
    for place, (tensor, breadth) in enumerate(zip(node.tensors, node.tabs, strict=True)):
        at = x + width * node.port(place)
        parts.append(
            svg.rect(at - breadth / 2, y + height, breadth, _TAB, f"tab {tensor.kind}", rx=3)
        )
        style = "soft" if tensor.kind.startswith("float") else ""
        parts.append(svg.text(at, y + height + 12.5, tensor.short, style, "middle"))
    radius = height / 2 if node.class_.startswith("io") else 5.0
    parts.append(svg.rect(x, y, width, height, "box", rx=radius))
    for line, (said, class_) in enumerate(node.lines):
        parts.append(svg.text(middle, y + 15 + _LINE * line, said, class_, "middle"))
    return svg.tag("g", *parts, class_=node.class_)


def _wire(strokes: Sequence[Stroke], tensor: Tensor, top: float, source: str) -> Markup:
    """A tensor's way to all that read it."""
    said, heads = [], []
    for stroke in strokes:
        (x, y), (_, bend), (to, end) = (
            (a + _MARGIN, b + top) for a, b in (stroke.start, stroke.bend, stroke.end)
        )
        tip = end - 5 if stroke.target is not None else end
        half = (bend + tip) / 2
        numbers = [svg.number(value) for value in (x, y, x, bend, x, half, to, half, to, tip)]
        said.append("M{} {}L{} {}C{} {} {} {} {} {}".format(*numbers))
        if stroke.target is not None:
            corners = ((to - 3.5, end - 6), (to + 3.5, end - 6), (to, end))
            heads.append(
                "M" + "L".join(f"{svg.number(a)} {svg.number(b)}" for a, b in corners) + "z"
            )
    state = " ".join(word for word in source.split() if word.startswith("state"))
    return svg.tag(
        "g",
        svg.tag("title", tensor.full),
        svg.tag("path", d="".join(said), class_="line"),
        svg.tag("path", d="".join(heads), class_="head"),
        class_=f"wire {tensor.kind} {state}".strip(),
        data_tensor=tensor.index,
    )


def _legend(
    graph: Graph, runners: Mapping[int, str] | None, width: float
) -> tuple[list[Markup], float]:
    """Who runs how many operators, and the height that this takes."""
    if not runners:
        return [], _MARGIN
    counts = Counter(runners.get(operator.index, "not told") for operator in graph.operators)
    colours = _colours(runners)
    parts, x, y = [], _MARGIN, _MARGIN
    for who, count in sorted(counts.items(), key=lambda pair: colours.get(pair[0], "run-9")):
        said = f"{who}: {count} operator{'s' if count != 1 else ''}"
        needed = 22 + _LETTER * len(said) + 18
        if x > _MARGIN and x + needed > width:
            x, y = _MARGIN, y + 20
        parts.append(svg.rect(x, y, 14, 14, f"key {colours.get(who, '')}".strip(), rx=3))
        parts.append(svg.text(x + 20, y + 11, said))
        x += needed
    return parts, y + 34
