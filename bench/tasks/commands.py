"""The `edgecrnn` commands, as a person gives them."""

from __future__ import annotations

import subprocess
import sys


def edgecrnn(*words: str) -> None:
    """Run one in this environment.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    subprocess.run([sys.executable, "-m", "edgecrnn", *words], check=True)
