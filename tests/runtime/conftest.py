"""A real bundle whose answers are known: it names the colour that a stream has shown of late."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant
from edgecrnn.runtime.preprocess import Preprocessing

COLORS = ("red", "green", "blue")
SIDE = 16
_OPS = schema.BuiltinOperator
_TYPES = schema.TensorType
Image = npt.NDArray[np.uint8]


def color_model(memory: bool) -> bytes:
    """A `.tflite`: softmax of 20 times the mean of each channel; with `memory`, of a state
    that keeps half of what it was (h_out = h / 2 + mean / 2)."""
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, model.operatorCodes = [], [], []

    def tensor(name: str, shape: Sequence[int], kind: int, values: Any = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), kind, 0
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.asarray(values).tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(code: int, inputs: list[int], output: int, options: Any = None) -> int:
        opcode = schema.OperatorCodeT()
        opcode.builtinCode = opcode.deprecatedBuiltinCode = code
        opcode.version = 1
        model.operatorCodes.append(opcode)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = (
            len(model.operatorCodes) - 1,
            inputs,
            [output],
        )
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix("T")
            )
        graph.operators.append(made)
        return output

    def floats(name: str) -> int:
        return tensor(name, (1, 3), _TYPES.FLOAT32)

    def scaled(value: int, factor: float, name: str) -> int:
        by = tensor(f"{name}/by", (), _TYPES.FLOAT32, np.float32(factor))
        return operator(_OPS.MUL, [value, by], floats(name), schema.MulOptionsT())

    frame = tensor("frame", (1, SIDE, SIDE, 3), _TYPES.UINT8)
    pixels = operator(
        _OPS.CAST,
        [frame],
        tensor("pixels", (1, SIDE, SIDE, 3), _TYPES.FLOAT32),
        schema.CastOptionsT(),
    )
    axes = tensor("axes", (2,), _TYPES.INT32, np.array([1, 2], np.int32))
    mean = operator(_OPS.MEAN, [pixels, axes], floats("mean"), schema.ReducerOptionsT())
    ends: tuple[dict[str, int], dict[str, int]] = ({"frame": frame}, {})
    if memory:
        h = ends[0]["h0"] = floats("h0")
        kept, new = scaled(h, 0.5, "kept"), scaled(mean, 0.5 / 255, "new")
        mean = operator(_OPS.ADD, [kept, new], floats("h0_out"), schema.AddOptionsT())
        ends[1]["h0_out"] = mean
    logits = scaled(mean, 20.0 if memory else 20.0 / 255, "logits")
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    ends[1]["scores"] = operator(_OPS.SOFTMAX, [logits], floats("scores"), softmax)
    graph.inputs, graph.outputs = list(ends[0].values()), list(ends[1].values())
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    signature.inputs, signature.outputs = ([_named(n, i) for n, i in e.items()] for e in ends)
    model.subgraphs, model.signatureDefs = [graph], [signature]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _named(name: str, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def write_bundle(path: Path, sequence: str = "time", **changes: Any) -> Path:
    """A bundle file; `changes` replace fields of its manifest."""
    model = color_model(sequence == "time")
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
        "files": {"float32.tflite": sha256(model)},
    }
    manifest = Manifest(**{**fields, **changes})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest.to_json())
        archive.writestr("float32.tflite", model)
    return path


def _picture(color: str, height: int = 48, width: int = 64) -> Image:
    """A BGR picture of one colour with a little noise."""
    image = np.random.default_rng(0).integers(0, 30, (height, width, 3), np.uint8)
    image[..., 2 - COLORS.index(color)] += 200
    return image


def _jpeg(color: str, height: int = 48, width: int = 64) -> bytes:
    """The same as a JPEG."""
    ok, data = cv2.imencode(".jpg", _picture(color, height, width))
    assert ok
    return data.tobytes()


@pytest.fixture(scope="session")
def picture() -> Callable[..., Image]:
    """Make a BGR picture of a colour."""
    return _picture


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


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a video file of one-coloured frames."""

    def write(colors: Sequence[str], rate: float = 10.0, name: str = "clip.avi") -> Path:
        path = tmp_path / name
        code = cv2.VideoWriter.fourcc(*("mp4v" if name.endswith("mp4") else "MJPG"))
        writer = cv2.VideoWriter(str(path), code, rate, (64, 48))
        assert writer.isOpened()
        for color in colors:
            writer.write(_picture(color))
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
        *words: object, code: str = "", pass_fds: tuple[int, ...] = ()
    ) -> subprocess.Popen[str]:
        main = f"{code}\nimport sys\nfrom edgecrnn.cli import main\nsys.exit(main())"
        process = subprocess.Popen(
            [sys.executable, "-c", main, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "no_proxy": "127.0.0.1"},
            pass_fds=pass_fds,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
