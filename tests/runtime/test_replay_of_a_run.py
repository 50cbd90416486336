"""`edgecrnn run --sink record: --review`, then `edgecrnn replay` on every clip they wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from edgecrnn.runtime.bundle import Bundle

Write = Callable[..., Path]
FILMED = ["red"] * 30 + ["green"] * 30 + ["blue"] * 30


def edgecrnn(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgecrnn", *arguments], capture_output=True, text=True, timeout=60
    )


def test_each_clip_of_a_run_gives_the_lines_that_the_run_printed(
    bundle: Bundle, write_video: Write, tmp_path: Path
) -> None:
    video, clips, review = write_video(FILMED), tmp_path / "clips", tmp_path / "review"
    done = edgecrnn(
        "run", str(bundle.path), "--source", str(video), "--json",
        "--sink", f"record:{clips}?before=1&after=1", "--sink", f"jsonl:{tmp_path}/a.jsonl",
        "--review", str(review), "--review-margin", "1", "--review-free", "0",
        "--smoothing", "0.5", "--threshold", "0.6",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = {line["frame"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert len(printed) == 90
    recorded = sorted(clips.iterdir()) + sorted(review.glob("__unsorted/0*"))
    assert [path.name.split("-")[2] for path in recorded[:3]] == ["red", "green", "blue"]
    assert len(recorded) >= 4
    for clip in recorded:
        again = edgecrnn("replay", str(bundle.path), str(clip), "--json")
        assert again.returncode == 0, again.stderr
        assert "scores at most 0 apart" in again.stderr
        for line in map(json.loads, again.stdout.splitlines()):
            live = printed[line["frame"]]
            assert line["now"]["label"] == live["label"]
            assert round(line["now"]["score"], 4) == live["score"]
    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["frame"] for line in lines] == sorted(printed)
