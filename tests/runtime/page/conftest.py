"""A run that is shown: a camera on the loopback, the real command, and a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urlsplit

import pytest
from tests.runtime.camera import Camera
from tests.runtime.page.browser import Browser, found


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Shown:
    """`edgecrnn run` as a process of its own, with what it says on standard error."""

    def __init__(self, *words: object, **environment: str):
        main = "import sys\nfrom edgecrnn.cli import main\nsys.exit(main())"
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", main, "run", *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "no_proxy": "127.0.0.1", **environment},
        )
        assert self.process.stderr is not None
        self._thread = threading.Thread(target=self._read, args=(self.process.stderr,))
        self._thread.start()

    @property
    def link(self) -> str:
        """What it prints of the page, once it answers."""
        return self.until(r"live page: (http://.*)")

    @property
    def address(self) -> str:
        """Of the page, without a slash at its end."""
        return re.split(r"/[? ]|/$", self.link)[0]

    def until(self, pattern: str, within: float = 60.0) -> str:
        """Wait until it says so; the first group."""
        deadline = time.monotonic() + within
        while True:
            for line in list(self.said):
                if match := re.search(pattern, line):
                    return match[1]
            assert self.process.poll() is None and time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> Answer:
        """One request; headers by their names with _ for -."""
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    def post(self, path: str, body: str, **headers: str) -> Answer:
        """Send JSON, as a program does."""
        return self.ask(path, "POST", body, **{"Content_Type": "application/json", **headers})

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self._thread.join()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.said.append(line)


@pytest.fixture(scope="session")
def cameras() -> Iterator[Callable[[], Camera]]:
    """Make network cameras that show red."""
    made: list[Camera] = []

    def make() -> Camera:
        made.append(Camera(rate=20.0))
        return made[-1]

    yield make
    for camera in made:
        camera.kill()


Show = Callable[..., Shown]


@pytest.fixture(scope="session")
def runs() -> Iterator[Show]:
    """Start `edgecrnn run` with these words and a page on a free port."""
    made: list[Shown] = []

    def start(bundle: Path, *words: object, **environment: str) -> Shown:
        made.append(Shown(bundle, "--serve", "127.0.0.1:0", *words, **environment))
        return made[-1]

    yield start
    for run in made:
        run.end()


@pytest.fixture(scope="session")
def camera(cameras: Callable[[], Camera]) -> Camera:
    """The camera of `run`."""
    return cameras()


@pytest.fixture(scope="session")
def review(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The review folder of `run`."""
    return tmp_path_factory.mktemp("review")


@pytest.fixture(scope="session")
def run(runs: Show, bundle_path: Path, camera: Camera, review: Path) -> Shown:
    """A run that many tests look at: one camera, no token."""
    return runs(bundle_path, "--source", camera.url, "--review", review)


@pytest.fixture(scope="session")
def guarded(
    runs: Show, bundle_path: Path, camera: Camera, tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    """A run that asks for a token."""
    state = str(tmp_path_factory.mktemp("state"))
    words = ("--source", camera.url, "--serve-name", "board.example.org")
    return runs(bundle_path, *words, XDG_STATE_HOME=state)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, one for all tests."""
    program = found()
    if program is None:
        pytest.skip("no browser here: apt install chromium")
    made = Browser(program, tmp_path_factory.mktemp("browser"))
    yield made
    made.close()
