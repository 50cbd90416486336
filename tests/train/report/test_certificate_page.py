"""The certificate's section: what ships and what is refused, and nothing that it does not say."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.train.report.certificate import (
    bounds_said,
    certificate_section,
    operators,
    outcome,
    rows,
    write_certificate_page,
)
from edgecrnn.train.report.drift import drift_chart
from edgecrnn.train.report.page import share_said
from edgecrnn.train.report.places import counts_said, place


def finding(variant: str, **more: Any) -> dict[str, Any]:
    values = {
        "variant": variant,
        "decodes": f"what {variant} is",
        "bytes": 215_000,
        "accuracy": 0.99,
        "agreement": 0.9942,
        "agreement_tflite": 0.9951,
        "worst_class": "left",
        "worst_drop": 1.25,
        "mean_difference": 0.0021,
        "largest_difference": 0.25,
        "drift": [1.0, 0.99, 0.98, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.97],
        "operators": {"CONV_2D v3": 4, "MUL v2": 2, "SOFTMAX v2": 1},
        "operator": "FULLY_CONNECTED with a scale a channel",
        "runtimes": {"ai-edge-litert": "1.0", "tflite-runtime": "2.10"},
        "delegated": 6,
        "left": {"SOFTMAX": 1},
        "partitions": 1,
        "milliseconds": 0.0602,
        "refused": "",
    }
    return {**values, **more}


def certificate(**more: Any) -> dict[str, Any]:
    values = {
        "device": "raspberry-pi-5",
        "machine_note": "milliseconds were measured where it was converted, not on the device",
        "runtime": "ai-edge-litert 2.3.0",
        "device_runtime": "tflite-runtime 2.14.0",
        "data": {"hash": "02ab1002a5c2fe96", "split": "val"},
        "sequence": "time",
        "frames": 5032,
        "counted": 3544,
        "bounds": {"accuracy_drop": 1.0, "agreement": 0.98},
        "keras": {"accuracy": 0.9932},
        "variants": [
            finding("float32", bytes=755_000, agreement=1.0, agreement_tflite=1.0, worst_drop=0.0),
            finding("int8"),
            finding("int8-mixed", agreement=0.97, refused="agrees on 97.00% of frames"),
        ],
        "deployments": [],
        "shipped": ["int8", "float32"],
    }
    return {**values, **more}


def deployment(**more: Any) -> dict[str, Any]:
    values = {
        "delegate": "ethos-u",
        "recipe": "int8",
        "refused": "",
        "taken": {"CONV_2D": 4, "MUL": 2},
        "left": {"SOFTMAX": 1},
        "partitions": 2,
        "status": "estimated",
        "facts": {"compiler": "vela 5", "cycles": 209533, "inferences_a_second": 4772.5},
    }
    return {**values, **more}


class Words(HTMLParser):
    """The text of a page, its tags checked to close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text(html: str) -> str:
    parser = Words()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert {"script", "link", "iframe", "img"}.isdisjoint(parser.seen)
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)
    return " ".join(" ".join(parser.words).split())


def test_the_outcome_is_one_sentence_and_names_what_is_refused() -> None:
    assert outcome(certificate()) == (
        "int8 ships first for raspberry-pi-5: it agrees with the trained model on 99.42 % of "
        "3,544 counted of 5,032 frames that follow each other without a reset, and is "
        "3.5 times smaller. int8-mixed is refused."
    )


def test_pictures_do_not_follow_each_other() -> None:
    said = outcome(certificate(sequence="columns", frames=195, counted=195))
    assert "of 195 held-out pictures" in said
    assert "reset" not in said
    html = text(certificate_section(certificate(sequence="columns"), {}))
    assert "tenth of the pictures" in html
    assert "drift" not in html


def test_nothing_that_ships_is_said() -> None:
    findings = [finding("float32", refused="too slow"), finding("int8", refused="too wrong")]
    said = outcome(certificate(variants=findings, shipped=[]))
    assert said == "Nothing ships for raspberry-pi-5: every variant is out of bounds."


def test_each_variant_has_a_row_and_a_refused_one_its_reason() -> None:
    made = {row.name: row for row in rows(certificate())}
    assert [row.verdict for row in made.values()] == ["ships", "ships first", "refused"]
    assert made["int8"].change == "−0.32 points"  # noqa: RUF001
    assert (made["int8"].worst, made["int8"].drop) == ("left", "−1.25 points")  # noqa: RUF001
    assert (made["float32"].worst, made["float32"].drop) == ("no class lost", "")
    assert made["int8"].agreement_tflite == "99.51 % to float32"
    assert made["float32"].agreement_tflite == "the same to float32"
    assert made["int8"].smaller == "3.5 times smaller"
    assert made["float32"].smaller == ""
    assert made["int8"].runtimes == ("ai-edge-litert 1.0", "tflite-runtime 2.10")
    said = text(certificate_section(certificate(), {}))
    assert "Not shipped: agrees on 97.00% of frames." in said
    assert "Milliseconds were measured where it was converted, not on the device." in said
    assert said.index("Not shipped") < said.index("Does it drift?")


def test_what_a_certificate_does_not_say_is_left_out() -> None:
    bare = {"variants": [{"variant": "int8"}]}
    said = text(certificate_section(bare, {}))
    assert "int8 ships for the device" in said
    for absent in ("least runtime", "Who runs it", "Operators", "Does it drift", "None"):
        assert absent not in said
    assert text(certificate_section({}, {})).startswith("The certificate Nothing ships")


def test_an_estimate_is_called_one_and_a_refusal_is_shown() -> None:
    places = [
        deployment(),
        deployment(delegate="coral", refused="edgetpu_compiler is not on the PATH"),
        deployment(delegate="vx", status="unproven", facts={}, left={}, partitions=None),
    ]
    said = text(certificate_section(certificate(deployments=places), {}))
    assert "6 of 7 operators in 2 pieces, 4,772 inferences a second (estimate)" in said
    assert "Estimated: the compiler's own estimate: it ran nowhere." in said
    assert "cycles 209,533" in said
    assert "Left to the CPU: SOFTMAX" in said
    assert "coral not used edgetpu_compiler is not on the PATH" in said
    assert "vx unproven int8 : 6 of 6 operators" in said
    assert "Unproven: believed from documents" in said
    assert place(deployment(facts={"sram_kib": 24.34375})).facts == (("sram, KiB", "24.34"),)


def test_operators_stand_beside_their_versions() -> None:
    found = operators(
        [
            finding("a", operators={"CONV_2D v1": 4}),
            finding("b", operators={"CONV_2D v3": 3, "CONV_2D v5": 1, "QUANTIZE v1": 2}),
        ]
    )
    assert found == [
        ("CONV_2D", ["4 × v1", "3 × v3, 1 × v5"]),  # noqa: RUF001
        ("QUANTIZE", ["", "2 × v1"]),  # noqa: RUF001
    ]
    assert counts_said({"SOFTMAX": 1, "RESHAPE": 2}) == "2 RESHAPE, SOFTMAX"
    said = text(certificate_section(certificate(), {}))
    assert "run by XNNPACK 6 6 6" in said
    assert "left to the built-in kernels SOFTMAX SOFTMAX SOFTMAX" in said


def test_bounds_in_words() -> None:
    assert bounds_said({"accuracy_drop": 0.5, "agreement": 0.985}) == (
        "A variant ships where it loses at most 0.5 points of accuracy and agrees on at least "
        "98.5 % of what counts."
    )
    assert bounds_said({}) == ""


def test_a_share_is_rounded_to_all_only_where_nothing_is_missing() -> None:
    assert share_said(1.0) == "100 %"
    assert share_said(0.99999) == "99.99 %"
    assert share_said(None) == "-"


def test_names_are_escaped_and_drawings_are_not() -> None:
    nasty = "<script>&\"'"
    places = [deployment(delegate=nasty, refused=nasty)]
    given = certificate(
        device=nasty, shipped=[nasty], deployments=places, variants=[finding(nasty, decodes=nasty)]
    )
    html = certificate_section(given, {nasty: "<svg><text>drawn</text></svg>"})
    assert nasty in text(html)
    assert "<script" not in html
    assert "<svg><text>drawn</text></svg>" in html


def test_the_page_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "certificate.html"
    write_certificate_page(path, certificate(), {"int8 on the CPU": "<svg></svg>"}, "digits")
    html = path.read_text("utf-8")
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert "Diagram: int8 on the CPU" in text(html)


def heights(chart: str) -> list[float]:
    root = ElementTree.fromstring(chart)
    lines = [one for one in root.iter("polyline") if len(str(one.get("points")).split()) > 2]
    return [float(pair.split(",")[1]) for one in lines for pair in str(one.get("points")).split()]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.lists(st.floats(0, 1), min_size=3, max_size=10),
        min_size=1,
        max_size=7,
    ),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_any_agreement_stays_inside_the_chart(
    drifts: dict[str, list[float]], least: float | None
) -> None:
    safe = {re.sub(r"[^ -~]", "?", name) + str(i): v for i, (name, v) in enumerate(drifts.items())}
    chart = drift_chart(safe, least, [], "the stream")
    assert chart is not None
    root = ElementTree.fromstring(chart)
    grid = [float(str(one.get("y1"))) for one in root.iter("line") if one.get("class") == "grid"]
    assert all(min(grid) - 0.02 <= y <= max(grid) + 0.02 for y in heights(chart))
    bound = [float(str(one.get("y1"))) for one in root.iter("line") if one.get("class") == "least"]
    assert len(bound) == (0 if least is None else 2)  # in the legend, and across the chart
    assert all(min(grid) - 0.02 <= y <= max(grid) + 0.02 for y in bound[1:])
    assert not any(re.fullmatch(r"-[\d.]+ %", one.text or "") for one in root.iter("text"))


def test_higher_is_better_and_the_bound_lies_where_it_belongs() -> None:
    chart = drift_chart({"int8": [1.0, 0.96, 0.98]}, 0.98, ["int8"], "the stream")
    assert chart is not None
    best, worst, at_bound = heights(chart)
    assert best < at_bound < worst
    root = ElementTree.fromstring(chart)
    bound = [str(one.get("y1")) for one in root.iter("line") if one.get("class") == "least"]
    assert any(float(y) == pytest.approx(at_bound, abs=0.02) for y in bound)
    assert "int8 (refused)" in text(chart)
    assert drift_chart({"int8": []}, 0.98, [], "the stream") is None
