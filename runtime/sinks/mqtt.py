"""MQTT: the state retained under a topic, a last will, and Home Assistant's discovery.

Under TOPIC: `state` (JSON, retained) at each change of label and every few seconds, `status`
(online or offline, retained; the broker itself says offline where this end falls silent).
Discovery as https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery describes it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from edgecrnn import __version__
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.sinks._names import slug
from edgecrnn.runtime.sinks._options import read_options
from edgecrnn.runtime.sinks._sink import Stream, Takes, shown
from edgecrnn.runtime.urls import is_host

WHAT = "mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC (mqtts:// with TLS)"
TAKES: Takes = "results"
PASSWORD = "EDGECRNN_MQTT_PASSWORD"  # the variable that keeps it out of the process list
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE = 15  # seconds; a silent broker is noticed after one and a half
_NO_ROOM = 15  # paho's MQTT_ERR_QUEUE_SIZE
_RESERVE = 16  # messages beside the states that the queue has room for
_EXPECTED = "expected mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC"


@dataclass(frozen=True)
class MqttOptions:
    """What can stand behind the question mark."""

    every: float = setting(
        10.0, "the state is sent again after so long without a change", unit="s", least=0.0
    )
    queue: int = setting(
        1000, "messages kept while the broker is away", unit="messages", least=1, most=65000
    )
    discovery: bool = setting(True, "whether Home Assistant is told what there is")
    prefix: str = setting("homeassistant", "where Home Assistant looks for it")
    ca: str = setting("", "file with the certificate that the broker's must be signed with")

    def __post_init__(self) -> None:
        check(self)


def matches(spec: str) -> bool:
    """`mqtt://` or `mqtts://`."""
    return spec.startswith(("mqtt://", "mqtts://"))


def open_sink(spec: str, stream: Stream) -> Mqtt:
    """Begin to connect; a broker that is away is tried again and again.

    Raises:
        EdgecrnnError: the address, the topic or an option is none, or paho-mqtt is missing.
    """
    try:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion
    except ModuleNotFoundError as error:
        raise EdgecrnnError(
            'sink: mqtt expected paho-mqtt, which is not installed; pip install "edgecrnn[mqtt]"'
        ) from error
    url, topic = _parts(spec)
    options = read_options(MqttOptions, url.query, shown(spec))
    if stream.several:
        topic = f"{topic}/{slug(stream.source)}"
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
    if url.username:
        password = unquote(url.password) if url.password else os.environ.get(PASSWORD)
        client.username_pw_set(unquote(url.username), password)
    if url.scheme == "mqtts":
        try:
            client.tls_set(ca_certs=options.ca or None)
        except OSError as error:
            raise EdgecrnnError(
                f"{options.ca}: expected a certificate file, got {error.strerror}; check the path"
            ) from error
    port = url.port or _PORTS[url.scheme]
    return Mqtt(client, url.hostname or "", port, topic, options, stream)


class Mqtt:
    """Publishes at QoS 1: what the broker did not confirm is sent again after a reconnect.

    Args:
        client: paho's, with the credentials set and nothing begun.
        host: of the broker.
        port: of the broker.
        topic: without a slash at its end.
        options: see `MqttOptions`.
        stream: whose results these are.
    """

    def __init__(
        self, client: Any, host: str, port: int, topic: str, options: MqttOptions, stream: Stream
    ):
        self.dropped = 0
        self.error = "not connected yet"
        self._client, self._topic, self._options, self._stream = client, topic, options, stream
        self._label: str | None = None
        self._sent = float("-inf")
        self._state = ""
        self._again = False
        self._hurry = threading.Event()
        self._accepted = self._confirmed = 0
        self._announcing: set[int] = set()  # messages of the last connection, not confirmed
        self._count = threading.Lock()
        client.max_queued_messages_set(options.queue + _RESERVE)
        client.reconnect_delay_set(1, 30)
        client.will_set(f"{topic}/status", "offline", 1, True)
        client.on_connect, client.on_publish = self._connected, self._published
        client.on_disconnect = self._disconnected
        client.on_connect_fail = self._unreachable
        client.connect_async(host, port, _KEEPALIVE)
        client.loop_start()

    def write(self, result: Result, frame: Frame) -> None:
        """Publish the state where the label changed or it was last sent a while ago."""
        now = time.monotonic()
        if result.label == self._label and now - self._sent < self._options.every:
            return
        self._label, self._sent = result.label, now
        scores = zip(self._stream.labels, result.scores, strict=True)
        self._state = json.dumps(
            {
                "label": result.label,
                "score": round(result.score, 4),
                "scores": {label: round(score, 4) for label, score in scores},
                "time": round(result.time, 3),
                "source": self._stream.source,
            }
        )
        # Full: the oldest stay, in their order, and the newest follows when the broker is back.
        if self._waiting() >= self._options.queue:
            self.dropped += 1
            return
        self._publish(f"{self._topic}/state", self._state)

    def close(self) -> None:
        """Wait for what the broker has not confirmed yet, say offline, and go."""
        while self._waiting() and not self._hurry.wait(0.02):
            pass
        self.dropped += self._waiting()
        if self._client.is_connected():
            # A broker speaks the last will only for those who leave without a word.
            self._publish(f"{self._topic}/status", "offline")
            until = time.monotonic() + 0.5
            while self._waiting() and time.monotonic() < until and not self._hurry.wait(0.02):
                pass
        self._client.disconnect()
        self._client.loop_stop()

    def stop(self) -> None:
        """Wait for the broker no longer."""
        self._hurry.set()

    def _waiting(self) -> int:
        """Messages that the broker has not confirmed."""
        with self._count:
            return self._accepted - self._confirmed

    def _publish(self, topic: str, text: str) -> int | None:
        """Send, or keep until there is a connection; its number, None where there is no room."""
        with self._count:
            self._accepted += 1
        message = self._client.publish(topic, text, qos=1, retain=True)
        if message.rc == _NO_ROOM:
            with self._count:
                self._accepted -= 1
            return None
        return int(message.mid)

    def _published(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        self._announcing.discard(mid)
        with self._count:
            self._confirmed += 1
            again = self._again and self._accepted == self._confirmed
            if again:
                self._again = False
                self._accepted += 1
        if again:
            client.publish(f"{self._topic}/state", self._state, qos=1, retain=True)

    def _connected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.error = f"the broker refused: {reason}"
            return
        self.error = ""
        # What a broken connection left unconfirmed of it is sent again by the client itself.
        if not self._announcing:
            self._announcing = self._announce()
        # What is sent again after a reconnect may overtake what is newer; the newest comes last.
        self._again = bool(self._state)

    def _announce(self) -> set[int]:
        """Say that it is online, and what there is; the messages' numbers."""
        said = [self._publish(f"{self._topic}/status", "online")]
        if self._options.discovery:
            for topic, config in discovery(self._topic, self._options.prefix, self._stream):
                said.append(self._publish(topic, json.dumps(config)))
        return {number for number in said if number is not None}

    def _disconnected(
        self, client: Any, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if not self.error:
            self.error = f"the broker is away: {reason}"

    def _unreachable(self, client: Any, data: Any) -> None:
        self.error = "the broker cannot be reached, or its certificate is not trusted"


def discovery(topic: str, prefix: str, stream: Stream) -> list[tuple[str, dict[str, Any]]]:
    """(topic, configuration) of the entities that Home Assistant makes: the label, its score."""
    node = f"edgecrnn_{slug(topic).replace('.', '_')}"
    common = {
        "state_topic": f"{topic}/state",
        "availability_topic": f"{topic}/status",
        "device": {
            "identifiers": [node],
            "name": topic,
            "manufacturer": "edgecrnn",
            "model": stream.bundle,
        },
        "origin": {"name": "edgecrnn", "sw_version": __version__},
    }
    label = {
        "name": "Label",
        "unique_id": f"{node}_label",
        "value_template": "{{ value_json.label }}",
        "json_attributes_topic": f"{topic}/state",
        "icon": "mdi:eye",
    }
    score = {
        "name": "Score",
        "unique_id": f"{node}_score",
        "value_template": "{{ (value_json.score * 100) | round(1) }}",
        "unit_of_measurement": "%",
        "state_class": "measurement",
    }
    return [
        (f"{prefix}/sensor/{node}/{name}/config", {**common, **entity})
        for name, entity in (("label", label), ("score", score))
    ]


def _parts(spec: str) -> tuple[SplitResult, str]:
    """The address, and the topic without slashes around it."""
    try:
        url = urlsplit(spec)
        topic = unquote(url.path).strip("/")
        good = is_host(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:
        good = False
    if not good:
        raise EdgecrnnError(f"sink: {_EXPECTED}, got {shown(spec)!r}")
    if not topic or topic.startswith("$") or set(topic) & set("#+\0") or len(topic) > 200:
        raise EdgecrnnError(
            f"sink: {_EXPECTED} with a topic without # and +, got {topic!r:.200}; "
            "for example mqtt://localhost/edgecrnn/door"
        )
    return url, topic
