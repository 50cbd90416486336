"""V4L2 with a driver of the kernel's, `vivid`: chosen, classified, unplugged, frozen, and back."""

from __future__ import annotations

import json
import time

from tests.vm.conftest import PIXELS, RATE, SIZE, Watched, without_unknown

EDGECRNN = "/opt/edgecrnn/current/environment/bin/python -I -m edgecrnn"
OTHER = "/dev/video1"
_HOLDS = "import os, sys, time; os.open('/dev/video0', os.O_RDWR); print('held', flush=True)"


def test_the_format_size_and_rate_asked_for_are_the_drivers_and_are_said(board: Watched) -> None:
    assert board.first["outcome"] == "healthy"
    assert f"/dev/video0: {PIXELS} {SIZE}, {RATE} frames/s stated" in board.log()
    # The driver's own word.
    driver = board.guest.run("v4l2-ctl -d /dev/video0 --get-fmt-video --get-parm")
    assert "Width/Height      : 320/180" in driver and "'YUYV'" in driver
    assert "5.000" in driver


def test_decisions_follow_what_the_camera_shows(board: Watched) -> None:
    for color in ("green", "blue", "red"):
        board.show(color)
        board.wait_for(color)


def test_what_the_driver_lists_is_listed(board: Watched) -> None:
    found = json.loads(board.guest.run(f"{EDGECRNN} sources --json"))
    cameras = {each["source"]: each for each in found if each["source"].startswith("/dev/video")}
    # While the service streams from the one of them.
    assert set(cameras) == {"/dev/video0", OTHER}
    (sizes,) = [text for text in cameras[OTHER]["details"] if text.startswith("YUYV: ")]
    assert "320x180, 640x360" in sizes
    probed = board.guest.edgecrnn("devices", "probe", board.guest.name)
    assert probed["facts"]["systemd"] and "vivid" in "".join(probed["facts"]["cameras"])


def test_what_it_cannot_give_is_refused_by_a_sentence(board: Watched) -> None:
    run = f"{EDGECRNN} run /opt/edgecrnn/current/bundle.edgecrnn --source"
    other = board.guest.try_run(f"sudo {run} {OTHER} --size 333x222")
    assert other.returncode == 2
    assert f"{OTHER}: expected 333x222, got " in other.stderr
    busy = board.guest.try_run(f"sudo {run} /dev/video0 --size 1280x720")
    assert busy.returncode == 2
    assert "/dev/video0: expected" in busy.stderr and "no other program uses it" in busy.stderr
    none = board.guest.try_run(f"sudo {run} /dev/video7")
    assert "expected a camera, got nothing there; there are /dev/video0, /dev/video1" in none.stderr


def test_a_camera_that_freezes_gives_no_stale_frame(board: Watched) -> None:
    board.show("red")
    board.wait_for("red")
    board.control("percentage_of_dropped_buffers=100")
    # What was on its way arrives.
    time.sleep(2)
    board.show("blue")
    before = board.count()
    time.sleep(14)
    assert board.count() == before
    board.control("percentage_of_dropped_buffers=0")
    board.wait_for("blue")
    assert without_unknown(board.labels(before)) == {"blue"}
    assert "/dev/video0: expected a frame within 10 s, got none" in board.log()


def test_unplugged_by_the_drivers_control_and_plugged_in_again(board: Watched) -> None:
    board.show("green")
    board.wait_for("green")
    told = board.log().count("it is back")
    # It stays away for as long as somebody else holds the device that is gone.
    hold = f'sudo python3 -c "{_HOLDS}; time.sleep(16)" & sleep 3; '
    board.guest.run(hold + "v4l2-ctl -d /dev/video0 -c disconnect=1; wait")
    board.guest.until(lambda: board.log().count("it is back") > told)
    back = board.log().rpartition("it is back: ")[2]
    assert back.startswith(f"{PIXELS} {SIZE}, {RATE} frames/s stated")
    before = board.count()
    board.show("red")
    board.wait_for("red")
    assert board.count() > before


def test_a_device_that_is_taken_away_and_brought_again(board: Watched) -> None:
    """The node itself goes, as a USB plug's does; the driver begins with its own picture."""
    told = board.log().count("it is back")
    pid = board.guest.property("MainPID")
    unbind = "echo vivid.0 | sudo tee /sys/bus/platform/drivers/vivid/{} >/dev/null"
    board.guest.run(unbind.format("unbind"))
    time.sleep(4)
    assert board.guest.try_run("test -e /dev/video0").returncode
    before = board.count()
    board.guest.run(unbind.format("bind"))
    board.guest.until(lambda: board.guest.try_run("test -w /dev/video0").returncode == 0)
    board.guest.run("v4l2-ctl -d /dev/video0 -c test_pattern=9 -c osd_text_mode=2")
    board.guest.until(lambda: board.log().count("it is back") > told)
    board.wait_for("blue")
    assert board.count() > before
    # Neither the run nor its supervisor was started again for it.
    assert board.guest.property("MainPID") == pid
    assert board.guest.property("NRestarts") == "0"
