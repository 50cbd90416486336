"""What V4L2 devices say of themselves; drivers are stood in for and answer as the kernel does."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgecrnn.runtime.v4l2 import Camera, Format, Ioctl, cameras, describe

QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A


def driver(
    capabilities: int, formats: dict[bytes, Sequence[tuple[int, ...]]], kind: int = 1
) -> Ioctl:
    """A driver's ioctl; a format's sizes are (width, height) or the six numbers of a range."""

    def ioctl(device: int, request: int, argument: bytearray) -> None:
        if request == QUERYCAP:
            struct.pack_into(
                "=16s32s32sIII", argument, 0, b"uvcvideo", b"Cam", b"usb", 0, 1 << 31, capabilities
            )
            return
        (index,) = struct.unpack_from("=I", argument)
        asked = struct.unpack_from("=I", argument, 4)[0]
        if request == ENUM_FMT and asked == kind and index < len(formats):
            argument[44:48] = list(formats)[index]
            return
        if request == ENUM_FRAMESIZES:
            sizes = formats[bytes(argument[4:8])]
            if index < len(sizes):
                size = sizes[index]
                struct.pack_into(f"=I{len(size)}I", argument, 8, 1 if len(size) == 2 else 3, *size)
                return
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    return ioctl


def test_a_webcam() -> None:
    told = driver(1, {b"MJPG": [(1280, 720), (640, 480)], b"YUYV": [(640, 480)]})
    assert describe("/dev/video0", "HD Webcam", -1, told) == Camera(
        "/dev/video0",
        "HD Webcam",
        (Format("MJPG", ("1280x720", "640x480")), Format("YUYV", ("640x480",))),
    )


def test_a_sensor_that_gives_any_size_in_planes() -> None:
    told = driver(0x1000, {b"NV12": [(32, 4056, 2, 32, 3040, 2)]}, kind=9)
    assert describe("/dev/video0", "", -1, told) == Camera(
        "/dev/video0", "Cam", (Format("NV12", ("32x32 to 4056x3040",)),)
    )


def test_what_captures_no_pictures_is_no_camera() -> None:
    assert describe("/dev/video1", "metadata", -1, driver(0x00800000, {})) is None


def test_devices_come_by_number_and_one_that_cannot_be_asked_says_why(tmp_path: Path) -> None:
    for name in ("video10", "video2", "videoX"):
        (tmp_path / name).write_bytes(b"")
    sysfs = tmp_path / "sys"
    (sysfs / "video2").mkdir(parents=True)
    (sysfs / "video2" / "name").write_text("Webcam\n")
    found = cameras(tmp_path, sysfs)
    assert [(c.path, c.name) for c in found] == [
        (str(tmp_path / "video2"), "Webcam"),
        (str(tmp_path / "video10"), ""),
    ]
    # A file answers no V4L2 question.
    assert found[0].error == os.strerror(errno.ENOTTY).lower()


def test_a_device_that_may_not_be_opened_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "video0").write_bytes(b"")

    def refuse(*args: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("os.open", refuse)
    assert cameras(tmp_path, tmp_path)[0].error == "permission denied"
