"""A command at each change of label."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

import pytest
from tests.runtime.sinks.made import a_frame, a_result, a_stream, eventually

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks import Bounded, close_sinks, open_sinks
from edgecrnn.runtime.sinks.exec import Command

TELL = """
import json, os, sys, time
told = {name: value for name, value in os.environ.items() if name.startswith("EDGECRNN_")}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([time.monotonic(), told, sys.argv[2:]]) + "\\n")
    file.flush()
    time.sleep(0.1)
    file.write(json.dumps([time.monotonic(), {}, []]) + "\\n")
"""


def tell(path: Path, *words: str) -> str:
    return "exec:" + shlex.join([sys.executable, "-S", "-c", TELL, str(path), *words])


def test_the_command_is_told_by_its_environment_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "told"
    (sink,) = open_sinks([tell(path, "$HOME", "a  b", "; touch x")], a_stream())
    for number, label in enumerate(["unknown", "cat", "cat", "dog"]):
        sink.write(a_result(label, number), a_frame(number))
    assert eventually(lambda: path.exists() and len(path.read_text().splitlines()) == 4)
    close_sinks([sink])
    first, end, second, _ = map(json.loads, path.read_text().splitlines())
    assert first[1] == {
        "EDGECRNN_LABEL": "cat",
        "EDGECRNN_BEFORE": "unknown",
        "EDGECRNN_SCORE": "0.9000",
        "EDGECRNN_TIME": "1700000000.100",
        "EDGECRNN_FRAME": "1",
        "EDGECRNN_SOURCE": "/dev/video0",
    }
    assert (second[1]["EDGECRNN_BEFORE"], second[1]["EDGECRNN_LABEL"]) == ("cat", "dog")
    assert second[0] >= end[0]
    # No shell has read the line.
    assert first[2] == ["$HOME", "a  b", "; touch x"]


def test_a_command_cannot_speak_to_the_service_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "KEPT"):
        monkeypatch.setenv(name, "1")
    path = tmp_path / "environment"
    code = f"import json, os; open({str(path)!r}, 'w').write(json.dumps(dict(os.environ)))"
    Command([sys.executable, "-S", "-c", code], "camera", 10.0).write(a_result("cat"), a_frame(0))
    told = json.loads(path.read_text())
    assert told["KEPT"] == "1" and told["EDGECRNN_LABEL"] == "cat"
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & set(told)


def test_a_label_is_no_command(tmp_path: Path) -> None:
    path = tmp_path / "told"
    label = f"cat; touch {tmp_path}/x $(touch {tmp_path}/y)"
    (sink,) = open_sinks([tell(path)], a_stream(labels=(label, "dog")))
    sink.write(a_result(label), a_frame())
    assert eventually(lambda: path.exists() and len(path.read_text().splitlines()) == 2)
    close_sinks([sink])
    assert json.loads(path.read_text().splitlines()[0])[1]["EDGECRNN_LABEL"] == label
    assert [entry.name for entry in tmp_path.iterdir()] == ["told"]


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    words = ["sh", "-c", f"sleep 60 & echo $! >{pids}; wait"]
    began = time.monotonic()
    with pytest.raises(EdgecrnnError, match=r"longer than 0\.3 s"):
        Command(words, "0", 0.3).write(a_result("cat"), a_frame())
    assert time.monotonic() - began < 20
    grandchild = int(pids.read_text())
    assert eventually(lambda: _gone(grandchild))


def test_a_command_that_fails_is_told_and_the_next_one_runs(tmp_path: Path) -> None:
    path = tmp_path / "ran"
    warnings: list[str] = []
    line = f"exec:sh -c 'echo $EDGECRNN_LABEL >>{path}; test $EDGECRNN_LABEL = dog'"
    (sink,) = open_sinks([line], a_stream(), warnings.append)
    sink.write(a_result("cat"), a_frame())
    sink.write(a_result("dog"), a_frame())
    assert eventually(lambda: path.exists() and path.read_text() == "cat\ndog\n")
    close_sinks([sink])
    assert warnings == ["exec:sh: the command ended with code 1"]
    assert sink.failed == 1


def test_the_end_of_the_run_kills_what_runs() -> None:
    sink = Bounded(Command(["sleep", "60"], "0", 30), "exec:sleep", "changes")
    sink.write(a_result("cat"), a_frame())
    began = time.monotonic()
    close_sinks([sink])
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("line", ["exec:no-such-program-here", "exec:/etc/passwd", "exec:/"])
def test_a_program_that_cannot_be_run_is_refused(line: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected a program that can be run"):
        open_sinks([line], a_stream())


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(EdgecrnnError, match="no closing quotation"):
        open_sinks(["exec:echo 'hello"], a_stream())


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A container without an init keeps the dead as zombies.
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
