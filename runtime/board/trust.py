"""Whose signatures the board believes, and the proof of what came."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.board.layout import Board, read_release
from edgecrnn.runtime.board.release import BUNDLE, RELEASE, SIGNATURE, Release
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file
from edgecrnn.runtime.signature import MOST_BYTES, Signed, claimed, key_id, verify

_KEY = re.compile(r"[0-9a-f]{64}")
_FLAG = "--allow-downgrade"


@dataclass(frozen=True)
class Proof:
    """What was proven of a folder: its release, who signed its bundle, whether the key is new."""

    release: Release
    signed: Signed
    pinned: bool


def read_trusted(board: Board) -> frozenset[str]:
    """Public keys (hexadecimal) that are trusted; none where no flash has been.

    Raises:
        EdgecrnnError: the file is damaged. Then nothing is trusted, and nothing pinned either.
    """
    try:
        keys = json.loads(board.trusted.read_bytes())["keys"]
        if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in keys):
            raise ValueError("no keys")
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EdgecrnnError(
            f"{board.trusted}: expected the keys that are trusted, got a file that cannot be read; "
            "log in and see what became of it"
        ) from error
    return frozenset(keys)


def trust(board: Board, key: str, remove: bool = False) -> frozenset[str]:
    """Believe a key from now on, or no more; gives the keys that are trusted then.

    Raises:
        EdgecrnnError: it is no key; or it is the only one, or none of those that are trusted.
    """
    checked_key(key)
    known = read_trusted(board)
    if remove and key not in known:
        names = ", ".join(sorted(map(key_id, known))) or "none at all"
        raise EdgecrnnError(
            f"key: expected one that is trusted here ({names}), got {key_id(key)}; "
            "see edgecrnn status"
        )
    if remove and known == {key}:
        raise EdgecrnnError(
            f"key: expected another key to be trusted beside {key_id(key)}, got none, and the next "
            "to come would be pinned; trust the new key first, then remove this one"
        )
    after = known - {key} if remove else known | {key}
    if after != known:
        write_file(board.trusted, json.dumps({"keys": sorted(after)}, indent=1).encode() + b"\n")
    return after


def checked_key(key: str) -> str:
    """`key`, if it has a public key's form.

    Raises:
        EdgecrnnError: it has not.
    """
    if not _KEY.fullmatch(key):
        raise EdgecrnnError(
            f"key: expected a public key of 64 hexadecimal digits, got {key!r:.80}; "
            "see edgecrnn keys list"
        )
    return key


def prove(
    board: Board, folder: Path, name: str, pin: str | None = None, allow_downgrade: bool = False
) -> Proof:
    """Prove that a folder holds the release of that id, signed by a trusted key, and no older one.

    The bundle is hashed as one file; nothing of it is parsed here.

    Args:
        board: whose keys count.
        folder: with the release's three files.
        name: the release's id.
        pin: public key to believe where none is trusted yet; it is written down by the caller.
        allow_downgrade: take one that was signed before the one that runs.

    Raises:
        EdgecrnnError: it is not so.
    """
    for file in (BUNDLE, SIGNATURE, RELEASE):
        if (folder / file).is_symlink() or not (folder / file).is_file():
            raise EdgecrnnError(f"{folder / file}: expected a file, got none; flash again")
    known = read_trusted(board)
    pinned = not known and pin is not None
    trusted = frozenset({checked_key(pin)}) if pinned and pin is not None else known
    with (folder / SIGNATURE).open("rb") as opened:
        signature = opened.read(MOST_BYTES + 1)
    signed = verify(folder / BUNDLE, signature, trusted)
    release = read_release(folder)
    if release.id != name:
        raise EdgecrnnError(
            f"{folder / RELEASE}: expected the release {name}, got {release.id}; flash again"
        )
    if release.bundle != signed.sha256:
        raise EdgecrnnError(
            f"{folder / RELEASE}: expected it to name the bundle that came "
            f"({signed.sha256[:12]}…), got {release.bundle[:12]}…; flash again"
        )
    if not allow_downgrade:
        no_older(board, signed)
    return Proof(release, signed, pinned)


def no_older(board: Board, signed: Signed) -> None:
    """An old bundle that somebody kept, with its signature, must not come back unasked.

    Raises:
        EdgecrnnError: it was signed before the one that runs.
    """
    running = board.linked(board.current)
    if running is None:
        return
    file = board.release(running) / SIGNATURE
    now = claimed(file.read_bytes(), str(file))
    if signed.sequence < now.sequence and signed.sha256 != now.sha256:
        raise EdgecrnnError(
            f"bundle: expected one signed after the one that runs ({now.made}), got one signed "
            f"{signed.made}; take it all the same with {_FLAG}"
        )
