"""Keys: made once, readable by their owner alone, never replaced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgecrnn.devices.keys import keys_folder, list_keys, load_key, new_key, read_public
from edgecrnn.runtime.errors import EdgecrnnError

pytest.importorskip("cryptography", reason="the extra flash is not installed")


def test_a_key_signs_and_its_public_half_verifies(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    made = new_key("mine", tmp_path)
    key, private = load_key("mine", tmp_path)
    assert key == made and made.file == tmp_path / "mine.key"
    assert read_public(tmp_path / "mine.pub") == key.public
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    public.verify(private.sign(b"bundle"), b"bundle")


def test_only_its_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; os.umask(0)\n"
        "from edgecrnn.devices.keys import new_key\n"
        "new_key('open', pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "keys")], check=True)
    assert (tmp_path / "keys/open.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["open.key", "open.pub"]


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    before = new_key("mine", tmp_path)
    with pytest.raises(EdgecrnnError, match="expected no key of the name 'mine' yet"):
        new_key("mine", tmp_path)
    assert load_key("mine", tmp_path)[0] == before
    assert len(list(tmp_path.iterdir())) == 2


def test_the_list_is_by_name_and_takes_names_with_dots(tmp_path: Path) -> None:
    assert list_keys(tmp_path / "none") == []
    new_key("v1.2", tmp_path)
    new_key("default", tmp_path)
    assert [key.name for key in list_keys(tmp_path)] == ["default", "v1.2"]


def test_the_folder_is_in_the_persons_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert keys_folder() == tmp_path / "edgecrnn/keys"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert keys_folder() == Path.home() / ".config/edgecrnn/keys"


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a b", "x" * 65, "a\n"])
def test_a_name_that_is_no_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(EdgecrnnError, match="name: expected letters"):
        new_key(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_key_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match=r"expected a key, got none.*edgecrnn keys new"):
        load_key("default", tmp_path)
    new_key("default", tmp_path)
    with pytest.raises(EdgecrnnError, match="did you mean 'default'"):
        load_key("defalt", tmp_path)


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    new_key("mine", tmp_path).file.chmod(0o640)
    with pytest.raises(EdgecrnnError, match=r"only you can read.*chmod 600"):
        load_key("mine", tmp_path)


@pytest.mark.parametrize("data", [b"", b"\xff\x00", b"-----BEGIN PRIVATE KEY-----\nx\n", None])
def test_a_damaged_key_or_one_of_another_kind(tmp_path: Path, data: bytes | None) -> None:
    file = new_key("mine", tmp_path).file
    if data is None:
        words = ["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PKCS8", "-N", "", "-f", str(file)]
        file.unlink()
        subprocess.run(words, check=True)
    else:
        file.write_bytes(data)
    with pytest.raises(EdgecrnnError, match="expected an Ed25519"):
        load_key("mine", tmp_path)


@pytest.mark.parametrize("data", [b"", b"abc", b"\xff" * 64, b"A" * 64, b"0" * 65, b"0" * 9999])
def test_what_is_no_public_key(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.pub").write_bytes(data)
    with pytest.raises(EdgecrnnError, match="expected a public key"):
        read_public(tmp_path / "x.pub")


def test_a_private_key_is_never_handed_on(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match=r"got a private one; give mine\.pub instead"):
        read_public(new_key("mine", tmp_path).file)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match="No such file"):
        read_public(tmp_path / "none.pub")
    with pytest.raises(EdgecrnnError, match="Is a directory"):
        read_public(tmp_path)
