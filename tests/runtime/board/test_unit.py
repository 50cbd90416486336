"""The systemd units, held against systemd's own tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgecrnn.runtime.board import unit
from edgecrnn.runtime.errors import EdgecrnnError

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not here: apt install systemd",
)
ROOT = "/opt/edgecrnn"


def system(folder: Path, *devices: str) -> Path:
    """A system's files, with the units and what they start."""
    units = folder / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / unit.SERVICE).write_text(unit.service_unit(ROOT, devices=devices or ("camera",)))
    (units / unit.ROLLBACK).write_text(unit.rollback_unit(ROOT, "pi"))
    programs = [f"{ROOT}/{link}/environment/bin/python" for link in ("current", "previous")]
    for program in (*programs, "/bin/systemctl", "/bin/kill"):
        file = Path(f"{folder}{program}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    for target in ("sysinit", "basic", "network", "time-sync", "multi-user", "shutdown"):
        (units / f"{target}.target").write_text("[Unit]\nDescription=a target\n")
    return units


def verify(folder: Path, *names: str) -> str:
    words = ["systemd-analyze", "verify", "--man=no", f"--root={folder}", *names]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return f"{done.stderr}{done.stdout}" + (f"code {done.returncode}" if done.returncode else "")


@needs_systemd
@pytest.mark.parametrize("devices", [("camera",), tuple(unit.DEVICES)])
def test_systemd_has_nothing_to_say_against_the_units(
    tmp_path: Path, devices: tuple[str, ...]
) -> None:
    system(tmp_path, *devices)
    said = verify(tmp_path, unit.SERVICE, unit.ROLLBACK)
    # Of units that the made-up system lacks there is nothing to learn.
    said = "\n".join(line for line in said.splitlines() if "edgecrnn" in line or "code" in line)
    assert said == ""


@needs_systemd
def test_systemd_would_have_something_to_say_against_a_wrong_line(tmp_path: Path) -> None:
    units = system(tmp_path)
    file = units / unit.SERVICE
    file.write_text(file.read_text().replace("LockPersonality=yes", "LockPersonalty=yes"))
    assert "LockPersonalty" in verify(tmp_path, unit.SERVICE)


@needs_systemd
@pytest.mark.parametrize(
    ("name", "devices", "most"),
    [
        (unit.SERVICE, ("camera",), 1.5),
        (unit.SERVICE, tuple(unit.DEVICES), 1.7),
        (unit.ROLLBACK, ("camera",), 0.9),
    ],
)
def test_systemd_scores_the_exposure(
    tmp_path: Path, name: str, devices: tuple[str, ...], most: float
) -> None:
    file = system(tmp_path, *devices) / name
    # The threshold is ten times the score; a higher one ends with a code.
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    words += [f"--threshold={round(most * 10)}", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    found = re.search(r"exposure level for .*: ([\d.]+)", done.stdout)
    assert found is not None and float(found[1]) <= most


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not here")
def test_the_service_has_a_user_of_its_own_in_the_devices_groups(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nvideo:x:44:pi\n")
    folder = tmp_path / "usr/lib/sysusers.d"
    folder.mkdir(parents=True)
    (folder / unit.SYSUSERS).write_text(unit.sysusers())
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], check=True, capture_output=True)
    assert re.search(r"(?m)^edgecrnn:.*:/var/lib/edgecrnn:.*nologin$", read(tmp_path, "passwd"))
    assert "video:x:44:edgecrnn,pi" in read(tmp_path, "group")
    assert re.search(r"(?m)^render:.*:edgecrnn$", read(tmp_path, "group"))


def read(folder: Path, name: str) -> str:
    return (folder / "etc" / name).read_text()


def test_the_service_goes_through_the_link_that_a_switch_changes() -> None:
    text = unit.service_unit("/srv/eyes", "eyes")
    assert "ExecStart=/srv/eyes/current/environment/bin/python -I -m edgecrnn.runtime.board" in text
    assert "User=eyes\n" in text
    assert "ReadWritePaths" not in text


def test_only_a_driver_that_writes_code_may() -> None:
    assert "MemoryDenyWriteExecute=yes" in unit.service_unit(ROOT, devices=("camera", "usb"))
    assert "MemoryDenyWriteExecute" not in unit.service_unit(ROOT, devices=("camera", "gpu"))


def test_only_the_devices_asked_for_are_allowed() -> None:
    text = unit.service_unit(ROOT, devices=("camera",))
    assert "DeviceAllow=char-video4linux rw" in text
    assert "char-usb_device" not in text
    assert "DeviceAllow=char-usb_device rw" in unit.service_unit(ROOT, devices=("camera", "usb"))


def test_every_line_of_hardening_has_its_reason_above_it() -> None:
    text = unit.service_unit(ROOT)
    for option in ("NoNewPrivileges=yes", "ProtectSystem=strict", "DevicePolicy=closed"):
        assert re.search(rf"(?m)^# .+\n{option}$", text)


@pytest.mark.parametrize(
    "root",
    [
        "opt/edgecrnn",
        "/opt/edge crnn",
        "/opt/100%",
        "/opt/%h",
        "/opt/$HOME",
        "/opt/a\nExecStart=/bin/sh",
        "/opt/a\n",
        '/opt/"a',
        "/opt/../root",
        "/opt//a",
        "/",
        "",
        "/home/pi/.local/share/edgecrnn",
        "/tmp/edgecrnn",
        "/root",
    ],
)
def test_a_root_that_cannot_stand_in_a_unit_is_refused(root: str) -> None:
    with pytest.raises(EdgecrnnError, match=r"root: expected .*, got .*; take /opt/edgecrnn"):
        unit.service_unit(root)
    with pytest.raises(EdgecrnnError, match="root: expected"):
        unit.rollback_unit(root, "pi")


@pytest.mark.parametrize("user", ["", "Pi", "pi\nUser=root", "-pi", "a" * 32, "p i", "%u", "pi\n"])
def test_a_user_that_cannot_stand_in_a_unit_is_refused(user: str) -> None:
    for made in (
        lambda: unit.service_unit(ROOT, user),
        lambda: unit.rollback_unit(ROOT, user),
        lambda: unit.sysusers(user),
    ):
        with pytest.raises(EdgecrnnError, match="user: expected a name of small letters"):
            made()


def test_a_kind_of_device_that_is_none_is_refused() -> None:
    with pytest.raises(EdgecrnnError, match="devices: expected some of camera, gpu, usb, npu"):
        unit.service_unit(ROOT, devices=("camera", "../dev/mem"))
