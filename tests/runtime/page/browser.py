"""A real browser without a window, told what to do over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """The browser of this machine, None where it has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One process with one tab. `profile` is a folder of its own."""

    def __init__(self, program: str, profile: Path):
        self._loop = asyncio.new_event_loop()
        self._count = 0
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        flags += ["--no-first-run", "--no-proxy-server", "--remote-debugging-port=0"]
        self._process = subprocess.Popen(
            [program, *flags, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._run(self._connect(profile / "DevToolsActivePort"))
        except BaseException:
            self._kill()
            raise

    def open(self, address: str) -> None:
        """Go there; returns at once."""
        self.ask("Page.navigate", url=address)

    def value(self, script: str) -> Any:
        """What an expression is in the page."""
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def until(self, script: str, within: float = 30.0) -> Any:
        """Wait until an expression is true, and give it."""
        deadline = time.monotonic() + within
        while True:
            # A page that is being left cannot be asked.
            with contextlib.suppress(AssertionError):
                if value := self.value(script):
                    return value
            assert time.monotonic() < deadline, (script, self.value("document.body.innerText"))
            time.sleep(0.05)

    def resize(self, width: int, height: int, phone: bool = False, dark: bool = False) -> None:
        """Be a window of this size, or a phone, that likes light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1}
        self.ask("Emulation.setDeviceMetricsOverride", mobile=phone, **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """Write what is seen as a PNG."""
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        return self._run(self._asked(method, parameters))

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(Exception):
            self._run(self._session.close())
        self._loop.close()
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _run(self, task: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(task, 60))

    async def _connect(self, file: Path) -> None:
        while not file.exists() or not file.read_text().count("\n"):
            assert self._process.poll() is None, "the browser ended"
            await asyncio.sleep(0.05)
        port = int(file.read_text().splitlines()[0])
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            tabs = await answer.json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        self._socket = await self._session.ws_connect(address, max_msg_size=0)
        await self._asked("Page.enable", {})

    async def _asked(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        await self._socket.send_json({"id": self._count, "method": method, "params": parameters})
        while True:
            got = json.loads((await self._socket.receive()).data)
            if got.get("id") == self._count:
                assert "error" not in got, got
                result: dict[str, Any] = got["result"]
                return result
