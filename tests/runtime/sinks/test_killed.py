"""1,000 kills at random moments: every line whole, every recorded clip readable or absent."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtime.sinks.made import a_stream

from edgecrnn.runtime.clip import read_clip
from edgecrnn.runtime.films import film_frames
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.runtime.sinks import close_sinks, open_sinks
from edgecrnn.runtime.sinks.record import FILM

KILLS = 1000
# A clip takes longer to write than a line; EDGECRNN_KILLS=1000 is the whole of it.
CLIP_KILLS = int(os.environ.get("EDGECRNN_KILLS", "200"))


def kill(spec: str, times: int, longest: float) -> int:
    """How many results were handed over before the kills."""
    script = Path(__file__).with_name("killed.py")
    done = subprocess.run(
        [sys.executable, str(script), spec, str(times), str(longest)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


@pytest.mark.slow
def test_every_json_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert kill(f"jsonl:{path}", KILLS, 0.006) > 0
    close_sinks(open_sinks([f"jsonl:{path}"], a_stream()))
    lines = path.read_text().splitlines()
    # How many are written between the kills depends on the machine.
    assert len(lines) > KILLS // 200
    for line in lines:
        assert set(json.loads(line)["scores"]) == {"cat", "dog"}


@pytest.mark.slow
def test_every_row_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert kill(f"csv:{path}", KILLS // 4, 0.006) > 0
    close_sinks(open_sinks([f"csv:{path}"], a_stream()))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:2] == ["time", "source"]
    assert {len(row) for row in rows} == {8}
    assert rows.count(rows[0]) == 1


@pytest.mark.slow
def test_every_clip_is_readable_or_absent(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    spec = f"record:{folder}?before=0.3&after=0.3&cap=1"
    # A busy machine gives a child little of its time: until some come to the end of a clip.
    for times, longest in ((CLIP_KILLS, 0.05), (CLIP_KILLS // 4, 0.4), (CLIP_KILLS // 8, 2.0)):
        kill(spec, times, longest)
        if list(folder.glob("[!.]*")):
            break
    close_sinks(open_sinks([spec], a_stream()))
    kept = list(folder.iterdir())
    assert kept
    assert not [path for path in kept if path.name.startswith(".")]
    for each in kept:
        moments = read_clip(each).moments
        assert film_frames(each / FILM) == len(moments) > 0
        for moment in moments:
            assert read_picture(each / moment.picture).shape == (16, 16, 3)
    assert sum(path.stat().st_size for path in folder.glob("*/*")) <= 1_000_000
