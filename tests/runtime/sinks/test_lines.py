"""Files of whole lines: jsonl and csv, cut, locked, moved away, on a full disk."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtime.sinks.made import a_frame, a_result, a_stream

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks import _lines, close_sinks, open_sinks
from edgecrnn.runtime.sinks._lines import LineFile


def write(spec: str, count: int, **stream: object) -> None:
    sinks = open_sinks([spec], a_stream(**stream))
    for number in range(count):
        sinks[0].write(a_result("cat", number), a_frame(number))
    close_sinks(sinks)


def test_a_line_says_what_was_decided_and_where(tmp_path: Path) -> None:
    write(f"jsonl:{tmp_path}/new/a.jsonl", 3)
    lines = [json.loads(line) for line in (tmp_path / "new/a.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2]
    assert lines[0]["source"] == "/dev/video0"
    assert lines[0]["scores"] == {"cat": 0.9, "dog": 0.1}


def test_rows_have_a_column_for_each_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for _ in range(2):
        write(f"csv:{path}", 3, labels=('a "big", cat', "dog\nor wolf"))
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 6
    assert float(rows[0]['a "big", cat']) == 0.9
    assert float(rows[0]["dog or wolf"]) == 0.1


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_torn_last_line_is_cut(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    write(f"{kind}:{path}", 3)
    whole = path.read_bytes()
    for torn in range(1, len(whole)):
        path.write_bytes(whole[:torn])
        write(f"{kind}:{path}", 0)
        kept = path.read_bytes()
        assert whole.startswith(kept) or kind == "csv"
        assert kept == b"" or kept.endswith(b"\n")
        assert len(kept.splitlines()) >= len(whole[:torn].splitlines()) - 1


@pytest.mark.parametrize("content", ['{"my": "settings"}', "shopping list", "\x00\xff"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_somebody_elses_file_is_left_alone(tmp_path: Path, kind: str, content: str) -> None:
    path = tmp_path / "mine"
    path.write_text(content)
    with pytest.raises(EdgecrnnError, match="expected a new file or one that begins with"):
        write(f"{kind}:{path}", 1)
    assert path.read_text() == content


def test_a_table_of_other_labels_is_not_mixed(tmp_path: Path) -> None:
    write(f"csv:{tmp_path}/a.csv", 1)
    with pytest.raises(EdgecrnnError, match="begins with"):
        write(f"csv:{tmp_path}/a.csv", 1, labels=("hen", "fox"))


@pytest.mark.parametrize("path", ["/dev/null", "/", "/proc/nothing/a", "x" * 300, "a\0b"])
def test_a_path_that_cannot_be_written_is_refused(path: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected a file"):
        open_sinks([f"jsonl:{path}"], a_stream())


def test_another_process_is_kept_out_another_stream_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    sinks = open_sinks([f"jsonl:{path}"] * 2, a_stream())
    code = (
        "from edgecrnn.runtime.sinks._lines import LineFile; from pathlib import Path; import sys;"
        "LineFile(Path(sys.argv[1]), first=b'{')"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    close_sinks(sinks)
    assert "one that another process writes to" in other.stderr


def test_it_stays_refused_until_the_last_stream_of_the_run_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    code = "import sys; from pathlib import Path; from edgecrnn.runtime.sinks import _lines\n"
    code += "_lines.LineFile(Path(sys.argv[1])).close()"
    first, second = LineFile(path), LineFile(path)
    first.close()
    for held in (True, False):
        other = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
        assert ("one that another process writes to" in other.stderr) == held
        if held:
            second.close()


def test_a_file_that_is_moved_away_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lines, "_LOOK", 0.0)
    path = tmp_path / "a.log"
    file = LineFile(path, b"head\n", b"head\n")
    file.write(b"one\n")
    path.rename(tmp_path / "a.log.1")
    file.write(b"two\n")
    file.close()
    assert (tmp_path / "a.log.1").read_bytes() == b"head\none\n"
    assert path.read_bytes() == b"head\ntwo\n"


def test_a_line_that_does_not_fit_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    code = f"""
import resource, signal
from pathlib import Path
from edgecrnn.runtime.sinks._lines import LineFile
resource.setrlimit(resource.RLIMIT_FSIZE, (25, 25))
file = LineFile(Path({str(path)!r}), first=b"line")
for number in range(5):
    try:
        file.write(b"line %d of 10\\n" % number)
    except OSError as error:
        print(error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert path.read_bytes() == b"line 0 of 10\n"
    assert done.stdout.count("No space left on device") == 4
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
