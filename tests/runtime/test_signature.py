from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path

import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.signature import MOST_BYTES, key_id, sign, verify

ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
TRUSTED = frozenset({PUBLIC})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.edgecrnn"
    path.write_bytes(random.Random(1).randbytes(3_000_000))
    return path


def test_what_was_signed_is_proven(file: Path) -> None:
    signed = verify(file, sign(file, KEY), TRUSTED)
    assert signed.key == PUBLIC
    assert signed.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert signed.size == 3_000_000
    assert signed.sequence > 1_700_000_000


def test_the_form_is_the_one_written_down(file: Path) -> None:
    """Proven with nothing of signature.py: boards in the field must go on reading it."""
    fields = json.loads(sign(file, KEY))
    proof = bytes.fromhex(fields.pop("signature"))
    assert set(fields) == {"version", "key", "sha256", "size", "made", "sequence"}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    KEY.public_key().verify(proof, b"edgecrnn-bundle-v1\n" + canonical)


def test_a_key_has_a_short_name() -> None:
    assert key_id(PUBLIC) == hashlib.sha256(bytes.fromhex(PUBLIC)).hexdigest()[:16]


def test_another_key_is_refused_and_both_are_named(file: Path) -> None:
    other = ed25519.Ed25519PrivateKey.from_private_bytes(b"7" * 32)
    with pytest.raises(EdgecrnnError, match=f"{key_id(PUBLIC)}.*got {key_id(_public(other))}"):
        verify(file, sign(file, other), TRUSTED)
    with pytest.raises(EdgecrnnError, match="none at all"):
        verify(file, sign(file, KEY), frozenset())


def test_a_signature_under_a_trusted_name_by_another_key_is_refused(file: Path) -> None:
    other = ed25519.Ed25519PrivateKey.from_private_bytes(b"7" * 32)
    forged = json.loads(sign(file, other)) | {"key": PUBLIC}
    with pytest.raises(EdgecrnnError, match="signature that holds"):
        verify(file, json.dumps(forged).encode(), TRUSTED)


@pytest.mark.parametrize("place", [0, 1_500_000, 2_999_999])
def test_a_flipped_bit_of_the_bundle_is_refused(file: Path, place: int) -> None:
    signature = sign(file, KEY)
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(EdgecrnnError, match=r"m\.edgecrnn: expected the file that was signed"):
        verify(file, signature, TRUSTED)


@pytest.mark.parametrize("length", [0, 2_999_999, 3_000_001, 9_000_000])
def test_a_bundle_of_another_length_is_refused(file: Path, length: int) -> None:
    signature = sign(file, KEY)
    file.write_bytes(file.read_bytes().ljust(length, b"x")[:length])
    with pytest.raises(EdgecrnnError, match="expected the file that was signed"):
        verify(file, signature, TRUSTED)


def test_a_file_that_never_ends_is_not_read(file: Path) -> None:
    with pytest.raises(EdgecrnnError, match="expected a bundle's file, got none"):
        verify(Path("/dev/zero"), sign(file, KEY), TRUSTED)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": True},
        {"size": -1},
        {"size": 3_000_000.0},
        {"size": 10**30},
        {"sequence": "1"},
        {"sequence": None},
        {"key": "0" * 63},
        {"key": ["0" * 64]},
        {"sha256": "G" * 64},
        {"signature": "00"},
        {"made": "yesterday"},
        {"more": 1},
    ],
)
def test_another_form_is_refused(file: Path, changes: dict[str, object]) -> None:
    fields = json.loads(sign(file, KEY)) | changes
    with pytest.raises(EdgecrnnError, match="expected a bundle's signature of version 1"):
        verify(file, json.dumps(fields).encode(), TRUSTED)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * MOST_BYTES, b"1" * MOST_BYTES, b"{" * 4097],
)
def test_what_is_no_signature_is_refused(file: Path, data: bytes) -> None:
    with pytest.raises(EdgecrnnError, match="expected a bundle's signature of version 1"):
        verify(file, data, TRUSTED)


def test_a_name_twice_is_refused(file: Path) -> None:
    twice = sign(file, KEY).replace(b"{", b'{"size": 3000000,', 1)
    with pytest.raises(EdgecrnnError, match="not its JSON"):
        verify(file, twice, TRUSTED)


def test_no_changed_byte_of_a_signature_passes(tmp_path: Path) -> None:
    small = tmp_path / "s.edgecrnn"
    small.write_bytes(b"a bundle")
    good, chance = sign(small, KEY), random.Random(6)
    signed = verify(small, good, TRUSTED)
    refused = 0
    for place in range(len(good)):
        changed = bytearray(good)
        changed[place] ^= 1 << chance.randrange(8)
        try:
            # White space between the fields says nothing; whatever passes says the same.
            assert verify(small, bytes(changed), TRUSTED) == signed
        except EdgecrnnError:
            refused += 1
    assert refused > len(good) * 0.9


def test_without_cryptography_the_mend_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signature = sign(file, KEY)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(EdgecrnnError, match=r"pip install 'edgecrnn\[flash\]'"):
        verify(file, signature, TRUSTED)


def _public(key: object) -> str:
    return key.public_key().public_bytes_raw().hex()  # type: ignore[attr-defined]
