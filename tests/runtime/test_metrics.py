"""What Prometheus is told, read with its own parser."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from edgecrnn.runtime.metrics import metrics_text
from edgecrnn.runtime.status import State, Status

STATUS = Status(
    source="/dev/video0",
    about="MJPG 640x480",
    state="running",
    variant="int8",
    engine="ai-edge-litert 2.3.0",
    delegate="cpu",
    threads=2,
    operators_taken=30,
    operators_left=2,
    partitions=1,
    label="cat",
    score=0.875,
    frames=1000,
    classified=330,
    paced_out=660,
    dropped=10,
    resets=3,
    reopened=1,
    sink_drops={"jsonl:a": 0, "mqtt://broker": 7},
    fps_in=29.9,
    fps_out=9.9,
    p50_ms=12.5,
    p95_ms=20.0,
    p99_ms=31.25,
    age=0.05,
    started=1_700_000_000.0,
    uptime=101.5,
)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by its name and labels; the parser refuses what is not in the format."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.type in ("counter", "gauge")
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in samples, "a sample twice"
            samples[key] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"edgecrnn_{name}", frozenset(labels.items())]


def test_prometheus_reads_what_the_status_says() -> None:
    samples = parsed(metrics_text([STATUS]))
    video = {"source": "/dev/video0"}
    assert value(samples, "up", **video) == 1
    assert value(samples, "score", **video) == 0.875
    assert value(samples, "label", label="cat", **video) == 1
    for name, expected in {
        "frames_total": 1000,
        "classified_frames_total": 330,
        "paced_out_frames_total": 660,
        "dropped_frames_total": 10,
        "resets_total": 3,
        "reopened_total": 1,
        "frames_per_second": 29.9,
        "decisions_per_second": 9.9,
        "decision_age_seconds": 0.05,
        "partitions": 1,
        "start_time_seconds": 1_700_000_000,
        "uptime_seconds": 101.5,
    }.items():
        assert value(samples, name, **video) == expected
    assert value(samples, "latency_seconds", quantile="0.99", **video) == pytest.approx(0.03125)
    assert value(samples, "operators", runs_on="delegate", **video) == 30
    assert value(samples, "sink_dropped_results_total", sink="mqtt://broker", **video) == 7


@pytest.mark.parametrize("state", get_args(State))
def test_one_state_is_set(state: Any) -> None:
    samples = parsed(metrics_text([dataclasses.replace(STATUS, state=state)]))
    states = {dict(labels)["state"]: v for (name, labels), v in samples.items() if "state" in name}
    assert states == {each: float(each == state) for each in get_args(State)}
    assert value(samples, "up", source="/dev/video0") == (
        state in ("running", "warming up", "paused")
    )


def test_what_is_not_known_yet_is_left_out() -> None:
    young = Status("0", "", "waiting", "int8", "", "cpu", 1)
    names = {name for name, _ in parsed(metrics_text([young]))}
    assert "edgecrnn_frames_total" in names
    assert not {"edgecrnn_label", "edgecrnn_score", "edgecrnn_latency_seconds"} & names
    assert "edgecrnn_decision_age_seconds" not in names


@given(st.lists(st.text(), min_size=1, max_size=4, unique=True), st.text())
def test_any_name_survives(sources: list[str], label: str) -> None:
    statuses = [dataclasses.replace(STATUS, source=each, label=label) for each in sources]
    samples = parsed(metrics_text(statuses))
    for source in sources:
        assert value(samples, "label", source=source, label=label) == 1


def test_a_file_name_in_another_encoding_can_be_sent() -> None:
    text = metrics_text([dataclasses.replace(STATUS, source="caf\udce9.mp4")])
    assert b'source="caf?.mp4"' in text.encode()


def test_each_metric_is_introduced_once_for_all_streams() -> None:
    text = metrics_text([STATUS, dataclasses.replace(STATUS, source="1")])
    introduced = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(introduced) == len(set(introduced))
    assert text.endswith("\n")


def test_no_streams_no_metrics() -> None:
    assert metrics_text([]) == ""
