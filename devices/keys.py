"""The keys that bundles are signed with: Ed25519, one file a key in the person's configuration."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sync_file, sync_folder, write_file
from edgecrnn.runtime.settings import nearest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PUBLIC = re.compile(r"([0-9a-f]{64})(?: ([^\n]{0,100}))?\n?")
# A key's file is 119 bytes, its public half at most 166.
_MOST_BYTES = 4096


@dataclass(frozen=True)
class Key:
    """A key of this person: its public half in hexadecimal, and the file of the private one."""

    name: str
    public: str
    file: Path


def keys_folder() -> Path:
    """Where this person's keys lie (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification has paths that are not absolute ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    return root / "edgecrnn" / "keys"


def new_key(name: str = DEFAULT, folder: Path | None = None) -> Key:
    """Make a key; one that is there is never replaced, since boards may trust it alone.

    Raises:
        EdgecrnnError: the name cannot be a file's, the key exists, or it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    file = _file(name, folder)
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(file, pem)
    except FileExistsError as error:
        raise EdgecrnnError(
            f"{file}: expected no key of the name {name!r} yet, got one; choose another name"
        ) from error
    except OSError as error:
        raise EdgecrnnError(f"{file}: could not be written ({error.strerror})") from error
    key = Key(name, _public(private), file)
    write_file(file.with_name(f"{name}.pub"), f"{key.public} {name}\n".encode())
    return key


def load_key(name: str = DEFAULT, folder: Path | None = None) -> tuple[Key, Ed25519PrivateKey]:
    """A key and its private half.

    Raises:
        EdgecrnnError: there is none of that name, others may read it, or it is damaged.
    """
    file = _file(name, folder)
    private = _read_private(file)
    return Key(name, _public(private), file), private


def list_keys(folder: Path | None = None) -> list[Key]:
    """The keys of this person by name; none where no folder is."""
    where = folder or keys_folder()
    found = sorted(where.glob("*.key")) if where.is_dir() else []
    return [load_key(file.stem, where)[0] for file in found if _NAME.fullmatch(file.stem)]


def read_public(file: Path) -> str:
    """The public half in hexadecimal, of the .pub file that somebody gave.

    Raises:
        EdgecrnnError: it cannot be read, or is something else; a private key is named as such.
    """
    data = _read(file)
    if b"PRIVATE KEY" in data:
        raise EdgecrnnError(
            f"{file}: expected a public key, got a private one; give {file.stem}.pub instead, "
            "and let the private one go nowhere"
        )
    found = _PUBLIC.fullmatch(data.decode("utf-8", "replace"))
    if found is None:
        raise EdgecrnnError(
            f"{file}: expected a public key (64 hexadecimal digits and a name), got something "
            "else; take the .pub file that edgecrnn keys new wrote"
        )
    return found[1]


def _file(name: str, folder: Path | None) -> Path:
    if not _NAME.fullmatch(name):
        raise EdgecrnnError(
            f"name: expected letters, digits, dot, dash and underscore for a key, got {name!r}"
        )
    # Not with_suffix: a name may hold a dot.
    return (folder or keys_folder()) / f"{name}.key"


def _write_private(file: Path, pem: bytes) -> None:
    """Whole and readable by nobody else from its first byte on; FileExistsError where one is."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(pem)
        sync_file(beside)
        # Unlike a rename, a link never replaces what has the name.
        os.link(beside, file)
        sync_folder(file.parent)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def _read_private(file: Path) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not file.exists():
        there = sorted(each.stem for each in file.parent.glob("*.key"))
        known = f"one of {', '.join(there)}" if there else "a key"
        raise EdgecrnnError(
            f"{file}: expected {known}, got none of that name{nearest(file.stem, there)}; "
            "make one with edgecrnn keys new"
        )
    data = _read(file)
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise EdgecrnnError(
            f"{file}: expected a key that only you can read, got one that others can; "
            f"chmod 600 {file}, or make a new one if somebody else was on this machine"
        )
    try:
        private = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EdgecrnnError(
            f"{file}: expected an Ed25519 private key, got something else ({error}); "
            "bring it back from where you keep a copy, or make a new one"
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise EdgecrnnError(f"{file}: expected an Ed25519 key, got another kind; make a new one")
    return private


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError as error:
        raise EdgecrnnError(f"{file}: expected a key, got {error.strerror}") from error


def _public(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()
