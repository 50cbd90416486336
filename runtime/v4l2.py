"""What a V4L2 camera says of itself, asked without starting a stream: others may be using it."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# From linux/videodev2.h; the same on every architecture, as are the structures below.
_QUERYCAP, _ENUM_FMT, _ENUM_FRAMESIZES = 0x80685600, 0xC0405602, 0xC02C564A
_CAPTURE, _CAPTURE_PLANES = 0x1, 0x1000  # capabilities
_DEVICE_CAPS = 0x80000000
_TYPES = {_CAPTURE: 1, _CAPTURE_PLANES: 9}  # buffer types
_DISCRETE = 1
_MOST = 64  # formats, and sizes of each, that are asked for

Ioctl = Callable[[int, int, bytearray], object]


@dataclass(frozen=True)
class Format:
    """A pixel format by its four letters, with the sizes that the driver lists as WIDTHxHEIGHT."""

    pixels: str
    sizes: tuple[str, ...]


@dataclass(frozen=True)
class Camera:
    """A camera by its path; without formats where it may not be opened."""

    path: str
    name: str
    formats: tuple[Format, ...]
    error: str = ""


def cameras(
    folder: Path = Path("/dev"), sysfs: Path = Path("/sys/class/video4linux")
) -> list[Camera]:
    """Every device that captures pictures, in the order of their numbers."""
    numbers = [p.name.removeprefix("video") for p in folder.glob("video[0-9]*")]
    found = []
    for number in sorted(int(n) for n in numbers if n.isdecimal()):
        path = folder / f"video{number}"
        try:
            name = (sysfs / path.name / "name").read_text(errors="replace").strip()
        except OSError:
            name = ""
        camera = _ask(path, name)
        if camera is not None:
            found.append(camera)
    return found


def _ask(path: Path, name: str) -> Camera | None:
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return Camera(str(path), name, (), (error.strerror or str(error)).lower())
    try:
        return describe(str(path), name, device, _ioctl)
    finally:
        os.close(device)


def describe(path: str, name: str, device: int, ioctl: Ioctl) -> Camera | None:
    """The camera; None where the device captures no pictures (an encoder, a camera's metadata)."""
    answer = bytearray(104)
    try:
        ioctl(device, _QUERYCAP, answer)
    except OSError as error:
        return Camera(path, name, (), (error.strerror or str(error)).lower())
    capabilities, of_device = struct.unpack_from("=II", answer, 84)
    mine = of_device if capabilities & _DEVICE_CAPS else capabilities
    kind = next((kind for bit, kind in _TYPES.items() if mine & bit), None)
    if kind is None:
        return None
    card = bytes(answer[16:48]).split(b"\0")[0].decode(errors="replace")
    return Camera(path, name or card, tuple(_formats(device, kind, ioctl)))


def _formats(device: int, kind: int, ioctl: Ioctl) -> Iterator[Format]:
    for index in range(_MOST):
        answer = bytearray(struct.pack("=II", index, kind).ljust(64, b"\0"))
        try:
            ioctl(device, _ENUM_FMT, answer)
        except OSError:
            return
        code = bytes(answer[44:48])
        pixels = code.decode("ascii", errors="replace").strip()
        yield Format(pixels, tuple(dict.fromkeys(_sizes(device, code, ioctl))))


def _sizes(device: int, code: bytes, ioctl: Ioctl) -> Iterator[str]:
    for index in range(_MOST):
        answer = bytearray((struct.pack("=I", index) + code).ljust(44, b"\0"))
        try:
            ioctl(device, _ENUM_FRAMESIZES, answer)
        except OSError:
            return
        (shape,) = struct.unpack_from("=I", answer, 8)
        if shape == _DISCRETE:
            width, height = struct.unpack_from("=II", answer, 12)
            yield f"{width}x{height}"
            continue
        # Any size between two.
        least_w, most_w, _, least_h, most_h, _ = struct.unpack_from("=6I", answer, 12)
        yield f"{least_w}x{least_h} to {most_w}x{most_h}"
        return


def _ioctl(device: int, request: int, argument: bytearray) -> object:
    return fcntl.ioctl(device, request, argument, True)
