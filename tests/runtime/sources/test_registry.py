"""What `--source` may mean, and what each kind says where nothing is there."""

from __future__ import annotations

import importlib
import pkgutil
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgecrnn.runtime import sources
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.sources import open_source, source_entries
from edgecrnn.runtime.urls import parse_url, without_password

QUICK = SourceSettings(timeout=0.5)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("0", "camera"),
        ("/dev/video12", "camera"),
        ("clip.mp4", "video"),
        ("./0", "video"),
        ("./strange:name.avi", "video"),
        ("picture.PNG", "picture"),
        ("http://camera/video.jpg", "mjpeg"),
        ("HTTPS://camera", "mjpeg"),
        ("rtsp://camera/1", "rtsp"),
        ("rtsps://camera/1.jpg", "rtsp"),
        (str(Path(__file__).parent), "folder"),
        ("exec:ffmpeg -i rtsp://camera/1.jpg -f mjpeg -", "exec"),
        ("exec:", "exec"),
    ],
)
def test_each_spelling_means_one_kind(spec: str, kind: str) -> None:
    matching = [
        name
        for _, name, _ in pkgutil.iter_modules(sources.__path__)
        if not name.startswith("_")
        and importlib.import_module(f"{sources.__name__}.{name}").matches(spec)
    ]
    assert matching == [kind]


@given(st.text(max_size=20))
def test_never_two_kinds(spec: str) -> None:
    assert sum(entry.matches(spec) for entry in source_entries()) <= 1


@pytest.mark.parametrize("spec", ["", "ftp://camera/1", "execute:ffmpeg -i x"])
def test_what_is_no_kind_lists_those_there_are(spec: str) -> None:
    with pytest.raises(EdgecrnnError) as error:
        open_source(spec, QUICK)
    for entry in source_entries():
        assert entry.WHAT in str(error.value)


def test_a_camera_that_is_not_there_lists_those_that_are() -> None:
    there = sorted(str(p) for p in Path("/dev").glob("video[0-9]*"))
    with pytest.raises(EdgecrnnError, match="/dev/video98: expected a camera, got noth") as error:
        open_source("98", QUICK)
    for path in there:
        assert path in str(error.value)
    assert there or "there is no /dev/video" in str(error.value)


def test_a_refused_connection_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for scheme in ("rtsp", "http"):
            with pytest.raises(EdgecrnnError, match="got connection refused") as error:
                open_source(f"{scheme}://anna:secret@127.0.0.1:{port}/1", QUICK)
            assert "secret" not in str(error.value)


def test_an_rtsp_server_that_says_nothing_is_told_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(EdgecrnnError, match="expected a first frame, got none; check the path"):
            open_source(f"rtsp://127.0.0.1:{port}/1", QUICK)
        # By our patience, not by OpenCV's own, which is 30 s.
        assert time.monotonic() - began < 25.0


@pytest.mark.parametrize(
    "spec", ["rtsp://", "http:///x", "http://host:port/", "rtsp://a:99999/", "rtsp://a..b/1"]
)
def test_an_address_that_is_none_is_told(spec: str) -> None:
    with pytest.raises(EdgecrnnError, match="expected an address like"):
        open_source(spec, QUICK)


def test_a_scheme_that_is_mistyped_shows_no_password() -> None:
    with pytest.raises(EdgecrnnError, match="got 'rstp://camera/1'"):
        open_source("rstp://anna:Tr0ub4dor@camera/1", QUICK)


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1))
def test_no_password_is_ever_shown(password: str) -> None:
    secret = "Tr0ub4dor" + password.replace("@", "")
    for host in ("camera", "camera:554", "camera/1"):
        spec = f"rtsp://anna:{secret}@{host}"
        assert "Tr0ub4dor" not in without_password(spec)
        try:
            parse_url(spec)
        except EdgecrnnError as error:
            assert "Tr0ub4dor" not in str(error)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": "640"}, "size: expected WIDTHxHEIGHT"),
        ({"size": "0x5"}, "size: expected WIDTHxHEIGHT"),
        ({"pixels": "JPEG5"}, "pixels: expected four letters"),
        ({"rate": -1.0}, "rate: expected 0.01 to 1000 frames/s"),
        ({"timeout": 0.0}, "timeout: expected 0.1 to 3600 s"),
        ({"timeout": 1e12}, "timeout: expected 0.1 to 3600 s"),
    ],
)
def test_settings_out_of_bounds_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(EdgecrnnError, match=re.escape(sentence)):
        SourceSettings(**values)  # type: ignore[arg-type]


def test_listing_the_kinds_imports_no_tensorflow() -> None:
    code = (
        "import sys; from edgecrnn.runtime.sources import source_entries; source_entries();"
        "print([m for m in sys.modules if m.split('.')[0] in ('tensorflow', 'keras')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
