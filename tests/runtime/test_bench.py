"""`edgecrnn bench`, as a person runs it, and what becomes of its numbers."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.bench import Bench, BenchSettings
from edgecrnn.runtime.bench_loop import pictures_of
from edgecrnn.runtime.bench_page import bench_page
from edgecrnn.runtime.bench_text import bench_text, compared_text, heat_text, read_bench
from edgecrnn.runtime.errors import EdgecrnnError

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def written(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(the JSON file of one measurement of the CPU, what was printed)."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    words = ["--seconds", "2.2", "--engine-seconds", "0.1", "--size", "64x48", "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "edgecrnn", "bench", str(bundle_path), *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return file, done.stdout


@pytest.fixture
def measured(written: tuple[Path, str]) -> Bench:
    return read_bench(written[0])


def hot(bench: Bench) -> Bench:
    """The same on a board that grows hot, with another engine beside."""
    loop = copy.deepcopy(dict(bench.loop))
    one = loop["samples"][0]
    loop["samples"] = [
        {**one, "at": 6.0 * (n + 1), "loop_ms": 1.0 + (n > 50), "celsius": 45.0 + n / 2,
         "megahertz": 2400.0 - 900.0 * (n > 50), "throttled": ["throttled"] * (n > 50)}
        for n in range(100)
    ]  # fmt: skip
    return Bench(bench.facts, bench.engines, bench.about, loop)


def test_every_engine_and_number_of_threads_is_measured(measured: Bench, bundle_path: Path) -> None:
    good = [one for one in measured.engines if not one["refused"]]
    on_cpu = [one for one in good if one["delegate"] == "cpu"]
    assert [one["threads"] for one in on_cpu] == BenchSettings().counts
    for one in good:
        assert 0 < one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"] < 1000
        assert one["load_ms"] > 0 and one["first_ms"] > 0 and 20 < one["peak_mb"] < 2000
        assert one["about"]["golden"] is not None
    # What cannot run here is told, not left out.
    tried = {one["delegate"] for one in measured.engines}
    assert {"cpu", "gpu"} <= tried
    assert measured.facts["frames"] == "random, 64x48"


def test_the_loop_is_measured_beside_its_parts(measured: Bench) -> None:
    loop = measured.loop
    assert loop["pairs"] > 10 and loop["frame_size"] == "64x48"
    assert 0 < loop["invoke_ms"] < loop["bare_ms"] < loop["loop_ms"] < 100
    assert loop["ratio_low"] <= loop["ratio"] <= loop["ratio_high"]
    assert 0 < loop["fresh_seconds"] < 60 and 20 < loop["fresh_peak_mb"] < 2000
    # 2.2 s are two stretches of a second and the rest, on a busy machine a little longer ones.
    first, second = (sample["at"] for sample in loop["samples"][:2])
    assert 0.9 < first < second - 0.1
    assert sum(sample["frames"] for sample in loop["samples"]) >= loop["pairs"]


def test_no_picture_is_read_again_before_all_were_read() -> None:
    """What was read a moment ago lies in the processor's cache: the second reader is faster."""
    images = [np.full((2, 2, 3), number, np.uint8) for number in range(16)]
    read = [image[0, 0, 0] for pair in range(8) for image in pictures_of(pair, images)]
    assert sorted(read) == list(range(16))


def test_what_is_printed_is_what_is_written(written: tuple[Path, str], measured: Bench) -> None:
    printed = written[1]
    assert printed.startswith(bench_text(measured))
    assert f"{measured.loop['ratio']:.3f} (quartiles" in printed
    assert f"live loop, float32 on cpu (XNNPACK, {measured.about['runtime']}), 1 thread" in printed


def test_heat_is_told_in_one_line(measured: Bench) -> None:
    said = heat_text(hot(measured).loop["samples"])
    assert said == (
        "over 600 s 1 ms to 2 ms a frame, 47 to 92 °C, 2400 to 1500 MHz; throttled from 312 s on"
    )


def test_two_measurements_stand_side_by_side(measured: Bench) -> None:
    other = json.loads(json.dumps(measured.to_json()))
    for one in other["engines"]:
        one["p95_ms"] *= 2
        # A newer version of the package is still the same engine.
        one["runtime"] = f"{one['runtime'].split(' ')[0]} 99.0"
    other["loop"]["fresh_peak_mb"] *= 3
    theirs = Bench(other["facts"], other["engines"], other["about"], other["loop"])
    said = compared_text(measured, theirs)
    rows = [line for line in said.splitlines() if line.startswith("float32")]
    good = [one for one in measured.engines if not one["refused"]]
    assert len(rows) == len(good) and all(line.endswith(" 2.00") for line in rows)
    assert next(line for line in said.splitlines() if "its peak" in line).endswith(" 3.00")
    assert "other: " in said


@pytest.mark.parametrize("other", [False, True])
def test_the_drawing_is_whole_and_loads_nothing(measured: Bench, other: bool) -> None:
    drawing = bench_page(hot(measured), measured if other else None, ".svg")
    root = ET.fromstring(drawing)
    words = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "The run over time" in words and "red: slowed down" in words
    assert any(word.startswith("grey: ") for word in words) == other
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 3
    page = bench_page(hot(measured), measured if other else None, ".html")
    for text in (drawing, page):
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page and "&lt;" not in drawing


def test_names_from_elsewhere_cannot_break_the_page(measured: Bench) -> None:
    facts = {**measured.facts, "bundle": "<script>alert(1)</script>", "machine": 'a "b" & <c>'}
    bench = Bench(facts, measured.engines, measured.about, measured.loop)
    ET.fromstring(bench_page(bench, None, ".svg"))
    assert "<script" not in bench_page(bench, None, ".html")


def test_files_are_written_and_not_replaced(
    edgecrnn: Command,
    bundle_path: Path,
    tmp_path: Path,
    write_video: Callable[..., Path],
    written: tuple[Path, str],
) -> None:
    file, page = tmp_path / "bench.json", tmp_path / "bench.html"
    words: list[object] = ["--source", write_video(["red"] * 5), "--json", file, "--out", page]
    words += ["--seconds", 0.1, "--engine-seconds", 0, "--compare", written[0], "--threads", 2]
    process = edgecrnn("bench", bundle_path, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(file.read_text())["about"]["threads"] == 2
    assert "clip.avi, 64x48" in out and "other / this" in out
    assert page.read_text().startswith("<!doctype html>")
    process = edgecrnn("bench", bundle_path, *words)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2 and "--force" in err


def test_the_engine_asked_for_is_the_one_measured(
    edgecrnn: Command, bundle_path: Path, delegate_library: Path, tmp_path: Path
) -> None:
    words = ("--seconds", 0.1, "--engine-seconds", 0.1, "--size", "64x48", "--threads", 1)
    file = tmp_path / "b.json"
    process = edgecrnn("bench", bundle_path, *words, "--delegate", delegate_library, "--json", file)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    facts = json.loads(file.read_text())
    assert [one["delegate"] for one in facts["engines"]] == [f"external {delegate_library}"]
    assert facts["about"]["taken"] == {"MUL": 3}
    assert f"float32 on external ({delegate_library}" in out


def test_a_file_to_compare_with_that_lacks_its_date(
    written: tuple[Path, str], tmp_path: Path
) -> None:
    values = json.loads(written[0].read_text())
    del values["facts"]["date"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(values))
    with pytest.raises(EdgecrnnError, match="expected what edgecrnn bench --json wrote"):
        read_bench(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "got No such file"),
        ("not json", "got something else"),
        ("[]", "got something else"),
        ("{}", "got something else"),
        ('{"format": 7}', "expected a measurement of format 2, got 7"),
        ('{"format": 2, "facts": {}, "engines": [], "about": {}, "loop": {}}', "got something el"),
    ],
)
def test_a_file_to_compare_with_that_is_none(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EdgecrnnError, match=said):
        read_bench(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "bench.png"], "expected a name that ends with .svg or .html, got '.png'"),
        (["--seconds", "0"], "--seconds: expected at least 0.01 s"),
        (["--threads", "0"], "--threads: expected 1 to 1024"),
        (["--size", "big"], "size: expected WIDTHxHEIGHT"),
        (["--delegate", "npu"], "expected cpu, edgetpu, ethos-u, external, gpu, litert-npu or"),
        (["--compare", "none.json"], "none.json: expected what edgecrnn bench --json wrote"),
    ],
)
def test_mistakes_are_one_sentence(
    edgecrnn: Command, bundle_path: Path, words: list[str], said: str
) -> None:
    process = edgecrnn("bench", bundle_path, *words)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and said in err and "Traceback" not in err
