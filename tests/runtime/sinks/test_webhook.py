"""The webhook against a real HTTP server that refuses, fails, redirects and goes away."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.runtime.sinks.made import a_frame, a_result, a_stream, eventually

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks import Bounded, close_sinks, open_sinks
from edgecrnn.runtime.sinks.webhook import Patience, Webhook

QUICK = Patience((0.05, 0.1, 0.2), 0.5)


class Server(ThreadingHTTPServer):
    """Answers with `answers` one after the other, then with 200; keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.taken: list[dict[str, Any]] = []
        self.seen: list[tuple[float, str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((time.monotonic(), self.path, dict(self.headers)))
        code, headers = self.server.answers.pop(0) if self.server.answers else (200, {})
        if code == 0:
            time.sleep(1.0)
            return
        if 200 <= code < 300:
            self.server.taken.append(body)
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def quick(server: Server) -> Webhook:
    return Webhook(urlsplit(f"http://{server.address}/hook?key=a"), a_stream(), QUICK)


def test_each_change_is_sent_once_with_what_was_before(server: Server) -> None:
    (sink,) = open_sinks([f"webhook:http://me:pw%40@{server.address}/hook?key=a"], a_stream())
    for number, label in enumerate(["unknown", "cat", "cat", "cat", "dog", "dog", "unknown"]):
        sink.write(a_result(label, number), a_frame(number))
    close_sinks([sink])
    assert [(m["before"], m["label"], m["frame"]) for m in server.taken] == [
        ("unknown", "cat", 1),
        ("cat", "dog", 4),
        ("dog", "unknown", 6),
    ]
    assert server.taken[0]["scores"] == {"cat": 0.9, "dog": 0.1}
    assert server.taken[0]["source"] == "/dev/video0"
    _, path, headers = server.seen[0]
    assert path == "/hook?key=a"
    assert headers["Content-Type"] == "application/json"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"me:pw@"
    assert len({message["id"] for message in server.taken}) == 3


def test_an_answer_that_never_ends_holds_nothing_up() -> None:
    """As of an address that streams events."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def drip() -> None:
            caller, _ = listening.accept()
            with caller, contextlib.suppress(OSError):
                caller.recv(65536)
                caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                for _ in range(200):
                    caller.sendall(b": still here\n")
                    time.sleep(0.05)

        dripping = threading.Thread(target=drip)
        dripping.start()
        began = time.monotonic()
        Webhook(urlsplit(f"http://127.0.0.1:{port}/"), a_stream(), QUICK).write(
            a_result("cat"), a_frame()
        )
        assert time.monotonic() - began < 3.0
        dripping.join()


@pytest.mark.parametrize("answer", [500, 503, 429, 408, 0])
def test_it_tries_again_with_growing_pauses(server: Server, answer: int) -> None:
    server.answers = [(answer, {})] * 3
    quick(server).write(a_result("cat"), a_frame())
    assert [message["label"] for message in server.taken] == ["cat"]
    times = [when for when, _, _ in server.seen]
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert len(pauses) == 3
    for pause, least in zip(pauses, QUICK.pauses, strict=True):
        assert pause >= least


def test_it_waits_as_long_as_the_server_asks(server: Server) -> None:
    server.answers = [(503, {"Retry-After": "1"})]
    quick(server).write(a_result("cat"), a_frame())
    assert server.seen[1][0] - server.seen[0][0] >= 1.0


def test_it_gives_up_at_the_bound_and_goes_on_with_the_next(server: Server) -> None:
    server.answers = [(500, {})] * 4
    sink = Bounded(quick(server), "webhook", "changes")
    sink.write(a_result("cat", 0), a_frame())
    sink.write(a_result("dog", 1), a_frame())
    assert eventually(lambda: server.taken)
    sink.close()
    assert [(m["before"], m["label"]) for m in server.taken] == [("cat", "dog")]
    assert (len(server.seen), sink.failed) == (5, 1)


@pytest.mark.parametrize("answer", [400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(server: Server, answer: int) -> None:
    server.answers = [(answer, {})]
    with pytest.raises(EdgecrnnError, match=f"refused: {answer}"):
        quick(server).write(a_result("cat"), a_frame())
    assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, answer: int) -> None:
    with Server() as other:
        server.answers = [(answer, {"Location": f"http://{other.address}/"})]
        with pytest.raises(EdgecrnnError, match="redirects are not followed"):
            quick(server).write(a_result("cat"), a_frame())
        other.timeout = 0.1
        other.handle_request()
        assert other.seen == []


def test_a_server_that_comes_back_is_found(server: Server) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as gone:
        port = gone.server_port
    url = urlsplit(f"http://127.0.0.1:{port}/")
    hook = Bounded(Webhook(url, a_stream(), Patience((0.1,) * 40)), "webhook", "changes")
    hook.write(a_result("cat"), a_frame())
    time.sleep(0.3)

    class Back(Server):
        server_port = port

        def server_bind(self) -> None:
            self.server_address = ("127.0.0.1", port)
            super().server_bind()

    with Back() as back:
        thread = threading.Thread(target=back.serve_forever, args=(0.01,))
        thread.start()
        assert eventually(lambda: back.taken)
        back.shutdown()
        thread.join()
    hook.close()


def test_the_end_of_the_run_does_not_wait_for_the_pauses(server: Server) -> None:
    server.answers = [(500, {})] * 50
    hook = Webhook(urlsplit(f"http://{server.address}/"), a_stream(), Patience())
    sink = Bounded(hook, "webhook", "changes")
    sink.write(a_result("cat", 0), a_frame())
    sink.write(a_result("dog", 1), a_frame())
    began = time.monotonic()
    close_sinks([sink])
    assert time.monotonic() - began < 10
    assert sink.dropped == 2


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://host/a",
        "gopher://host",
        "//host/a",
        "http://",
        "http:///a",
        "http://host:0/",
        "http://host:99999/",
        "http://[::1/",
        "http://host/a b",
        "http://host/a\r\nX-Evil: 1",
        "http://host/\u00e9",
        "/etc/passwd",
    ],
)
def test_only_http_addresses_are_taken(address: str) -> None:
    with pytest.raises(EdgecrnnError, match="sink: expected webhook:http"):
        open_sinks([f"webhook:{address}"], a_stream())
