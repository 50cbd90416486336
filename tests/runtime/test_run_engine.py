"""`edgecrnn run` with the delegate that was asked for, as a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def clip(write_video: Callable[..., Path]) -> Path:
    return write_video(["red"] * 6)


def test_run_says_what_the_delegate_took_and_uses_it(
    edgecrnn: Command, bundle_path: Path, clip: Path, delegate_library: Path
) -> None:
    words = ("run", bundle_path, "--source", clip, "--delegate", delegate_library)
    out, err = edgecrnn(*words).communicate(timeout=60)
    assert [json.loads(line)["label"] for line in out.splitlines()][-1] == "red"
    assert f"float32, 1 thread; external ({delegate_library}, " in err
    assert "took 3 of 7 operators in 2 partitions, left 1 CAST, 1 MEAN, 1 ADD, 1 SOFTMAX" in err
    assert "golden frames within 0.0000 (at most 0.0100)" in err


def test_run_stops_before_the_first_frame_where_answers_are_wrong(
    edgecrnn: Command, bundle_path: Path, clip: Path, delegate_library: Path
) -> None:
    words = ("run", bundle_path, "--source", clip, "--delegate", delegate_library)
    process = edgecrnn(*words, "--delegate-option", "answer=wrong")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "its answers are wrong here, take another --delegate or --variant" in err
    assert "Traceback" not in err and len(err.splitlines()) == 1


def test_run_falls_back_when_it_was_told_that_it_may(
    edgecrnn: Command, bundle_path: Path, clip: Path, delegate_library: Path
) -> None:
    words = ("run", bundle_path, "--source", clip, "--delegate", delegate_library)
    process = edgecrnn(*words, "--delegate-option", "prepare=crash", "--allow-fallback")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and len(out.splitlines()) == 6
    assert "was killed by SIGABRT" in err
    assert "cannot be used; cpu takes its place, as --allow-fallback says" in err
    assert "cpu (XNNPACK, " in err


def test_run_measures_and_prints_a_table(edgecrnn: Command, bundle_path: Path, clip: Path) -> None:
    process = edgecrnn("run", bundle_path, "--source", clip, "--engine", "auto")
    out, err = process.communicate(timeout=60)
    # Every frame is there still: what was measured on was read beforehand.
    assert process.returncode == 0 and len(out.splitlines()) == 6
    assert "measuring 1 candidate, 1 s each" in err
    head = next(line for line in err.splitlines() if line.startswith("variant"))
    assert head.split()[:4] == ["variant", "delegate", "runtime", "threads"]
