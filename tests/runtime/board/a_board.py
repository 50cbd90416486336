"""A folder as a board: real environments, real signatures, and the agent as it is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import edgecrnn
from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.release import Release
from edgecrnn.runtime.files import file_sha256
from edgecrnn.runtime.signature import sign

ENVIRONMENT = "e" * 16
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"7" * 32)


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


class ABoard:
    """Its root is empty but for an environment that imports what this test imports."""

    def __init__(self, root: Path):
        self.board = Board(root)
        make_environment(self.board)

    def send(
        self,
        bundle: Path,
        run: Sequence[str] = (),
        key: Ed25519PrivateKey = KEY,
        budget_ms: float | None = None,
    ) -> str:
        """What the workstation does: bundle, signature and release.json in incoming."""
        digest = file_sha256(bundle)
        release = Release(bundle.stem, digest, ENVIRONMENT, tuple(run), budget_ms)
        folder = self.board.incoming(release.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bundle.edgecrnn").write_bytes(bundle.read_bytes())
        (folder / "bundle.edgecrnn.sig").write_bytes(sign(bundle, key))
        (folder / "release.json").write_bytes(release.to_bytes())
        return release.id

    def words(self, *words: str) -> list[str]:
        python = str(self.board.environment(ENVIRONMENT) / "bin" / "python")
        return [
            python,
            "-I",
            "-m",
            "edgecrnn.runtime.board",
            "--root",
            str(self.board.root),
            *words,
        ]

    def ask(
        self, *words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The agent's answer; an error is one of its answers."""
        done = subprocess.run(
            self.words(*words),
            input=stdin,
            capture_output=True,
            timeout=200,
            env={**os.environ, **(environment or {})},
        )
        assert done.returncode in (0, 2), done.stderr.decode()
        answer: dict[str, Any] = json.loads(done.stdout)
        assert ("error" in answer) == (done.returncode == 2)
        return answer

    def install(self, bundle: Path, run: Sequence[str] = ()) -> str:
        """Send and install."""
        name = self.send(bundle, run)
        answer = self.ask("install", name, "--pin", public(KEY))
        assert answer.get("installed") is True, answer
        return name

    def switch(self, name: str, *flags: str) -> dict[str, Any]:
        """Switch, and wait for what becomes of it."""
        answer = self.ask("switch", name, *flags)
        assert "switching" in answer, answer
        return self.ask("outcome", name, "--wait", "150")

    def running(self) -> str | None:
        """Id of the release that `current` leads to, which is whole."""
        name = self.board.linked(self.board.current)
        if name is not None:
            assert self.board.read_release(name).id == name
            bundle = self.board.release(name) / "bundle.edgecrnn"
            assert file_sha256(bundle) == self.board.read_release(name).bundle
        return name

    def wait(self, until: str, value: Any = True) -> dict[str, Any]:
        """The status, once it says so."""
        end = time.monotonic() + 100
        while (status := self.ask("status"))[until] != value:
            assert time.monotonic() < end, (until, status, self.ask("logs"))
            time.sleep(0.1)
        return status

    def close(self) -> None:
        self.ask("stop")


def make_environment(board: Board, name: str = ENVIRONMENT) -> None:
    """A virtual environment in a moment: pyvenv.cfg, the interpreter, a .pth to what is here."""
    folder = board.environment(name)
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n"
    )
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = folder / "lib" / short / "site-packages"
    packages.mkdir(parents=True)
    there = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    source = Path(edgecrnn.__file__).parent.parent
    lines = [str(source), *(f"import site; site.addsitedir({path!r})" for path in set(there))]
    (packages / "here.pth").write_text("\n".join(lines) + "\n")
    (folder / "complete").touch()
