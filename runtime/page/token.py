"""The token that opens the page to other machines: made once, kept in a file of this user alone."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,200}")


def token_file(named: str) -> Path:
    """Where the token is kept: what was named, a service's state folder, or the user's."""
    if named:
        return Path(named)
    if service := os.environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(service) / "page-token"
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "edgecrnn" / "page-token"


def kept_token(path: Path) -> tuple[str, bool]:
    """(the token, whether it was made just now).

    Raises:
        EdgecrnnError: it cannot be kept, others can read it, or it is none.
    """
    try:
        if not path.exists():
            _make(path)
            return _read(path), True
        return _read(path), False
    except OSError as error:
        raise EdgecrnnError(
            f"{path}: expected a file to keep the page's token in, got {error.strerror!r}; "
            "name another with --serve-token"
        ) from error


def same(given: str, token: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return secrets.compare_digest(given.encode(errors="replace"), token.encode())


def _read(path: Path) -> str:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise EdgecrnnError(
                f"{path}: expected a file that its owner alone may read, got mode {mode:04o}; "
                f"run chmod 600 {path}, or delete it to have a new token made"
            )
        text = file.read(1000).decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(text):
        raise EdgecrnnError(
            f"{path}: expected a token of 22 to 200 letters, digits, - and _, got something else; "
            "delete it to have a new one made"
        )
    return text


def _make(path: Path) -> None:
    """Write a new one, whole or not at all; where another process was first, its own stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        except OSError:
            # A file system without hard links.
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
