"""POSTs JSON at each change of label; tries again with growing pauses, a few minutes at most."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import ssl
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from edgecrnn import __version__
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.sinks._sink import Stream, Takes, shown
from edgecrnn.runtime.urls import is_host

WHAT = "webhook:http(s)://..."
TAKES: Takes = "changes"
_AGAIN = (408, 425, 429)  # answers that ask for another try, beside 5xx
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_TIMEOUT = 10.0
_LONGEST_PAUSE = 120.0  # seconds of a server's own wish that are respected


@dataclass(frozen=True)
class Patience:
    """`pauses` in seconds between the tries of one message; `timeout` in seconds for each try."""

    pauses: tuple[float, ...] = _PAUSES
    timeout: float = _TIMEOUT


def matches(spec: str) -> bool:
    """`webhook:` and an address."""
    return spec.startswith("webhook:")


def open_sink(spec: str, stream: Stream) -> Webhook:
    """Check the address; nothing is sent yet.

    Raises:
        EdgecrnnError: it is no http or https address.
    """
    address = spec.removeprefix("webhook:")
    try:
        url = urlsplit(address)
        good = url.scheme in ("http", "https") and is_host(url.hostname)
        good = (
            good
            and (url.port is None or url.port > 0)
            and address.isascii()
            and address.isprintable()
        )
        good = good and not set(address) & set(" \\")
    except ValueError:
        good = False
    if not good:
        raise EdgecrnnError(
            f"sink: expected webhook:http://... or webhook:https://..., got {shown(spec)!r}; "
            "only these two are spoken"
        )
    return Webhook(url, stream, Patience())


class Webhook:
    """Sends one message after the other to one address, and follows no redirect.

    Each message carries an `id`; a message that is sent again, because its answer was lost,
    carries the same one.

    Args:
        url: http or https; a user and password in it are sent as Basic authorization.
        stream: whose results these are.
        patience: pauses and time-out.
    """

    def __init__(self, url: SplitResult, stream: Stream, patience: Patience):
        self._url, self._stream, self._patience = url, stream, patience
        self.dropped = 0
        self.error = ""  # while a message is tried again
        self._label = UNKNOWN
        self._hurry = threading.Event()
        self._run = secrets.token_hex(8)
        self._target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"edgecrnn/{__version__}",
        }
        if url.username is not None:
            user = f"{unquote(url.username)}:{unquote(url.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"

    def write(self, result: Result, frame: Frame) -> None:
        """Send the change, and wait until it was taken.

        Raises:
            EdgecrnnError: it was refused, or not taken in any of the tries.
        """
        before, self._label = self._label, result.label
        if result.label == before:
            return
        scores = zip(self._stream.labels, result.scores, strict=True)
        message = {
            "id": f"{self._run}-{result.frame}",
            "time": round(result.time, 3),
            "source": self._stream.source,
            "bundle": self._stream.bundle,
            "frame": result.frame,
            "label": result.label,
            "before": before,
            "score": round(result.score, 4),
            "scores": {label: round(score, 4) for label, score in scores},
        }
        body = json.dumps(message).encode("ascii")
        for pause in (*self._patience.pauses, None):
            self.error = ""
            wish, reason = self._try(body)
            if not reason:
                return
            self.error = f"the change to {result.label!r} is tried again; {reason}"
            if pause is None or self._hurry.wait(max(pause, wish)):
                self.error = ""
                tries = "in any try" if pause is None else "before it was closed"
                raise EdgecrnnError(
                    f"the change to {result.label!r} was not taken {tries}; {reason}"
                )

    def close(self) -> None:
        """Nothing is held."""

    def stop(self) -> None:
        """Try once more at most."""
        self._hurry.set()

    def _try(self, body: bytes) -> tuple[float, str]:
        """(seconds that the server wants to be left alone, why it did not take it or nothing).

        Raises:
            EdgecrnnError: the server says that another try is of no use.
        """
        connection = self._connection()
        try:
            connection.request("POST", self._target, body, self._headers)
            # Its body says nothing more, and one that drips would never end.
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            return 0.0, f"the last try failed: {reason or str(error) or type(error).__name__}"
        finally:
            connection.close()
        if 200 <= answer.status < 300:
            return 0.0, ""
        said = f"{answer.status} {answer.reason}"
        if answer.status >= 500 or answer.status in _AGAIN:
            return _wish(answer.getheader("Retry-After")), f"the last answer was {said}"
        if 300 <= answer.status < 400:
            raise EdgecrnnError(f"the answer was {said}; redirects are not followed")
        raise EdgecrnnError(f"the message was refused: {said}")

    def _connection(self) -> http.client.HTTPConnection:
        host, timeout = self._url.hostname or "", self._patience.timeout
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(
                host, self._url.port, timeout=timeout, context=context
            )
        return http.client.HTTPConnection(host, self._url.port, timeout=timeout)


def _wish(header: str | None) -> float:
    """Seconds of a Retry-After header; its form with a date is left aside."""
    if header is None or not header.strip().isdecimal():
        return 0.0
    return min(float(header), _LONGEST_PAUSE)
