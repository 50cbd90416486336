"""A network camera as a process of its own: MJPEG over HTTP, with the faults that cameras have.

    python camera.py PORT RATE

prints its port, then does what each line of its standard input says: `show COLOR [WIDTHxHEIGHT]`,
`freeze` (the connection stays, nothing comes), `garbage`, `half` (half of each picture).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

COLORS = ("blue", "green", "red")  # OpenCV's order


def picture(color: str, size: str = "64x48") -> bytes:
    """A JPEG of one colour with a little noise."""
    width, height = map(int, size.split("x"))
    image = np.random.default_rng(0).integers(0, 30, (height, width, 3), np.uint8)
    image[..., COLORS.index(color)] += 200
    return cv2.imencode(".jpg", image)[1].tobytes()


class Camera:
    """Starts the process; `kill` and `start` again on the same port."""

    def __init__(self, rate: float = 25.0) -> None:
        self.rate = rate
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def start(self, color: str = "red") -> None:
        command = [sys.executable, __file__, str(self.port), str(self.rate)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.say(f"show {color}")
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def main(port: int, rate: float) -> None:
    """Serve until standard input ends."""
    doing = ["freeze"]
    parts: dict[str, bytes] = {"freeze": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                while True:
                    self.wfile.write(parts[doing[0]])
                    time.sleep(1 / rate)

        def log_message(self, *args: object) -> None:
            pass

    def part(body: bytes, length: int) -> bytes:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n"
        return head.encode() + body + b"\r\n"

    shown = picture("red")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for number, line in enumerate(sys.stdin):
        words = line.split()
        if words[0] == "show":
            shown = picture(*words[1:])
            parts[line] = part(shown, len(shown))
        elif words[0] == "garbage":
            parts[line] = bytes(np.random.default_rng(1).integers(0, 256, 3000, np.uint8))
        elif words[0] == "half":
            parts[line] = part(shown[: len(shown) // 2], len(shown) // 2)
        else:
            parts[line] = b""
        doing[0] = line
        if number == 0:
            print(server.server_address[1], flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
