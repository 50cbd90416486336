"""The environment that a release runs in, made on the board from wheels by their hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from edgecrnn.devices.ssh import Ran, SshShell
from edgecrnn.devices.transfer import send
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256

# An SD card writes the 290 MB of an environment in some minutes; another flash may come first.
_PATIENCE = 3600.0  # s
# Somebody else's flash may clear what was sent; then it is sent again.
_ROUNDS = 3
_OWN = "edgecrnn-"


@dataclass(frozen=True)
class Wheel:
    """A wheel as the board is told of it: `sent` from here, or else fetched from its index."""

    name: str
    sha256: str
    size: int
    sent: bool


@dataclass(frozen=True)
class Made:
    """What became of an environment: whether it had to be made, and the bytes that were sent."""

    made: bool
    sent: int


def listed(wheels: Mapping[str, Path], offline: bool) -> list[Wheel]:
    """The wheels with their hashes; edgecrnn's own is in no index, so it is always sent."""
    return [
        Wheel(name, file_sha256(path), path.stat().st_size, offline or name.startswith(_OWN))
        for name, path in sorted(wheels.items())
    ]


def make_environment(
    shell: SshShell, root: str, name: str, wheels: Mapping[str, Path], offline: bool
) -> Made:
    """Have the environment complete on the board; where it is, nothing is done.

    Args:
        shell: the board.
        root: edgecrnn's folder there, an absolute path.
        name: the environment's id.
        wheels: all that it is made of, by their file names.
        offline: send every wheel, so that the board needs no network.

    Raises:
        EdgecrnnError: it cannot be made; what was sent stays, and the next call goes on from there.
    """
    wanted, sent = listed(wheels, offline), 0
    words = [root, name, json.dumps([asdict(wheel) for wheel in wanted])]
    words.append("sent" if offline else "index")
    for _ in range(_ROUNDS):
        answer = _asked(shell, words)
        if "missing" not in answer:
            return Made(bool(answer["made"]), sent)
        files = [wheels[name] for name in answer["missing"]]
        sent += send(shell, files, f"{root}/incoming/wheels/{name}")
    raise EdgecrnnError(
        f"{shell.name}: expected the wheels to stay where they were sent to, got them removed; "
        "see that nobody else flashes the board, and start again"
    )


def _asked(shell: SshShell, words: list[str]) -> Mapping[str, Any]:
    script = (resources.files(__package__) / "_environment_script.py").read_bytes()
    ran = shell.run(["python3", "-", *words], stdin=script, seconds=_PATIENCE)
    answer = last_json(ran)
    if answer is None:
        got = (ran.err.strip().splitlines() or [f"exit code {ran.code}"])[-1]
        raise EdgecrnnError(
            f"{shell.name}: expected its python3 to make an environment, got {got!r}; start again"
        )
    if "error" in answer:
        raise EdgecrnnError(f"{shell.name}: {answer['error']}")
    return answer


def last_json(ran: Ran) -> dict[str, Any] | None:
    """The object in the last line that a command printed; None where it is none."""
    last = (ran.out.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
    try:
        answer = json.loads(last)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
