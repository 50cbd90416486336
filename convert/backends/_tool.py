"""Runs a compiler in a process of its own: its crash and its errors become sentences."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

# A network of this size compiles in seconds; one that takes this long hangs.
_SECONDS = 600
# How compilers begin a line that says they failed, whatever code they exit with.
_ERROR = re.compile(
    r"\W*([\w.]*(Error|Exception)\b|ERROR\b|error:|[Ii]nternal (compiler )?error|Invalid model)"
)
_MOST = 300


@dataclass(frozen=True)
class Said:
    """What a process printed, and how it ended (negative: killed by that signal)."""

    code: int
    out: str
    errors: str


def run_tool(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Said:
    """Run `command` where we are, with `environment` added to this process's.

    Raises:
        EdgecrnnError: the command cannot be started or does not end.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise EdgecrnnError(
            f"{name}: expected it to end within {_SECONDS} s, got nothing; run it by hand: "
            f"{' '.join(command)}"
        ) from error
    except OSError as error:
        raise EdgecrnnError(f"{name}: could not be started ({error.strerror})") from error
    return Said(
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )


def require(said: Said, tool: str) -> None:
    """Refuse a run that crashed, exited with an error code, or printed an error and exited with 0.

    Raises:
        EdgecrnnError: with the tool's own words.
    """
    errors = [line.strip() for line in _lines(said) if _ERROR.match(line)]
    if said.code == 0 and not errors:
        return
    lines = [line.strip() for line in _lines(said)]
    words = (errors[-1:] or lines[-1:] or ["no message"])[0][:_MOST]
    if said.code < 0:
        ended = f"was killed by {signal.Signals(-said.code).name}"
    elif said.code:
        ended = f"ended with code {said.code}"
    else:
        ended = "printed an error"
    raise EdgecrnnError(f"{tool}: expected a compiled model, but it {ended}: {words}")


def _lines(said: Said) -> list[str]:
    return [line for line in (said.out + "\n" + said.errors).splitlines() if line.strip()]
