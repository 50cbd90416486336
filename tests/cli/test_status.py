"""`edgecrnn status`: what a board says of itself, as a person may show it to others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgecrnn.cli import main, status

ANSWER: dict[str, Any] = {
    "current": "0123456789abcdef", "previous": None, "name": "door", "key_id": "", "sequence": 0,
    "running": True, "pid": 7, "frames": 9, "healthy": True, "ended": False, "on_trial": False,
    "taken_back": "", "reason": "", "status": "8 decisions a second", "service": "plain",
    "releases": [], "environments": [], "free_mb": 900, "trusted": [],
}  # fmt: skip
RUN = [
    *("--source", "rtsp://anna:Tr0ub4dor@camera/1"),
    *("--sink", "mqtt://anna:Tr0ub4dor@broker/door", "--sink=webhook:https://chat.org/Tr0ub4dor"),
    *("--sink", "exec:notify --key Tr0ub4dor", "--threads", "2"),
]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_secret_of_the_run_is_shown(
    flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(status, "asked", lambda args, command: {**ANSWER, "run": list(RUN)})
    assert main(["status", "pi@door", *flags]) == 0
    out = capsys.readouterr().out
    assert "Tr0ub4dor" not in out and "anna" not in out
    run = json.loads(out)["run"] if flags else out
    for word in (
        "rtsp://camera",
        "mqtt://broker",
        "--sink=webhook:https://chat.org",
        "exec:notify",
    ):
        assert word in run
    assert "--threads" in run
