"""A boot volume before and after: what is refused, what stays, what cloud-init makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="the extra flash is not installed")

from tests.devices.a_card import HERE, USER_DATA, Card
from tests.devices.tiny_wheels import tiny_wheel

from edgecrnn.devices import boot_volume
from edgecrnn.devices.boot_volume import IMAGES, image_target
from edgecrnn.devices.keys import load_key, new_key
from edgecrnn.devices.profile import load_profile
from edgecrnn.devices.wheels import Target
from edgecrnn.runtime.board import unit
from edgecrnn.runtime.board.release import Release
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.signature import SUFFIX, key_id, sign, verify

SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Card(tmp_path / "card")


def test_all_that_was_there_stays_and_all_that_comes_is_named_by_its_hash(card: Card) -> None:
    before = card.tree()
    written = card.write()
    after = card.tree()
    assert {name: after[name] for name in before} == before
    new = sorted(set(after) - set(before))
    assert all(name == "vendor-data" or name.startswith("edgecrnn/") for name in new)
    payload = json.loads(after["edgecrnn/payload.json"])
    listed = {f"edgecrnn/{name}" for name in payload["files"]} | {"edgecrnn/payload.json"}
    assert listed == set(new) - {"vendor-data"}
    release = Release.parse(after["edgecrnn/release/release.json"], "")
    assert release.id == written.release == payload["release"]
    assert release.environment == written.environment == payload["environment"]
    assert release.run[:2] == ("--source", card.settings.camera)


def test_the_signature_holds_for_the_key_that_is_pinned(card: Card) -> None:
    written = card.write()
    folder = card.volume / "edgecrnn/release"
    payload = json.loads((card.volume / "edgecrnn/payload.json").read_text())
    assert load_key("default")[0].public == payload["key"]
    signature = (folder / "bundle.edgecrnn.sig").read_bytes()
    signed = verify(folder / "bundle.edgecrnn", signature, frozenset({payload["key"]}))
    assert key_id(signed.key) == written.key_id


def test_a_signature_that_came_with_the_bundle_is_taken_and_a_false_one_refused(card: Card) -> None:
    new_key("lab")
    key, private = load_key("lab")
    beside = Path(f"{card.bundle}{SUFFIX}")
    beside.write_bytes(sign(card.bundle, private))
    assert card.write().key_id == key_id(key.public)
    before = card.tree()
    card.bundle.write_bytes(card.bundle.read_bytes() + b"\0")
    with pytest.raises(EdgecrnnError):
        card.write()
    assert card.tree() == before


def test_writing_twice_replaces_ours_alone(card: Card) -> None:
    card.write()
    first = card.tree()
    other = card.write(replace(card.settings, run=("--sink", "jsonl")))
    second = card.tree()
    payload = json.loads(second["edgecrnn/payload.json"])
    assert payload["release"] == other.release and payload != first["edgecrnn/payload.json"]
    assert set(first) == set(second)
    assert second["user-data"] == USER_DATA.encode()


def test_as_a_service_it_brings_units_for_that_root(card: Card) -> None:
    card.write(replace(card.settings, service=True, root="", delegate=""))
    units = card.volume / "edgecrnn/units"
    assert {each.name for each in units.iterdir()} == {unit.SERVICE, unit.ROLLBACK, unit.SYSUSERS}
    assert "/opt/edgecrnn/current" in (units / unit.SERVICE).read_text()
    # The first boot sets the person of the board there.
    assert (units / unit.ROLLBACK).read_text().count("\nUser=root\n") == 1


def test_a_service_in_a_home_is_refused_and_nothing_is_written(card: Card) -> None:
    before = card.tree()
    with pytest.raises(EdgecrnnError, match=r"root: expected .* take /opt/edgecrnn"):
        card.write(replace(card.settings, service=True, root="/home/pi/edgecrnn"))
    assert card.tree() == before


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("user-data", "expected an image with cloud-init"),
        ("meta-data", "take Raspberry Pi OS trixie of November 2025 or later, or flash over ssh"),
        ("c*.txt", "expected a boot volume with config.txt or cmdline.txt, got none in there"),
        ("", "expected the folder where the card's boot volume is mounted, got none"),
    ],
)
def test_what_is_no_boot_volume_is_refused(card: Card, gone: str, sentence: str) -> None:
    for file in card.volume.glob(gone) if gone else ():
        file.unlink()
    if not gone:
        shutil.rmtree(card.volume)
    with pytest.raises(EdgecrnnError, match=sentence):
        card.write()


def test_somebodys_vendor_data_is_not_lost(card: Card) -> None:
    (card.volume / "vendor-data").write_text("#cloud-config\n")
    before = card.tree()
    with pytest.raises(EdgecrnnError, match="vendor-data: expected none, or one that edgecrnn"):
        card.write()
    assert card.tree() == before


def test_no_room_is_told_before_a_byte_is_written(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    card.write()
    before = card.tree()
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=1_500_000))
    with pytest.raises(EdgecrnnError, match=r"expected \d+ MB free, got 2 MB"):
        card.write()
    assert card.tree() == before


_FULL = """
import os, pathlib, shutil, sys
from dataclasses import replace
from edgecrnn.runtime.errors import EdgecrnnError
from tests.devices.a_card import Card
folder = pathlib.Path(sys.argv[1])
card = Card(folder / "card")
card.write()
before = card.tree()
# Room for a part of it, and a count of free bytes that is wrong, as FAT's may be.
free = shutil.disk_usage(folder).free
(folder / "filler").write_bytes(bytes(free - 1_000_000))
real = shutil.disk_usage
shutil.disk_usage = lambda path: real(path)._replace(free=10**9)
try:
    card.write(replace(card.settings, run=("--sink", "jsonl")))
except EdgecrnnError as error:
    print(error)
assert card.tree() == before, set(card.tree()) ^ set(before)
print("as it was")
"""


def test_a_volume_that_fills_up_keeps_what_it_had(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=16m tmpfs "$1" && shift && exec "$@"'
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*words, str(tmp_path), "true"], capture_output=True).returncode:
        pytest.skip("this machine gives nobody a mount namespace")
    root = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONPATH": os.pathsep.join(map(str, (root / "src", root))),
    }
    script = [sys.executable, "-c", _FULL, str(tmp_path)]
    done = subprocess.run(
        [*words, str(tmp_path), *script], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "as it was"
    assert "could not be written (No space left on device)" in done.stdout


def test_a_bundle_that_is_none(card: Card, tmp_path: Path) -> None:
    before = card.tree()
    (tmp_path / "x.edgecrnn").write_bytes(b"nothing")
    for wrong in (tmp_path / "x.edgecrnn", tmp_path, tmp_path / "none.edgecrnn"):
        with pytest.raises(EdgecrnnError, match="expected"):
            card.write(replace(card.settings, bundle=str(wrong)))
    assert card.tree() == before


def test_an_image_names_what_wheels_are_built_for() -> None:
    profile = load_profile("raspberry-pi-5")
    assert image_target(profile, "trixie") == Target("aarch64", "3.13", "2.41")
    with pytest.raises(EdgecrnnError, match=r"image: expected one of trixie, ubuntu"):
        image_target(profile, "bookworm")
    with pytest.raises(EdgecrnnError, match=r"Jetson Nano .* cannot run edgecrnn"):
        image_target(load_profile("jetson-nano"), "ubuntu-22.04")
    with pytest.raises(EdgecrnnError, match=r"image: expected one with Python 3\.10"):
        image_target(load_profile("jetson-orin-nano"), "trixie")
    assert {python for python, _ in IMAGES.values()} <= set(load_profile("linux-aarch64").python)


def test_pip_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = {path.name: path for path in (tiny_wheel(tmp_path, name) for name in ("edge", "pip"))}
    monkeypatch.setattr(boot_volume, "fetch", lambda wanted, target, cache: wheels)
    assert boot_volume.pip_wheel(HERE).name == "pip-1.0-py3-none-any.whl"


# What cloud-init's own code reads from the volume, and what kind of part it takes each for. Nothing
# is run: a hook's text is what its handler would write and call.
_CLOUD_INIT = """
import json, sys
from cloudinit import helpers
from cloudinit.handlers.boot_hook import BootHookPartHandler
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
volume, folder = sys.argv[1:]
paths = helpers.Paths({"cloud_dir": f"{folder}/cloud", "run_dir": f"{folder}/run"})
asked = {"datasource": {"NoCloud": {"seedfrom": f"file://{volume}/", "fs_label": None}}}
source = DataSourceNoCloud(asked, None, paths)
assert source._get_data()
paths.datasource = source
def parts(message):
    return [[part.get_content_type(), part.get_payload(decode=True).decode()]
            for part in message.walk() if not part.is_multipart()]
vendor = parts(source.get_vendordata())
hook = BootHookPartHandler(paths, source)._write_part(vendor[0][1], "hook")
print(json.dumps({"user": parts(source.get_userdata()), "vendor": vendor,
                  "hook": open(hook).read(), "instance": source.get_instance_id()}))
"""


def test_cloud_init_runs_our_hook_and_keeps_the_persons_data(card: Card, tmp_path: Path) -> None:
    asked = subprocess.run([SYSTEM_PYTHON, "-c", "import cloudinit.stages"], capture_output=True)
    if asked.returncode:
        pytest.skip("cloud-init is not here: apt install cloud-init")
    card.write()
    (card.volume / "meta-data").write_text("instance-id: door\n")
    words = [SYSTEM_PYTHON, "-c", _CLOUD_INIT, str(card.volume), str(tmp_path / "system")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["user"] == [["text/cloud-config", USER_DATA]] and found["instance"] == "door"
    assert [kind for kind, _ in found["vendor"]] == ["text/cloud-boothook"]
    assert found["hook"].startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n"], input=found["hook"].encode(), check=True)
    assert "systemctl enable edgecrnn-first-boot.service" in found["hook"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="apt install systemd")
def test_systemd_has_nothing_to_say_against_the_first_boots_unit(
    card: Card, tmp_path: Path
) -> None:
    card.write()
    name = "edgecrnn-first-boot.service"
    shutil.copyfile(card.volume / "edgecrnn" / name, tmp_path / name)
    words = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and name not in done.stderr, done.stderr
