"""The page: whole, self-contained, safe with any name, and there for the smallest of runs."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pytest

from edgecrnn.train.data.store import FrameStore, one_hot
from edgecrnn.train.evaluation.evaluate import evaluate
from edgecrnn.train.report.build import (
    build_report,
    remarks,
    tiles,
    write_report,
)
from edgecrnn.train.report.content import ReportInput, VariantRow
from edgecrnn.train.report.curves import curve_chart, series
from edgecrnn.train.report.examples import choose_examples, spread
from edgecrnn.train.report.page import bytes_said, setting_said
from edgecrnn.train.report.svg import ticks

VOID = {"meta", "img", "br", "hr", "link", "input"}


@dataclasses.dataclass(frozen=True)
class Level:
    """Scores a frame by how near its brightness is to each class's level."""

    labels: tuple[str, ...]

    def scores(self, frames: npt.NDArray[np.uint8], state: Any) -> tuple[Any, Any]:
        levels = np.linspace(0, 255, len(self.labels))
        distance = np.abs(frames.mean(axis=(1, 2, 3))[:, None] - levels)
        scores = np.exp(-distance / 20)
        return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32), None


def clips(classes: int, count: int, length: int, channels: int = 3, seed: int = 0) -> FrameStore:
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % classes
    levels = np.repeat(np.linspace(0, 255, classes)[labels], length)
    noisy = np.clip(levels + random.normal(0, 60 / classes * 2, len(levels)), 0, 255)
    frames = np.broadcast_to(noisy[:, None, None, None], (len(levels), 12, 16, channels))
    starts = np.arange(count + 1, dtype=np.int64) * length
    names = tuple(f"test/{label}/{i}.avi" for i, label in enumerate(labels))
    return FrameStore(frames.astype(np.uint8), starts, labels, names, one_hot(labels, classes))


def report_of(
    labels: tuple[str, ...], count: int = 30, length: int = 12, channels: int = 3, **more: Any
) -> ReportInput:
    store = clips(len(labels), count, length, channels)
    kind = "clips" if length > 1 else "pictures"
    evaluation = evaluate(Level(labels), store, labels, kind, 2, baseline=Level(labels))
    history = tuple(
        {"epoch": i, "loss": 1 / i, "val_loss": 1.2 / i, "accuracy": 0.9, "val_accuracy": 0.8}
        for i in range(1, 6)
    )
    values: dict[str, Any] = {
        "name": "run",
        "created": "2026-01-01T00:00:00+00:00",
        "made_by": "edgecrnn",
        "sequence": "time" if length > 1 else "columns",
        "frame_rate": 10.0 if length > 1 else None,
        "parameters": 1234,
        "evaluation": evaluation,
        "judged_on": "the test split",
        "examples": choose_examples(evaluation, store),
        "history": history,
        "best_epoch": 4,
        "counts": {"train": dict.fromkeys(labels, 3), "test": {labels[0]: 2}},
        "settings": {"Network": {"units": 64, "skip": None}},
        "skipped": ("train/a/1.avi: truncated",),
    }
    return ReportInput(**{**values, **more})


class Balanced(HTMLParser):
    """Fails on tags that do not close in order, and collects what a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> Balanced:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(drawing)
    return parser


def test_a_report_of_clips_is_whole_and_loads_nothing() -> None:
    html = build_report(report_of(("left", "right", "still")))
    page = parsed(html)
    assert page.loads
    assert all(load.startswith("data:image/jpeg;base64,") for load in page.loads)
    assert "url(" not in html
    assert "@import" not in html
    assert {"script", "link", "iframe"}.isdisjoint(page.seen)
    for heading in ("Class by class", "Along the stream", "Frame by frame", "How it learned"):
        assert heading in html
    assert len(html) < 3_000_000


def test_a_report_of_pictures_has_no_stream() -> None:
    html = build_report(report_of(("cat", "dog"), length=1, channels=1))
    parsed(html)
    assert "Along the stream" not in html
    assert "Picture by picture" in html


def test_names_are_escaped_everywhere() -> None:
    nasty = ('<script>alert("1")</script>', "a&b'\"", "x" * 60, "right")
    report = report_of(nasty, name="<b>run</b>", skipped=("<i>.avi: bad",), notes=("<u>note",))
    html = build_report(report)
    page = parsed(html)
    assert {"script", "b>run", "i>.avi", "u"}.isdisjoint(page.seen)
    assert "<script" not in html
    assert "&lt;b&gt;run" in html


@pytest.mark.parametrize("count", [1, 2])
def test_the_smallest_run_has_a_report(count: int) -> None:
    report = report_of(
        ("a", "b"), count=count, length=3, history=(), best_epoch=None, counts={}, settings={},
        skipped=(), examples=(),
    )  # fmt: skip
    html = build_report(report)
    parsed(html)
    assert "How it learned" not in html
    assert "Settings" not in html


def test_one_epoch_with_a_loss_that_is_no_number() -> None:
    history = ({"epoch": 1, "loss": float("nan"), "val_loss": 0.5, "accuracy": 0.1},)
    parsed(build_report(report_of(("a", "b"), history=history, best_epoch=1)))
    assert curve_chart("Loss", [series("training", "", history, "loss")], 1, False) is None


def test_forty_classes_stay_small() -> None:
    html = build_report(report_of(tuple(f"class {i}" for i in range(40)), count=200))
    parsed(html)
    assert len(html) < 3_000_000


def test_variants_make_a_table_and_a_tile() -> None:
    variants = (
        VariantRow("float32", 262_000, 0.97, 0.96, 1.0, 0.071),
        VariantRow("int8", 71_000, 0.96, 0.95, 0.995, None, "smaller"),
    )
    report = report_of(("a", "b"), variants=variants)
    html = build_report(report)
    assert "Float against int8" in html
    assert tiles(report)[-1].value == "71 kB"
    assert "3.7 times smaller" in tiles(report)[-1].remark


def test_a_converted_run_shows_its_certificate() -> None:
    certificate = {"device": "a board", "variants": [{"variant": "int8", "agreement": 0.994}]}
    report = report_of(("a", "b"), certificate=certificate, diagrams={"int8": "<svg></svg>"})
    html = build_report(report)
    parsed(html)
    assert "int8 ships for a board: it agrees with the trained model on 99.40 %" in html
    assert "Diagram: int8" in html
    assert "The certificate" not in build_report(report_of(("a", "b")))


def test_a_model_that_does_not_need_order_is_told_so() -> None:
    assert any("Shuffling" in remark for remark in remarks(report_of(("a", "b"))))
    assert remarks(report_of(("a", "b"), count=4)) == []


def test_examples_are_wrong_ones_first_and_spread_over_the_classes() -> None:
    labels = tuple("abcdefgh")
    store = clips(8, 80, 5, seed=3)
    evaluation = evaluate(Level(labels), store, labels, "clips", 0)
    examples = choose_examples(evaluation, store, most_wrong=4, most_right=6)
    right = [one.truth == one.predicted for one in examples]
    assert right == sorted(right)
    shown = [one.truth for one in examples if one.truth == one.predicted]
    assert len(set(shown)) == len(shown) == 6
    wrong = [one for one in examples if one.truth != one.predicted]
    assert len(wrong) == min(4, int((evaluation.detail.predicted != store.labels).sum()))


def test_frames_shown_are_spread_over_the_clip() -> None:
    frames = np.arange(40, dtype=np.uint8).reshape(-1, 1, 1, 1)
    assert spread(frames, 4).ravel().tolist() == [5, 15, 25, 35]
    assert spread(frames[:2], 4).ravel().tolist() == [0, 1]


def test_round_ticks_reach_the_top() -> None:
    assert ticks(1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(2.3)[-1] >= 2.3
    assert ticks(0.0) == [0.0, 1.0]


def test_values_as_a_person_writes_them() -> None:
    assert bytes_said(71_300) == "71 kB"
    assert bytes_said(3_400_000) == "3.4 MB"
    assert setting_said(True) == "yes"
    assert setting_said(0.0030) == "0.003"
    assert setting_said({"a": (1, 2)}) == "a 1, 2"


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    # A file name that is not UTF-8 reaches Python as a surrogate.
    write_report(path, report_of(("a", "b"), skipped=("bad\udcff.avi: bad",)))
    assert path.read_text("utf-8").endswith("</html>")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
