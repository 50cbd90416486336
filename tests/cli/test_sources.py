"""`edgecrnn sources` on this machine, and with a board's programs stood in for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecrnn.cli import main
from edgecrnn.cli.sources import table
from edgecrnn.runtime.found_sources import Found, found_sources

# Two cameras as rpicam-hello lists them.
LISTED = """Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

1 : imx219 (/base/axi/pcie@1000120000/rp1/i2c@70000/imx219@10)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(programs: Path, name: str, output: str, code: int = 0) -> None:
    (programs / name).write_text(
        f"#!/bin/sh\nwhile read -r line; do echo \"$line\"; done <<'X'\n{output}\nX\nexit {code}\n"
    )
    (programs / name).chmod(0o755)


def sources(here: bool = True) -> dict[str, Found]:
    return {f.source: f for f in found_sources() if f.here is here}


def test_json_lists_what_can_be_read_and_what_is_not_here(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sources", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"PATH", "rtsp://...", "http(s)://...", "exec:COMMAND"} <= {
        each["source"] for each in listed if each["here"]
    }
    assert all(each.keys() == {"source", "name", "details", "here"} for each in listed)


def test_the_table_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("SOURCE ")
    assert "rtsp://..." in output


def test_a_raspberry_pi(programs: Path) -> None:
    install(programs, "rpicam-vid", "")
    install(programs, "rpicam-hello", LISTED)
    found = sources()
    assert found["rpicam:0"] == Found("rpicam:0", "imx708", ("4608x2592 10-bit RGGB",))
    assert found["rpicam:1"] == Found("rpicam:1", "imx219", ())
    assert len([s for s in found if s.startswith("rpicam")]) == 2


def test_a_raspberry_pi_without_a_camera(programs: Path) -> None:
    install(programs, "libcamera-vid", "")
    install(programs, "libcamera-hello", "No cameras available!")
    assert sources(here=False)["rpicam:N"].details == ("no camera is connected",)


def test_a_jetson(programs: Path) -> None:
    install(programs, "gst-launch-1.0", "gst-launch-1.0 version 1.20.3\nGStreamer 1.20.3")
    install(programs, "gst-inspect-1.0", "Factory Details:")
    found = sources()
    assert found["gstreamer:PIPELINE"].details == ("1.20.3",)
    assert "jetson:N" in found
    install(programs, "gst-inspect-1.0", "No such element or plugin", code=255)
    assert "jetson:N" not in sources()


def test_what_is_not_here_says_how_to_get_it(programs: Path) -> None:
    away = sources(here=False)
    assert "sudo apt install rpicam-apps-lite" in away["rpicam:N"].details
    assert "sudo apt install gstreamer1.0-tools" in away["gstreamer:PIPELINE"].details[0]


def test_long_details_are_folded() -> None:
    sizes = ", ".join(f"{n}x{n}" for n in range(100, 130))
    text = table([Found("/dev/video0", "Webcam", (f"MJPG: {sizes}",)), Found("a", "b", ())], 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("x") == 30
    assert "Not here" not in text


def test_a_camera_that_calls_itself_what_it_likes_steers_no_terminal() -> None:
    found = [Found("/dev/video0", "cam\x1b[2Jera", ("MJPG\r: 640x480",))]
    assert "cam?[2Jera  MJPG?: 640x480" in table(found, 80)


def test_a_word_too_many_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "all"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
