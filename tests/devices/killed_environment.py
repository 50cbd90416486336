"""Runs the script that makes environments, and kills it and its pip in the middle."""

import os
import signal
import subprocess
import sys
from typing import Any

if len(sys.argv) > 2 and sys.argv[1] == "-":
    sys.argv = sys.argv[1:]
    real = subprocess.run

    def run(words: Any, **more: Any) -> Any:
        """The virtual environment is made; then the power goes."""
        if "install" in words:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(words, **more)

    subprocess.run = run  # type: ignore[assignment]
    exec(compile(sys.stdin.read(), "script", "exec"))
else:
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
