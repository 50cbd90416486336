"""What a systemd service needs on a board: folder, user and units, each only where it differs."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgecrnn.devices.agent import Agent, status_of_current
from edgecrnn.devices.probe import ROOT
from edgecrnn.devices.ssh import Ran, SshShell
from edgecrnn.runtime.board import unit
from edgecrnn.runtime.errors import EdgecrnnError

_UNITS = "/etc/systemd/system"
_USERS = f"/etc/sysusers.d/{unit.SYSUSERS}"
_NOT_FOUND = (126, 127)
Run = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Service:
    """What the board is to have.

    Attributes:
        root: edgecrnn's folder there.
        files: texts by their absolute paths.
    """

    root: str
    files: Mapping[str, str]


def wanted_service(root: str, owner: str, delegates: Sequence[str]) -> Service:
    """The files of a service.

    Args:
        root: edgecrnn's folder on the board.
        owner: who logs in and flashes.
        delegates: that the run may use; their devices are allowed.

    Raises:
        EdgecrnnError: the service could not see the folder, or a name cannot stand in a unit.
    """
    devices = unit.devices_for(delegates)
    return Service(
        root,
        {
            _USERS: unit.sysusers(),
            f"{_UNITS}/{unit.SERVICE}": unit.service_unit(root, devices=devices),
            f"{_UNITS}/{unit.ROLLBACK}": unit.rollback_unit(root, owner),
        },
    )


def folder_command(root: str, owner: str) -> list[str]:
    """Makes the folder, which belongs to who flashes; one that is there is left as it is."""
    return ["sudo", "-n", "install", "-d", "-m", "755", "-o", owner, root]


def check_owner(shell: SshShell, root: str, user: str) -> None:
    """Refuse a folder of somebody else's: the unit that takes releases back runs as its owner.

    Raises:
        EdgecrnnError: it belongs to another.
    """
    ran = shell.run(["stat", "-c", "%U", root])
    owner = ran.out.decode("utf-8", "replace").strip()
    if ran.code == 0 and owner != user:
        raise EdgecrnnError(
            f"{shell.name}: expected {root} to belong to {user}, who logs in, got {owner}'s; "
            f"log in as {owner}, or name another folder with --root"
        )


def differing(shell: SshShell, service: Service) -> list[str]:
    """Paths of the files that are missing on the board, or are others."""
    return [
        path
        for path, text in service.files.items()
        if (ran := shell.run(["cat", path])).code or ran.out != text.encode()
    ]


def commands(service: Service, differ: Sequence[str]) -> list[list[str]]:
    """What has the board take the service over, in its order."""
    found = []
    for path in differ:
        found.append(["tee", _staged(service, path)])
        found.append(["sudo", "-n", "install", "-D", "-m", "644", _staged(service, path), path])
    if _USERS in differ:
        found.append(["sudo", "-n", "systemd-sysusers", _USERS])
    if differ:
        found.append(["sudo", "-n", "systemctl", "daemon-reload"])
    found.append(["sudo", "-n", "systemctl", "enable", unit.SERVICE])
    return found


def take_over(shell: SshShell, service: Service, differ: Sequence[str], agent: Agent) -> str:
    """Write the files that differ, and have the service start at boot; gives what was done.

    A release that ran without a service, in the person's own folder, is stopped: it holds the
    camera.

    Raises:
        EdgecrnnError: sudo asks for a password or refuses, or systemd does.
    """
    for command in commands(service, differ):
        path = next((path for path in differ if command[-1] == _staged(service, path)), None)
        text = service.files[path].encode() if path and command[0] == "tee" else b""
        sudo(shell, command, text)
    agent.call("service", "systemd")
    stopped = _stop_plain(shell, service)
    names = ", ".join(path.rpartition("/")[2] for path in differ) or "enabled"
    return f"{names}{stopped}"


def start_command() -> list[str]:
    """Starts the service where it does not run; one that runs follows the switch by itself."""
    return ["sudo", "-n", "systemctl", "--no-block", "start", unit.SERVICE]


def sudo(shell: SshShell, command: Sequence[str], stdin: bytes = b"") -> None:
    """Run a command of which nobody answers a question.

    Raises:
        EdgecrnnError: it failed, with its own last words and the mend.
    """
    ran = shell.run(command, stdin=stdin)
    if ran.code:
        raise EdgecrnnError(f"{shell.name}: {_refused(command, ran)}")


def _refused(command: Sequence[str], ran: Ran) -> str:
    last = (ran.err.strip().splitlines() or [f"exit code {ran.code}"])[-1]
    if "password" in last or "terminal" in last:
        return (
            "expected sudo without a password, got it asking for one; allow it there "
            "(visudo: USER ALL=(ALL) NOPASSWD: ALL), or leave --service out"
        )
    if ran.code in _NOT_FOUND or "not found" in last:
        return f"expected {command[0]} on the board, got none; leave --service out"
    return f"expected {shlex.join(command)} to work, got {last}"


def _stop_plain(shell: SshShell, service: Service) -> str:
    """End a run that has no service, if there is one in another folder."""
    home = shell.run(["sh", "-c", f"cd {ROOT} && pwd"])
    folder = home.out.decode("utf-8", "replace").strip()
    if home.code or folder == service.root or status_of_current(shell, folder) is None:
        return ""
    stopped = Agent(shell, folder).call("stop").get("stopped")
    return f"; the one in {folder} was stopped" if stopped else ""


def _staged(service: Service, path: str) -> str:
    return f"{service.root}/{path.rpartition('/')[2]}"
