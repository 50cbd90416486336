"""A recorded clip gives the decisions of the live run again, frame for frame."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.conftest import write_bundle

from edgecrnn.cli import main
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.classifier import Classifier, Result
from edgecrnn.runtime.clip import DECISIONS, STARTS, ClipWriter, as_png, read_clip
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.pictures import decode
from edgecrnn.runtime.preprocess import Preprocessing, prepare
from edgecrnn.runtime.replay import replay
from edgecrnn.runtime.sinks import Stream
from edgecrnn.runtime.sinks._head import a_head

Picture = Callable[..., np.ndarray]
# Smoothing and hysteresis: the decision remembers, too.
RULE = DecisionSettings(smoothing=0.6, threshold=0.4, hysteresis=0.05, warmup=2)


def stream_of(bundle: Bundle) -> Stream:
    manifest = bundle.manifest
    variant = manifest.variants[0]
    return Stream(
        "0", manifest.labels, manifest.frame_rate, True, manifest.name, RULE, variant.name,
        manifest.files[variant.file],
    )  # fmt: skip


def decided(bundle: Bundle, picture: Picture, colors: Sequence[str]) -> list[Result]:
    """Live results on colours that follow each other; "gap" makes a second of none."""
    classify = Classifier(load_engine(bundle), bundle.manifest, RULE, live=True)
    results, moment = [], 100.0
    for place, color in enumerate(colors):
        moment += 2.0 if color == "gap" else 0.1
        if color != "gap":
            result = classify(Frame(picture(color), place, moment, time.monotonic()))
            assert result is not None
            results.append(result)
    return results


def record(folder: Path, bundle: Bundle, results: Sequence[Result]) -> Path:
    folder.mkdir()
    writer = ClipWriter(folder, a_head(stream_of(bundle), "test", ""))
    for result in results:
        writer.add(result)
    writer.close()
    return folder


COLORS = ["red"] * 6 + ["green"] * 4 + ["gap"] + ["green"] * 5 + ["blue"] * 6


def test_every_frame_is_decided_as_it_was(bundle: Bundle, picture: Picture, tmp_path: Path) -> None:
    results = decided(bundle, picture, COLORS)
    clip = read_clip(record(tmp_path / "clip", bundle, results))
    assert [moment.fresh for moment in clip.moments].count(True) == 2
    again = list(replay(bundle, load_engine(bundle), clip))
    assert [(r.label, r.score, r.scores) for r in results] == [
        (r.label, r.score, r.scores) for r in again
    ]
    assert [r.time for r in results] == [r.moment.time for r in again]
    assert all(each.agrees(0.0) and each.apart == 0.0 for each in again)


@pytest.mark.parametrize("begin", range(1, 16, 3))
def test_a_clip_from_the_middle_begins_with_the_memory_it_had(
    bundle: Bundle, picture: Picture, tmp_path: Path, begin: int
) -> None:
    results = decided(bundle, picture, COLORS)[begin : begin + 5]
    clip = read_clip(record(tmp_path / "clip", bundle, results))
    again = list(replay(bundle, load_engine(bundle), clip))
    assert [r.scores for r in again] == [r.scores for r in results]
    assert all(each.agrees(0.0) for each in again)
    # Without that memory it would come out otherwise.
    (tmp_path / "clip" / DECISIONS).write_text(
        (tmp_path / "clip" / DECISIONS).read_text().replace('"fresh": false', '"fresh": true')
    )
    cold = list(replay(bundle, load_engine(bundle), read_clip(tmp_path / "clip")))
    seen = results[0].seen
    assert seen is not None
    if not seen.fresh:
        assert not all(each.agrees(0.0) for each in cold)


def test_frames_that_were_dropped_do_not_break_it(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    results = decided(bundle, picture, COLORS)
    del results[12:15], results[4:6]
    clip = read_clip(record(tmp_path / "clip", bundle, results))
    assert sum(moment.start is not None for moment in clip.moments) == 2
    assert all(each.agrees(0.0) for each in replay(bundle, load_engine(bundle), clip))


@given(
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    color=st.sampled_from(["rgb", "gray"]),
    fit=st.sampled_from(["stretch", "crop", "pad"]),
    seed=st.integers(0, 1000),
)
def test_a_prepared_frame_comes_back_bit_for_bit(
    height: int, width: int, color: str, fit: str, seed: int
) -> None:
    preprocessing = Preprocessing(height, width, color, fit)
    image = np.random.default_rng(seed).integers(0, 256, (31, 47, 3), np.uint8)
    prepared = prepare(image, preprocessing)
    read = decode(as_png(prepared))
    assert read is not None
    assert np.array_equal(prepare(read, preprocessing), prepared)


def test_the_command_says_how_many_agree(
    bundle: Bundle, picture: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = record(tmp_path / "clip", bundle, decided(bundle, picture, COLORS))
    assert main(["replay", str(bundle.path), str(clip), "--json"]) == 0
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 21
    assert all(line["agrees"] and line["live"] == line["now"] for line in lines)
    assert err == "21 of 21 frames agree; scores at most 0 apart\n"
    text = (clip / DECISIONS).read_text()
    (clip / DECISIONS).write_text(text.replace('"label": "blue"', '"label": "red"', 1))
    assert main(["replay", str(bundle.path), str(clip)]) == 1
    out, err = capsys.readouterr()
    assert out.count("differs") == 1
    assert "20 of 21 frames agree" in err


def test_another_model_is_told_and_begins_with_no_memory(
    bundle: Bundle, picture: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = record(tmp_path / "clip", bundle, decided(bundle, picture, COLORS)[3:])
    text = (clip / DECISIONS).read_text()
    model = read_clip(clip).head.model
    (clip / DECISIONS).write_text(text.replace(model, "0" * 64))
    assert main(["replay", str(bundle.path), str(clip), "--tolerance", "1"]) in (0, 1)
    assert "decided by another model, colors (float32)" in capsys.readouterr().err


def test_a_clip_of_other_labels_is_refused(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    clip = read_clip(record(tmp_path / "clip", bundle, decided(bundle, picture, COLORS)))
    other = open_bundle(write_bundle(tmp_path / "o.edgecrnn", labels=("a", "b", "c")))
    with pytest.raises(EdgecrnnError, match="give the bundle that decided it"):
        list(replay(other, load_engine(other), clip))


def _spoil(clip: Path, how: str) -> None:
    match how:
        case "no decisions":
            (clip / DECISIONS).unlink()
        case "no starts":
            (clip / STARTS).unlink()
        case "half a line":
            (clip / DECISIONS).write_text((clip / DECISIONS).read_text()[:-40])
        case "another format":
            (clip / DECISIONS).write_text('{"format": "clip 9"}\n')
        case "no head":
            (clip / DECISIONS).write_text("")
        case "a number":
            (clip / DECISIONS).write_text("7\n")
        case "only a head":
            (clip / DECISIONS).write_text((clip / DECISIONS).read_text().splitlines()[0] + "\n")
        case "a line too few fields":
            lines = (clip / DECISIONS).read_text().splitlines()
            (clip / DECISIONS).write_text("\n".join([lines[0], '{"frame": 1}']))
        case "a label that is none":
            text = (clip / DECISIONS).read_text()
            (clip / DECISIONS).write_text(text.replace('"label": "red"', '"label": 7', 1))
        case "a score too few":
            text = (clip / DECISIONS).read_text()
            (clip / DECISIONS).write_text(
                re.sub(r'"scores": \[[^,]+, ', '"scores": [', text, count=1)
            )
        case "a start that is none":
            text = (clip / DECISIONS).read_text()
            (clip / DECISIONS).write_text(re.sub(r'"start": \{[^}]*\}', '"start": 7', text))
        case "starts of another model":
            np.savez(clip / STARTS, **{"0/state/other": np.zeros(3, np.float32)})
        case "garbage starts":
            (clip / STARTS).write_bytes(b"PK\3\4" + bytes(100))
        case "a picture missing":
            (clip / "000002.png").unlink()
        case "a picture cut":
            path = clip / "000002.png"
            path.write_bytes(path.read_bytes()[:60])
        case "no clip":
            shutil.rmtree(clip)


@pytest.mark.parametrize(
    "how",
    [
        "no decisions", "no starts", "half a line", "another format", "no head", "a number",
        "only a head", "a line too few fields", "a label that is none", "a score too few",
        "a start that is none", "starts of another model", "garbage starts",
        "a picture missing", "a picture cut", "no clip",
    ],
)  # fmt: skip
def test_a_damaged_clip_is_refused_in_a_sentence(
    bundle: Bundle,
    picture: Picture,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    # From the middle, so that it begins with a memory.
    clip = record(tmp_path / "clip", bundle, decided(bundle, picture, COLORS)[2:])
    _spoil(clip, how)
    assert main(["replay", str(bundle.path), str(clip)]) == 2
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--threads", "0"], ["--tolerance", "-1"], ["--variant", "no"]])
def test_bad_flags_are_refused(
    bundle: Bundle, picture: Picture, tmp_path: Path, flags: list[str]
) -> None:
    clip = record(tmp_path / "clip", bundle, decided(bundle, picture, COLORS[:4]))
    assert main(["replay", str(bundle.path), str(clip), *flags]) == 2


def test_a_result_without_what_was_seen_is_a_defect(
    bundle: Bundle, picture: Picture, tmp_path: Path
) -> None:
    (result, *_) = decided(bundle, picture, ["red"])
    with pytest.raises(ValueError, match="without what was seen"):
        record(tmp_path / "clip", bundle, [result._replace(seen=None)])
