from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edgecrnn.runtime.board import only_one
from edgecrnn.runtime.errors import EdgecrnnError

_HOLDS = """
import os, sys, time
from pathlib import Path
from edgecrnn.runtime.board import only_one
with only_one.only_one(Path(sys.argv[1])) as lock:
    if sys.argv[2] == "becomes":
        only_one.hand_over(lock)
        # A program that starts slowly.
        os.execv("/bin/sh", ["sh", "-c", 'sleep 1; exec "$@"', "sh", sys.executable, "-c",
                             sys.argv[3], sys.argv[1], "stays", ""])
    print("holds", flush=True)
    time.sleep(100)
"""


def _holder(folder: Path, does: str = "stays") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", _HOLDS, str(folder), does, _HOLDS]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_a_second_one_is_refused_and_told_who(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(only_one, "_HANDOVER", 0.2)
    holder = _holder(tmp_path)
    assert holder.stdout is not None and holder.stdout.readline() == "holds\n"
    assert only_one.who(tmp_path) == holder.pid
    with (
        pytest.raises(EdgecrnnError, match=f"got process {holder.pid}"),
        only_one.only_one(tmp_path),
    ):
        pass
    assert only_one.end_it(tmp_path)
    holder.communicate()
    assert only_one.who(tmp_path) is None
    assert not only_one.end_it(tmp_path)


def test_the_lock_is_held_while_the_process_becomes_another_program(tmp_path: Path) -> None:
    holder = _holder(tmp_path, "becomes")
    while only_one.who(tmp_path) is None:
        assert holder.poll() is None
        time.sleep(0.01)
    said: list[str] = []
    output = holder.stdout
    assert output is not None
    reader = threading.Thread(target=lambda: said.append(output.readline()))
    reader.start()
    while reader.is_alive():
        assert only_one.who(tmp_path) == holder.pid
        time.sleep(0.01)
    assert said == ["holds\n"]
    holder.send_signal(signal.SIGTERM)
    holder.communicate()
    assert only_one.who(tmp_path) is None
