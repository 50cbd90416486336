"""Calls of the board's agent (`edgecrnn.runtime.board`), which runs in a release's environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecrnn.devices.environment import last_json
from edgecrnn.devices.probe import ROOT
from edgecrnn.devices.ssh import Ran, Shell
from edgecrnn.runtime.errors import EdgecrnnError

# Where the service's user can read it, unlike a home.
SERVICE_ROOT = "/opt/edgecrnn"
_NOT_FOUND = (126, 127)
_CURRENT = "current/environment"
# The first folder in which a release runs; $HOME is known on the board alone.
_FIND = """count=$1; shift
while [ "$count" -gt 0 ]; do
  root=$1; shift; count=$((count - 1))
  case $root in '~/'*) root=$HOME/${root#'~/'};; esac
  if [ -x "$root/current/environment/bin/python" ]; then found=$root; break; fi
done
while [ "$count" -gt 0 ]; do shift; count=$((count - 1)); done
[ -n "$found" ] || exit 127
exec "$found/current/environment/bin/python" -I -m edgecrnn.runtime.board --root "$found" "$@"
"""


@dataclass(frozen=True)
class Agent:
    """The agent in one of the board's environments.

    Attributes:
        shell: the board.
        root: edgecrnn's folder there, an absolute path.
        environment: folder of the environment, relative to the root.
    """

    shell: Shell
    root: str
    environment: str = _CURRENT

    def words(self, *command: str) -> list[str]:
        """What is run on the board."""
        python = f"{self.root}/{self.environment}/bin/python"
        return [python, "-I", "-m", "edgecrnn.runtime.board", "--root", self.root, *command]

    def text(self, *command: str) -> str:
        """The same as a person would type it there."""
        return shlex.join(self.words(*command))

    def call(self, *command: str, stdin: bytes = b"", seconds: float = 120) -> dict[str, Any]:
        """Its answer.

        Raises:
            EdgecrnnError: what it refuses, in its own sentence; or there is no agent.
        """
        return _answer(self.shell, self.shell.run(self.words(*command), stdin, seconds), command)


def status_of_current(shell: Shell, root: str) -> Mapping[str, Any] | None:
    """How the release does that runs in `root`; None where none runs, or its agent is broken."""
    try:
        return Agent(shell, root).call("status")
    except _NoAgentError:
        return None


def call_current(
    shell: Shell, root: str, command: Sequence[str], seconds: float = 120
) -> dict[str, Any]:
    """Call the agent of the release that runs, wherever it lives.

    Args:
        shell: the board.
        root: edgecrnn's folder there; where it is empty, the service's and the person's own.
        command: of the agent, with its arguments.
        seconds: to wait for its answer.

    Raises:
        EdgecrnnError: what it refuses; or no release runs there.
    """
    roots = [root] if root else [SERVICE_ROOT, ROOT]
    words = ["sh", "-c", _FIND, "sh", str(len(roots)), *roots, *command]
    ran = shell.run(words, seconds=seconds)
    if ran.code in _NOT_FOUND:
        raise EdgecrnnError(
            f"{shell.name}: expected a release in {' or '.join(roots)}, got none; "
            "bring one there with edgecrnn flash, or name its folder with --root"
        )
    return _answer(shell, ran, command)


class _NoAgentError(EdgecrnnError):
    """There is nobody who answers."""


def _answer(shell: Shell, ran: Ran, command: Sequence[str]) -> dict[str, Any]:
    answer = last_json(ran)
    if answer is None or (ran.code and "error" not in answer):
        got = (ran.err.strip().splitlines() or [f"exit code {ran.code}"])[-1]
        raise _NoAgentError(
            f"{shell.name}: expected the board's edgecrnn to {command[0]}, got {got!r}; flash again"
        )
    if "error" in answer:
        raise EdgecrnnError(f"{shell.name}: {answer['error']}")
    return answer
