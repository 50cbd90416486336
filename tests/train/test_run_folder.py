"""`run.json`: what was written is read back, every field; what is damaged is told in a sentence."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.evaluation.deciding import CurvePoint, DecidedScores
from edgecrnn.train.evaluation.promise import Promise
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.run_folder import FORMAT, DataRecord, RunRecord, read_record, write_record
from edgecrnn.train.settings import TrainSettings

LINE = {"epoch": 1, "loss": 0.5, "val_loss": 1e-9, "waiting": 0.0}
RECORD = RunRecord(
    format=FORMAT,
    name="größe",
    created="2026-01-01T00:00:00+00:00",
    made_by="edgecrnn 0.1",
    task="classify",
    kind="clips",
    labels=("links", "右", "nul\u0000l"),
    frame_rate=9.99,
    preprocessing=Preprocessing(height=48, width=32, color="gray", fit="pad"),
    network=NetworkSettings(encoder="document", cell_clip=0.5).filled(),
    train=TrainSettings(epochs=3, quantization_aware=True, learning_rate=0.01),
    augmentation={"crop": 0.1, "flip": "none"},
    data=DataRecord(
        # A byte that is no letter, as Python names it.
        root="/data/\udcff",
        hash="0" * 64,
        made_split=True,
        split_seed=7,
        counts={"train": {"links": 3, "右": 0}, "val": {}},
        skipped=("a.avi: truncated",),
    ),
    decision=DecisionSettings(smoothing=0.3, threshold=0.6, hysteresis=0.1, warmup=4),
    parameters=1234,
    best_epoch=2,
    history=(LINE, {**LINE, "epoch": 2}),
    baseline_history=(LINE,),
    quantized_history=(LINE,),
    validation=Promise(
        clips=30,
        decided=DecidedScores(
            0.9, (0.8, 0.95), 0.92, (0.85, 1.0), 0.98, 0.02, 0.93, 3, 14, 1, 22.7
        ),
        curve=(CurvePoint(0.0, 1.0, 0.9), CurvePoint(0.6, 0.98, 0.92)),
    ),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        dataclasses.replace(
            RECORD,
            kind="pictures",
            frame_rate=None,
            network=NetworkSettings(sequence="patches").filled(),
            baseline_history=(),
            quantized_history=(),
            validation=None,
        ),
    ],
    ids=["clips", "pictures"],
)
def test_what_was_written_is_read_back(record: RunRecord, run: Path) -> None:
    write_record(run, record)
    assert read_record(run) == record


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a JSON value."""
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path] * bool(path) + [way for key, one in inside for way in places(one, (*path, key))]


def said(run: Path, data: bytes) -> RunRecord | str:
    """What is read, or the sentence; any other exception fails the test."""
    (run / "run.json").write_bytes(data)
    try:
        return read_record(run)
    except EdgecrnnError as error:
        assert str(error).startswith(f"{run / 'run.json'}: ") and "\n" not in str(error)
        return str(error)


WHOLE = json.loads(json.dumps(dataclasses.asdict(RECORD)))
PLACES = places(WHOLE)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.data())
def test_a_key_that_is_gone(run: Path, data: st.DataObject) -> None:
    *way, key = data.draw(st.sampled_from([way for way in PLACES if isinstance(way[-1], str)]))
    damaged = json.loads(json.dumps(WHOLE))
    inside = damaged
    for step in way:
        inside = inside[step]
    del inside[key]
    result = said(run, json.dumps(damaged).encode())
    # What has a default (settings), or is a table of its own, may lack a key.
    later = ("quantized_history", "multiply_adds", "validation", "interrupted")
    if not way and key not in later:
        assert isinstance(result, str) and key in result


@settings(max_examples=400)
@given(way=st.sampled_from(PLACES), value=VALUES)
def test_a_value_of_another_kind(run: Path, way: tuple[Any, ...], value: Any) -> None:
    damaged = json.loads(json.dumps(WHOLE))
    inside = damaged
    for step in way[:-1]:
        inside = inside[step]
    before = inside[way[-1]]
    inside[way[-1]] = value
    result = said(run, json.dumps(damaged).encode())
    # A number may be another number, a text another text; nothing else passes.
    plain = (int, float) if isinstance(before, (int, float)) else type(before)
    free = way[0] == "augmentation" or value is None
    assert isinstance(result, str) or free or isinstance(value, plain)


@given(VALUES)
def test_json_that_is_no_record(run: Path, value: Any) -> None:
    assert isinstance(said(run, json.dumps(value).encode()), str)


@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3
    )
)
def test_bytes_that_changed(run: Path, changes: list[tuple[float, int]]) -> None:
    data = bytearray(json.dumps(WHOLE, indent=1).encode())
    for share, flipped in changes:
        data[int(share * len(data))] ^= flipped
    said(run, bytes(data))


@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short(run: Path, share: float) -> None:
    data = json.dumps(WHOLE, indent=1).encode()
    assert isinstance(said(run, data[: int(share * len(data))]), str)


@given(st.binary(max_size=100))
def test_any_bytes(run: Path, data: bytes) -> None:
    assert isinstance(said(run, data), str)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"[" * 100_000, "expected the record of a run"),
        (json.dumps({**WHOLE, "format": 99, "new": 1}).encode(), "format: expected 1, got 99"),
        (json.dumps({**WHOLE, "labels": ["a", "a"]}).encode(), "at least two different ones"),
        (json.dumps({**WHOLE, "network": []}).encode(), "network: expected keys and their values"),
        (b'{"format": 1' + b"0" * 10_000 + b"}", "expected the record of a run"),
    ],
    ids=["deep", "newer", "labels", "list", "digits"],
)
def test_damage_of_note(run: Path, data: bytes, sentence: str) -> None:
    result = said(run, data)
    assert isinstance(result, str) and sentence in result


def test_no_run_at_all(tmp_path: Path) -> None:
    for path, got in ((tmp_path, "a folder without one"), (tmp_path / "no", "no such folder")):
        with pytest.raises(EdgecrnnError, match=f"expected a run with run.json, got {got}"):
            read_record(path)
