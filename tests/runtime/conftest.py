"""A real bundle whose answers are known: it names the colour that a stream has shown of late."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from tests.runtime.camera import Camera
from tests.runtime.colors import COLORS, SIDE, Image, color_model, golden_of_colors, picture_of

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant
from edgecrnn.runtime.preprocess import Preprocessing


def write_bundle(
    path: Path,
    sequence: str = "time",
    golden: dict[str, npt.NDArray[Any]] | None = None,
    certificate: dict[str, Any] | None = None,
    float_pixels: bool = False,
    **changes: Any,
) -> Path:
    """A bundle file; `changes` replace fields of its manifest, an empty `golden` leaves it out."""
    model = color_model(sequence == "time", float_pixels)
    named = {"float32.tflite": model}
    if certificate is not None:
        named["certificate.json"] = json.dumps(certificate).encode()
    arrays = golden_of_colors(sequence == "time") if golden is None else golden
    if arrays:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        named["golden.npz"] = buffer.getvalue()
    fields: dict[str, Any] = {
        "format": FORMAT,
        "name": "colors",
        "created": "2026-01-01T00:00:00Z",
        "made_by": "test",
        "device": "linux-x86_64",
        "task": "classify",
        "labels": COLORS,
        "sequence": sequence,
        "preprocessing": Preprocessing(SIDE, SIDE),
        "frame_rate": 10.0 if sequence == "time" else None,
        "decision": DecisionSettings(warmup=2 if sequence == "time" else 0),
        "variants": (
            Variant(
                "float32",
                "float32.tflite",
                ("cpu",),
                "ADD v1",
                {"tflite-runtime": "1.5", "ai-edge-litert": "1.0"},
            ),
        ),
        "files": {name: sha256(data) for name, data in named.items()},
    }
    manifest = Manifest(**{**fields, **changes})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest.to_json())
        for name, data in named.items():
            archive.writestr(name, data)
    return path


def _jpeg(color: str, height: int = 48, width: int = 64) -> bytes:
    """The same as a JPEG."""
    ok, data = cv2.imencode(".jpg", picture_of(color, height, width))
    assert ok
    return data.tobytes()


@pytest.fixture(scope="session")
def picture() -> Callable[..., Image]:
    """Make a BGR picture of a colour."""
    return picture_of


@pytest.fixture(scope="session")
def jpeg() -> Callable[..., bytes]:
    """Make a JPEG of a colour."""
    return _jpeg


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Write a bundle; keywords replace fields of its manifest."""

    def make(sequence: str = "time", **changes: Any) -> Path:
        return write_bundle(tmp_path / f"{sequence}.edgecrnn", sequence, **changes)

    return make


@pytest.fixture(scope="session")
def bundle_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for streams at 10 frames a second with a warm-up of 2 frames."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "colors.edgecrnn")


@pytest.fixture(scope="session")
def bundle(bundle_path: Path) -> Bundle:
    """The same, open."""
    return open_bundle(bundle_path)


@pytest.fixture(scope="session")
def delegate_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A delegate as boards load it: `delegates/delegate.c`, compiled here."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a delegate with: apt install gcc")
    made = tmp_path_factory.mktemp("delegate") / "libtest_delegate.so"
    source = Path(__file__).parent / "delegates" / "delegate.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source], check=True)
    return made


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a video file of one-coloured frames."""

    def write(colors: Sequence[str], rate: float = 10.0, name: str = "clip.avi") -> Path:
        path = tmp_path / name
        code = cv2.VideoWriter.fourcc(*("mp4v" if name.endswith("mp4") else "MJPG"))
        writer = cv2.VideoWriter(str(path), code, rate, (64, 48))
        assert writer.isOpened()
        for color in colors:
            writer.write(picture_of(color))
        writer.release()
        return path

    return write


class Stream:
    """The sending side of one MJPEG connection."""

    def __init__(self, handler: BaseHTTPRequestHandler):
        self.handler = handler
        self.headers = handler.headers

    def start(self, kind: str = "multipart/x-mixed-replace; boundary=frame") -> None:
        """Send the head of the answer."""
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", kind)
        self.handler.end_headers()

    def refuse(self, code: int, header: tuple[str, str] | None = None) -> None:
        """Send an error."""
        self.handler.send_response(code)
        if header:
            self.handler.send_header(*header)
        self.handler.end_headers()

    def part(self, body: bytes, length: int | None = None, mark: str = "--frame") -> None:
        """Send one part; `length` is what its head says where that is not the truth, -1 none."""
        said = f"Content-Length: {len(body) if length is None else length}\r\n"
        head = f"{mark}\r\nContent-Type: image/jpeg\r\n{'' if length == -1 else said}\r\n"
        self.raw(head.encode() + body + b"\r\n")

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()


Serve = Callable[[Stream], None]


@pytest.fixture
def mjpeg_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Serve], str]]:
    """Start a server on the loopback that answers with the given function; gives its address."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers: list[ThreadingHTTPServer] = []

    def start(serve: Serve) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.close_connection = True
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    serve(Stream(self))

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/video"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def edgecrnn() -> Iterator[Command]:
    """Start the command line as a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *words: object,
        code: str = "",
        pass_fds: tuple[int, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        main = f"{code}\nimport sys\nfrom edgecrnn.cli import main\nsys.exit(main())"
        process = subprocess.Popen(
            [sys.executable, "-c", main, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "no_proxy": "127.0.0.1", **(env or {})},
            pass_fds=pass_fds,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[Camera]:
    """A network camera as a process of its own, that shows red."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Camera()
    yield made
    made.kill()
