"""A virtual machine with a disk of its own: a Debian kernel, this Python, and `guest.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from tests.vm.guest import check

import edgecrnn
from edgecrnn.runtime.board.layout import Board

_MODULES = (
    *("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"),
    "virtio_blk",
)
_INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in MODULES; do /bin/busybox insmod /modules/$module.ko; done
# The journal is written every second instead of every five: cuts need less waiting.
/bin/busybox mount -t ext4 -o commit=1 /dev/vda /board
for word in $(/bin/busybox cat /proc/cmdline); do
  case $word in mode=*) mode=${word#mode=};; esac
done
export PYTHONHOME=/python PYTHONPATH=/source PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH=/lib64
/python/bin/python /guest.py $mode /board/root
/bin/busybox umount /board
/bin/busybox poweroff -f
"""


class Machine:
    """Boots from a kernel package's files; each boot is a process.

    Args:
        kernel: folder that a linux-image package was unpacked in.
        folder: where the initial file system is made.
    """

    def __init__(self, kernel: Path, folder: Path):
        self.vmlinuz = next((kernel / "boot").glob("vmlinuz-*"))
        self.initrd = folder / "initrd"
        _make_initrd(kernel, self.initrd)

    def boot(self, disk: Path, mode: str) -> subprocess.Popen[str]:
        """Start it; its console is the process's standard output."""
        # Emulated: a machine that is itself virtual may offer a /dev/kvm that hangs.
        words = ["qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-nodefaults"]
        words += [
            "-no-reboot",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-kernel",
            str(self.vmlinuz),
        ]
        words += [
            "-initrd",
            str(self.initrd),
            "-append",
            f"console=ttyS0 quiet panic=-1 no_timer_check mode={mode}",
        ]
        words += ["-drive", f"file={disk},format=raw,if=virtio,cache=writeback"]
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip

    def say(self, disk: Path, mode: str, mark: str) -> str:
        """Boot, and give the console's line that begins with `mark`; the machine ends by itself."""
        done, _ = self.boot(disk, mode).communicate(timeout=300)
        lines = [line for line in done.splitlines() if line.startswith(mark)]
        assert lines, done[-2000:]
        return lines[0]

    def cut(self, disk: Path, mode: str, after: float) -> None:
        """Boot, and cut the power `after` seconds from when the flash has begun."""
        process = self.boot(disk, mode)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("BEGIN"):
                break
        time.sleep(after)
        process.kill()
        process.communicate()


def check_disk(disk: Path) -> str:
    """What a board that starts from this disk has: its journal is replayed, and no more."""
    subprocess.run(["e2fsck", "-p", disk], check=False, capture_output=True)
    with tempfile.TemporaryDirectory() as name:
        command = ["debugfs", "-R", f"rdump /root {name}", str(disk)]
        subprocess.run(command, check=True, capture_output=True)
        return check(Board(Path(name) / "root"))


def new_disk(path: Path, megabytes: int = 64) -> None:
    """An empty ext4."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True)


def _make_initrd(kernel: Path, initrd: Path) -> None:
    """busybox, the modules of the disk, and the Python that runs this, with what it links to."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("bin", "proc", "dev", "board", "modules", "lib64", "python/bin"):
            (root / folder).mkdir(parents=True)
        busybox = shutil.which("busybox")
        assert busybox is not None, "expected busybox, got none; apt install busybox-static"
        shutil.copy(busybox, root / "bin" / "busybox")
        for module in _MODULES:
            found = next((kernel / "lib" / "modules").rglob(f"{module}.ko"))
            shutil.copy(found, root / "modules" / f"{module}.ko")
        _copy_python(root)
        source = Path(edgecrnn.__file__).parent
        left = shutil.ignore_patterns("__pycache__", "train", "convert", "cli")
        shutil.copytree(source, root / "source" / "edgecrnn", ignore=left)
        shutil.copy(Path(__file__).with_name("guest.py"), root / "guest.py")
        (root / "init").write_text(_INIT.replace("MODULES", " ".join(_MODULES)))
        (root / "init").chmod(0o755)
        files = subprocess.run(["find", ".", "-print0"], cwd=root, check=True, capture_output=True)
        with initrd.open("wb") as out:
            subprocess.run(
                ["cpio", "--quiet", "--null", "-o", "-H", "newc"],
                cwd=root, input=files.stdout, stdout=out, check=True,
            )  # fmt: skip


def _copy_python(root: Path) -> None:
    python = Path(sys.executable).resolve()
    shutil.copy(python, root / "python" / "bin" / "python")
    library = Path(sysconfig.get_path("stdlib"))
    left = shutil.ignore_patterns(
        "__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter",
        "ensurepip", "lib2to3", "config-*", "asyncio", "unittest", "pydoc*", "distutils", "xml*",
        "sqlite3", "curses", "multiprocessing", "_tkinter*", "_sqlite3*", "_ssl*", "_hashlib*",
        "_curses*", "_codecs_*", "_test*", "_xx*", "readline*",
    )  # fmt: skip
    shutil.copytree(library, root / "python" / "lib" / library.name, ignore=left)
    kept = root / "python" / "lib" / library.name / "lib-dynload"
    for binary in (python, *kept.glob("*.so")):
        said = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
        for word in said.split():
            if word.startswith("/") and not (root / "lib64" / Path(word).name).exists():
                shutil.copy(word, root / "lib64" / Path(word).name)
