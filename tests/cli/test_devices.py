"""`edgecrnn devices`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgecrnn.cli import devices, main
from edgecrnn.devices.probe import Facts
from edgecrnn.devices.profile import profile_names


@pytest.mark.parametrize("given", [[], ["list"]])
def test_list_names_every_board_and_its_status(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", *given]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", *profile_names()]
    assert ["raspberry-pi-5", "unproven", "Raspberry Pi 5"] in [
        re.split("  +", line) for line in lines
    ]


def test_a_board_that_calls_itself_what_it_likes_steers_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Facts(model="Pi\x1b[2J 5", architecture="x86_64", root="/opt/edgecrnn", venv=True)
    monkeypatch.setattr(devices, "probe", lambda shell, root: facts)
    main(["devices", "probe"])
    assert "board      Pi?[2J 5\n" in capsys.readouterr().out


def test_show_says_what_the_status_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "show", "raspberry-pi-5"]) == 0
    out = capsys.readouterr().out
    assert "unproven (believed from documents, never run on this hardware)" in out
    assert "accuracy_drop    1.0 points" in out and "ai-edge-litert" in out


def test_check_judges_a_file_never_a_name(
    tmp_path: Path,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (root / "devices/profiles/linux-x86_64.toml").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(text, encoding="utf-8")
    assert main(["devices", "check", "mine.toml"]) == 0
    assert capsys.readouterr().out.startswith("mine.toml: in order")
    assert main(["devices", "check", "raspberry-pi-5"]) == 2
    assert "raspberry-pi-5: expected a device profile, got" in capsys.readouterr().err
    Path("mine.toml").write_text(text.replace("threads = 1", "thread = 1"), encoding="utf-8")
    assert main(["devices", "check", "mine.toml"]) == 2
    assert "got 'thread' (did you mean 'threads'?)" in capsys.readouterr().err


def test_convert_refuses_a_board_that_cannot_run_edgecrnn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.edgecrnn"
    words = ["convert", str(tmp_path), "--device", "jetson-nano", "--out", str(out)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "Jetson Nano (JetPack 4) cannot run edgecrnn" in said and "; take a board" in said
    assert not out.exists()
