"""A small disk of its own that is nearly full, and commands that write to it.

Nobody needs to be root: a child process gets a mount namespace, mounts a tmpfs that only it sees,
and calls the command line there. One child serves all tests, so that TensorFlow loads once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

SIZE = 32 * 1024 * 1024
_MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && shift 2 && exec "$@"'


@dataclass(frozen=True)
class Ended:
    """How a command ended; trees are relative paths with the SHA-256 of files, "" for folders."""

    code: int
    told: str  # standard output
    said: str  # standard error
    before: dict[str, str]
    after: dict[str, str]

    @property
    def sentence(self) -> str:
        """The last line on standard error."""
        return self.said.rstrip("\n").rpartition("\n")[2].rpartition("\r")[2]

    def refused(self) -> bool:
        """Code 2 and one sentence; what was there is there, and no half of anything hides."""
        assert self.code == 2, self.said
        assert "Traceback" not in self.said
        assert self.sentence.startswith("edgecrnn: "), self.said
        assert self.before.items() <= self.after.items()
        assert not [name for name in self.new if "/." in f"/{name}"]
        return True

    @property
    def new(self) -> set[str]:
        """What was not there before."""
        return set(self.after) - set(self.before)


class FullDisk:
    """The child process and its disk; `folder` exists only there.

    Raises:
        OSError: nothing can be mounted here, with the reason.
    """

    def __init__(self, place: Path):
        self.folder = place / "disk"
        place.mkdir(parents=True)
        reasons = []
        for namespace in (["unshare", "-rm"], ["unshare", "-m"]):
            shell = [*namespace, "sh", "-c", _MOUNT, "sh", str(SIZE), str(place)]
            try:
                tried = subprocess.run([*shell, "true"], capture_output=True, text=True)
            except FileNotFoundError:
                raise OSError("there is no unshare") from None
            if tried.returncode == 0:
                break
            reasons.append(tried.stderr.strip())
        else:
            raise OSError("; ".join(reasons))
        self._process = subprocess.Popen(
            [*shell, sys.executable, __file__, str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: object, free: int, content: Path | None = None) -> Ended:
        """Run a command where `free` bytes are left beside a copy of `content`."""
        asked = self._ask(
            words=[str(word) for word in words], free=free, content=str(content or "")
        )
        return Ended(**asked)

    def again(self, *words: object) -> Ended:
        """Run a command on what the one before left, where there is room."""
        return Ended(**self._ask(words=[str(word) for word in words]))

    def read(self, name: str) -> bytes:
        """A file as the last command left it."""
        return bytes.fromhex(self._ask(read=name)["content"])

    def close(self) -> None:
        """End the child; its disk goes with it."""
        self._process.communicate()

    def _ask(self, **asked: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the child ended with {self._process.wait()}"
        return json.loads(answer)


def _tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        )
        for path in sorted(folder.rglob("*"))
    }


def _fill(folder: Path, free: int) -> None:
    """Take all but `free` bytes, to the page."""
    room = os.statvfs(folder)
    with (folder / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, room.f_bavail * room.f_frsize - free)


def _main(words: Sequence[str]) -> tuple[int, str, str]:
    """The command line in this process: (exit code, standard output, standard error)."""
    from edgecrnn.cli import main

    kept = [os.dup(1), os.dup(2)]
    files = [os.memfd_create("out"), os.memfd_create("err")]
    os.dup2(files[0], 1)
    os.dup2(files[1], 2)
    try:
        code = main(words)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    texts = []
    for file, number, old in zip(files, (1, 2), kept, strict=True):
        os.dup2(old, number)
        os.close(old)
        texts.append(os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace"))
        os.close(file)
    return code, texts[0], texts[1]


def _serve(folder: Path, asked: TextIO, answers: TextIO) -> None:
    for line in asked:
        request = json.loads(line)
        if "read" in request:
            answer = {"content": (folder / request["read"]).read_bytes().hex()}
            print(json.dumps(answer), file=answers, flush=True)
            continue
        (folder.parent / "ballast").unlink(missing_ok=True)
        if "free" in request:
            shutil.rmtree(folder, ignore_errors=True)
            if request["content"]:
                shutil.copytree(request["content"], folder, symlinks=True)
            folder.mkdir(exist_ok=True)
            _fill(folder.parent, request["free"])
        before = _tree(folder)
        code, told, said = _main(request["words"])
        ended = Ended(code, told, said, before, _tree(folder))
        print(json.dumps(asdict(ended)), file=answers, flush=True)


if __name__ == "__main__":
    answering = os.fdopen(os.dup(1), "w")
    _serve(Path(sys.argv[1]), sys.stdin, answering)
