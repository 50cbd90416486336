"""Signatures of bundles: Ed25519 over the hash of the whole file, so nothing unproven is parsed.

A signature is a small JSON file beside the bundle, `NAME.edgecrnn.sig`. What is signed is the
canonical JSON of its other fields after a prefix that no other use of the key shares.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SUFFIX = ".sig"
# Read no more of a signature than this; one is about 450 bytes.
MOST_BYTES = 4096
_VERSION = 1
_PREFIX = b"edgecrnn-bundle-v1\n"
_CHUNK = 1 << 20
_KEY = re.compile(r"[0-9a-f]{64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_MADE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Whole numbers that every JSON reader keeps.
_MOST_NUMBER = 2**53 - 1


@dataclass(frozen=True)
class Signed:
    """What a signature says of a bundle, once it is proven.

    Attributes:
        key: public key that signed it, 64 hexadecimal digits.
        sha256: of the whole file, hexadecimal.
        size: of the file in bytes.
        made: when it was signed by the workstation's clock, ISO 8601 in UTC; for people only.
        sequence: unix seconds of signing; lower than the running release's is a downgrade.
    """

    key: str
    sha256: str
    size: int
    made: str
    sequence: int


def key_id(key: str) -> str:
    """A short name of a public key (hexadecimal) for people: 16 digits of its SHA-256."""
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]


def sign(bundle: Path, private_key: Ed25519PrivateKey) -> bytes:
    """The content of the signature file of a bundle.

    Raises:
        EdgecrnnError: the bundle cannot be read.
    """
    now = int(time.time())
    digest, size = _hash(bundle)
    signed = Signed(
        key=private_key.public_key().public_bytes_raw().hex(),
        sha256=digest,
        size=size,
        made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        sequence=now,
    )
    fields = {"version": _VERSION, **asdict(signed)}
    fields["signature"] = private_key.sign(_message(signed)).hex()
    return json.dumps(fields, indent=1, sort_keys=True).encode() + b"\n"


def verify(bundle: Path, signature: bytes, trusted: frozenset[str]) -> Signed:
    """Prove that a trusted key signed exactly this file.

    Args:
        bundle: is read as bytes and not parsed.
        signature: content of its signature file.
        trusted: public keys, hexadecimal.

    Raises:
        EdgecrnnError: the signature is none, is of a key that is not trusted or does not hold, or
            the file is another one than was signed; or cryptography is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise EdgecrnnError(
            "cryptography: expected the package that verifies signatures, got none; "
            "pip install 'edgecrnn[flash]'"
        ) from error
    name = f"{bundle}{SUFFIX}"
    signed, proof = _parse(signature, name)
    if signed.key not in trusted:
        known = ", ".join(sorted(key_id(key) for key in trusted)) or "none at all"
        raise EdgecrnnError(
            f"{name}: expected a key that is trusted here ({known}), got {key_id(signed.key)}; "
            "sign the bundle with a trusted key, or have this one trusted"
        )
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.key)).verify(
            proof, _message(signed)
        )
    except (InvalidSignature, ValueError) as error:
        raise EdgecrnnError(
            f"{name}: expected a signature that holds, got one that was changed or damaged; "
            "send the bundle and its signature again"
        ) from error
    digest, size = _hash(bundle, signed.size)
    if (digest, size) != (signed.sha256, signed.size):
        raise EdgecrnnError(
            f"{bundle}: expected the file that was signed ({signed.size} bytes, SHA-256 "
            f"{signed.sha256[:12]}…), got another ({digest[:12]}…); send the bundle again"
        )
    return signed


def claimed(signature: bytes, name: str) -> Signed:
    """What a signature file says, unproven: for one whose bundle was proven before.

    Args:
        signature: its content.
        name: of the file, for the error.

    Raises:
        EdgecrnnError: it is no signature.
    """
    return _parse(signature, name)[0]


def _message(signed: Signed) -> bytes:
    fields = {"version": _VERSION, **asdict(signed)}
    return _PREFIX + json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _hash(bundle: Path, most: int | None = None) -> tuple[str, int]:
    """SHA-256 and size; of a file that goes on after `most` bytes, no more than a chunk after."""
    digest, size = hashlib.sha256(), 0
    try:
        if not bundle.is_file():
            raise EdgecrnnError(f"{bundle}: expected a bundle's file, got none; check the path")
        with bundle.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if most is not None and size > most:
                    break
    except OSError as error:
        raise EdgecrnnError(
            f"{bundle}: expected a bundle that can be read, got {error.strerror}; check the path"
        ) from error
    return digest.hexdigest(), size


def _parse(data: bytes, name: str) -> tuple[Signed, bytes]:
    """The fields and the signature's bytes; exact keys, types and forms, or a sentence."""
    if len(data) > MOST_BYTES:
        raise _none(name, f"more than {MOST_BYTES} bytes")
    try:
        fields = json.loads(data.decode("ascii"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _none(name, "something that is not its JSON") from error
    if not isinstance(fields, dict):
        raise _none(name, "something else")
    wanted = ["version", *Signed.__dataclass_fields__, "signature"]
    if sorted(fields) != sorted(wanted):
        raise _none(name, "other fields")
    for field, form in {
        "key": _KEY,
        "sha256": _HASH,
        "made": _MADE,
        "signature": _SIGNATURE,
    }.items():
        if not (isinstance(fields[field], str) and form.fullmatch(fields[field])):
            raise _none(name, f"{fields[field]!r:.40} for {field}")
    for field in ("version", "size", "sequence"):
        if type(fields[field]) is not int or not 0 <= fields[field] <= _MOST_NUMBER:
            raise _none(name, f"{fields[field]!r:.40} for {field}")
    if fields.pop("version") != _VERSION:
        raise _none(name, "another version")
    proof = bytes.fromhex(fields.pop("signature"))
    return Signed(**fields), proof


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two values under one name, readers take different ones."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError("a name twice")
        found[key] = value
    return found


def _none(name: str, got: str) -> EdgecrnnError:
    return EdgecrnnError(
        f"{name}: expected a bundle's signature of version {_VERSION}, got {got}; "
        "sign the bundle again with this edgecrnn"
    )
