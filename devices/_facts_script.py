"""Sent to a board on standard input of its python3, and run there: prints what it is as JSON.

Nothing but the standard library of Python 3.6, since this is what tells that a Python is too old.
It changes nothing on the board.
"""

import contextlib
import importlib
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LIBRARIES = {
    "vulkan": "libvulkan.so",
    "opencl": "libOpenCL.so",
    "edgetpu": "libedgetpu.so",
    "teflon": "libteflon.so",
    "vx": "libvx_delegate.so",
    "ethos-u": "libethosu_delegate.so",
}
PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "ai-edge-litert",
    "tflite-runtime",
    "edgecrnn",
)


def text(path: Path) -> str:
    """The file's text, or nothing."""
    try:
        with path.open("rb") as file:
            return file.read(65536).decode("utf-8", "replace")
    except OSError:
        return ""


def said(*words: str) -> str:
    """What a program prints, or nothing."""
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10)
        return done.stdout.decode("utf-8", "replace").strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def architecture() -> str:
    """What wheels call it: a 32-bit system may run on a 64-bit kernel."""
    machine = platform.machine()
    narrow = {"aarch64": "armv7l", "x86_64": "i686"}
    return narrow.get(machine, machine) if struct.calcsize("P") == 4 else machine


def libraries() -> Any:
    """Which delegate libraries the loader knows, or lie where vendors put theirs."""
    known = said("/sbin/ldconfig", "-p")
    places = [*Path("/usr/lib").glob("lib*.so*"), *Path("/usr/lib").glob("*-linux-gnu*/lib*.so*")]
    known += " ".join(map(str, places))
    return sorted(name for name, file in LIBRARIES.items() if file in known)


def packages() -> Any:
    """Versions of what is installed for this Python; importing OpenCV itself would take seconds."""
    found = {}  # type: Any
    try:
        metadata = importlib.import_module("importlib.metadata")
    except ImportError:
        return found
    for package in PACKAGES:
        # Broken metadata raises whatever it likes.
        with contextlib.suppress(Exception):
            found[package] = str(metadata.version(package))
    return found


def cameras() -> Any:
    """Video devices, each with the name that its driver gives."""
    return [
        "/dev/" + path.name + " (" + (text(path / "name").strip() or "no name") + ")"
        for path in sorted(Path("/sys/class/video4linux").glob("video*"))
    ]


def celsius() -> Any:
    """Of the hottest zone."""
    zones = [text(p).strip() for p in Path("/sys/class/thermal").glob("thermal_zone*/temp")]
    heats = [int(zone) / 1000 for zone in zones if re.match(r"^-?\d+$", zone)]
    return max(heats) if heats else None


def writable(folder: Path) -> Any:
    """Whether a folder can be made where `folder` is to be, and how many MB are free there."""
    while not folder.exists():
        folder = folder.parent
    good = folder.is_dir() and os.access(str(folder), os.W_OK | os.X_OK)
    # Root is allowed everything, on a read-only file system too.
    good = good and not os.statvfs(str(folder)).f_flag & os.ST_RDONLY
    return good, shutil.disk_usage(str(folder)).free // 1000000


def main(root: str) -> None:
    """Print the facts as one line of JSON."""
    folder = Path(root).expanduser().absolute()
    good, free = writable(folder)
    memory = re.search(r"MemTotal:\s+(\d+) kB", text(Path("/proc/meminfo")))
    features = re.search(r"^(?:Features|flags)\s*:\s*(.+)$", text(Path("/proc/cpuinfo")), re.M)
    flags = features.group(1).split() if features else []
    named = re.search(r'^PRETTY_NAME="?([^"\n]+)', text(Path("/etc/os-release")), re.M)
    tree = text(Path("/sys/firmware/devicetree/base/compatible"))
    try:
        glibc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        glibc = ""
    try:
        importlib.import_module("venv")
        importlib.import_module("ensurepip")
        venv = True
    except ImportError:
        venv = False
    facts = {
        "architecture": architecture(),
        "model": text(Path("/sys/firmware/devicetree/base/model")).rstrip("\0"),
        "compatible": [each for each in tree.split("\0") if each],
        "cores": os.cpu_count() or 1,
        "dot_product": bool({"asimddp", "avx512_vnni", "avx_vnni"} & set(flags)),
        "memory_mb": int(memory.group(1)) * 1024 // 1000000 if memory else 0,
        "root": str(folder),
        "writable": bool(good),
        "free_mb": free,
        "os": named.group(1) if named else platform.system(),
        "glibc": glibc.replace("glibc ", ""),
        "python": ".".join(map(str, sys.version_info[:3])),
        "venv": venv,
        "packages": packages(),
        "cameras": cameras(),
        "libraries": libraries(),
        "systemd": Path("/run/systemd/system").is_dir(),
        "rsync": shutil.which("rsync") is not None,
        "clock": time.time(),
        "celsius": celsius(),
        "user": os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid()),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1])
