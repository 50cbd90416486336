"""`.ci/setup` on machines that lack something; each stand-in is a Python that lacks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def setup(root: Path, tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / ".ci" / "setup")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHON": python, "VENV": str(tmp_path / "venv")},
    )


def stand_in(tmp_path: Path, body: str) -> str:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_no_python(root: Path, tmp_path: Path) -> None:
    done = setup(root, tmp_path, "python-that-is-not-there")
    assert done.returncode == 2 and not done.stdout
    assert "got no such command; install python3 or name another" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_old_python(root: Path, tmp_path: Path) -> None:
    old = stand_in(tmp_path, '[ "$1" = -V ] && echo Python 3.9.2 && exit; exit 1')
    done = setup(root, tmp_path, old)
    assert done.returncode == 2
    assert "expected Python 3.11 or later (Keras needs it), got Python 3.9.2" in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="stands on a Python that the setup accepts")
def test_a_debian_without_python3_venv(root: Path, tmp_path: Path) -> None:
    body = f'[ "$1" = -m ] && {{ mkdir -p "{tmp_path}/venv"; exit 1; }}; exec {sys.executable} "$@"'
    done = setup(root, tmp_path, stand_in(tmp_path, body))
    assert done.returncode == 2
    assert done.stderr.endswith("without venv's pip; apt install python3-venv\n")
    assert not (tmp_path / "venv").exists()
