"""fleet.toml: the boards, their groups, and what is set for all of them, for a group, for one."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.ssh import SshSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import from_mapping, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What is said once for a whole run, on the command line.
_OF_THE_RUN = ("bundle", "allow_downgrade", "dry_run", "key", "ssh")
SSH_KEYS = tuple(field.name for field in fields(SshSettings))
FLASH_KEYS = tuple(f.name for f in fields(FlashSettings) if f.name not in _OF_THE_RUN)
KEYS = (*FLASH_KEYS, *SSH_KEYS)
_PARTS = ("all", "groups", "hosts")
_OF_A_HOST = ("host", "groups")
# As ssh takes it; "@" and "-" at its front mean something else to programs.
_HOST = re.compile(r"[A-Za-z0-9_.\[][A-Za-z0-9_.@:%\[\]-]*")
_EXAMPLE = '[[hosts]] with host = "pi@board-1.local"'


@dataclass(frozen=True)
class Entry:
    """A board as the file has it: how ssh calls it, its groups, what is set for it alone."""

    host: str
    groups: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class FleetFile:
    """What stands in the file; nothing is merged yet.

    Attributes:
        path: of the file.
        everywhere: settings of every board.
        groups: settings by group, in the order of the file; a later group wins over an earlier.
        hosts: the boards in the order of the file; the first ones are the canaries.
    """

    path: Path
    everywhere: Mapping[str, Any]
    groups: Mapping[str, Mapping[str, Any]]
    hosts: tuple[Entry, ...]


def read_fleet_file(path: Path) -> FleetFile:
    """The file, every name and value checked.

    Raises:
        EdgecrnnError: it cannot be read, or something in it is unknown, out of its bounds, there
            twice, or missing.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected the file that lists the boards, got {error.strerror}; "
            "write one as docs/fleet.md shows"
        ) from error
    except ValueError as error:
        raise EdgecrnnError(f"{path}: expected TOML, got {error}; mend that line") from error
    _check_keys(values, _PARTS, str(path))
    groups = _table(values.get("groups", {}), f"{path}: groups")
    checked = {name: _settings(each, f"{path}: groups.{name}") for name, each in groups.items()}
    everywhere = _settings(values.get("all", {}), f"{path}: all")
    return FleetFile(path, everywhere, checked, _hosts(values.get("hosts"), checked, path))


def _hosts(values: Any, groups: Mapping[str, Any], path: Path) -> tuple[Entry, ...]:
    if not isinstance(values, list) or not values:
        got = "none" if not values else repr(values)
        raise EdgecrnnError(f"{path}: expected at least one board, got {got}; add {_EXAMPLE}")
    found: dict[str, Entry] = {}
    for number, each in enumerate(values, start=1):
        entry = _host(each, groups, f"{path}: board {number}")
        if entry.host in found:
            raise EdgecrnnError(
                f"{path}: expected every board once, got {entry.host!r} as board {number} and as "
                f"board {list(found).index(entry.host) + 1}; remove one"
            )
        found[entry.host] = entry
    return tuple(found.values())


def _host(value: Any, groups: Mapping[str, Any], where: str) -> Entry:
    values = _table(value, where)
    host = values.get("host")
    if host is None:
        _check_keys(values, (*_OF_A_HOST, *KEYS), where)
        raise EdgecrnnError(f"{where}: expected how ssh calls it, got none; add host = USER@HOST")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        raise EdgecrnnError(
            f"{where}: expected USER@HOST such as pi@raspberrypi.local as host, got {host!r}"
        )
    where = f"{where} ({host})"
    named = values.get("groups", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise EdgecrnnError(f"{where}: groups: expected a list of names, got {named!r}")
    for name in named:
        if name not in groups:
            known = ", ".join(groups) or "none is there; add [groups.NAME]"
            raise EdgecrnnError(
                f"{where}: groups: expected one of the file's groups ({known}), got {name!r}"
                f"{nearest(name, tuple(groups))}"
            )
    own = {key: one for key, one in values.items() if key not in _OF_A_HOST}
    return Entry(host, tuple(dict.fromkeys(named)), _settings(own, where, _OF_A_HOST))


def _settings(value: Any, where: str, also: Sequence[str] = ()) -> dict[str, Any]:
    """What is set in a table, as the settings' own types check it."""
    values = _table(value, where)
    _check_keys(values, (*also, *KEYS), where)
    flash = {key: one for key, one in values.items() if key in FLASH_KEYS}
    ssh = {key: one for key, one in values.items() if key in SSH_KEYS}
    read = {**_read(FlashSettings, flash, where), **_read(SshSettings, ssh, where)}
    return {key: read[key] for key in values}


def _read(cls: Any, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    made = from_mapping(cls, values, where)
    return {key: getattr(made, key) for key in values}


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise EdgecrnnError(f"{where}: expected a table of settings, got {value!r}")
    return value


def _check_keys(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in values:
        if key in _OF_THE_RUN and key not in known:
            raise EdgecrnnError(
                f"{where}: expected what a board may differ in ({', '.join(known)}), got {key!r}, "
                "which holds for all of them; give it on the command line"
            )
        if key not in known:
            raise EdgecrnnError(
                f"{where}: expected the keys {', '.join(known)}, got {key!r}{nearest(key, known)}"
            )
