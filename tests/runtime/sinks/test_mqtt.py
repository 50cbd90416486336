"""MQTT against a real mosquitto that goes away and comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.runtime.sinks.broker import Broker, Listener, Relay
from tests.runtime.sinks.made import a_frame, a_result, a_stream, eventually

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks import Bounded, close_sinks, open_sinks

pytest.importorskip("paho.mqtt.client")
Start = Callable[..., Broker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a broker with lines of configuration; it is ended with the test."""
    brokers: list[Broker] = []

    def begin(*lines: str) -> Broker:
        brokers.append(Broker(tmp_path, *lines))
        brokers[-1].start()
        return brokers[-1]

    yield begin
    for broker in brokers:
        broker.stop()


def open_mqtt(
    broker: Broker | Relay, rest: str = "pets/door", login: str = "", **stream: object
) -> Bounded:
    (sink,) = open_sinks([f"mqtt://{login}127.0.0.1:{broker.port}/{rest}"], a_stream(**stream))
    return sink


def connected(sink: Bounded) -> bool:
    return eventually(lambda: not sink.error)


def write(sink: Bounded, number: int) -> None:
    sink.write(a_result("cat" if number % 2 else "dog", number), a_frame(number))


def frames_of(states: list[str]) -> list[int]:
    """The numbers of the results, from their times, in which made.py wrote them."""
    return [round(10 * (json.loads(state)["time"] - 1_700_000_000)) for state in states]


def test_who_comes_later_sees_state_and_status(start: Start) -> None:
    broker = start()
    sink = open_mqtt(broker)
    assert connected(sink)
    write(sink, 1)
    write(sink, 1)
    close_sinks([sink])
    late = Listener(broker)
    assert eventually(lambda: len(late.messages) == 4)
    late.close()
    assert all(retained for _, _, retained in late.messages)
    (state,) = map(json.loads, late.of("pets/door/state"))
    assert (state["label"], state["score"]) == ("cat", 0.9)
    assert state["scores"] == {"cat": 0.9, "dog": 0.1}
    # It said goodbye: nobody takes the state for today's.
    assert late.of("pets/door/status") == ["offline"]


def test_home_assistant_finds_label_and_score(start: Start) -> None:
    broker = start()
    sink = open_mqtt(broker)
    listener = Listener(broker, "homeassistant/#")
    assert eventually(lambda: len(listener.messages) >= 2)
    close_sinks([sink])
    listener.close()
    configs = {topic: json.loads(text) for topic, text, _ in listener.messages}
    assert set(configs) == {
        "homeassistant/sensor/edgecrnn_pets_door/label/config",
        "homeassistant/sensor/edgecrnn_pets_door/score/config",
    }
    for config in configs.values():
        assert config["state_topic"] == "pets/door/state"
        assert config["availability_topic"] == "pets/door/status"
        assert config["device"]["identifiers"] == ["edgecrnn_pets_door"]
    assert len({config["unique_id"] for config in configs.values()}) == 2


def test_a_killed_run_is_told_offline_by_the_broker(start: Start) -> None:
    broker = start()
    listener = Listener(broker, "pets/door/status")
    code = (
        "import sys, time; from edgecrnn.runtime.sinks import open_sinks, Stream;"
        "open_sinks([sys.argv[1]], Stream('0', ('cat', 'dog'), 10.0, True, 'pets'));"
        "time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, f"mqtt://127.0.0.1:{broker.port}/pets/door"]
    )
    assert eventually(lambda: listener.of("pets/door/status") == ["online"], 10)
    child.kill()
    child.wait()
    assert eventually(lambda: listener.of("pets/door/status") == ["online", "offline"])
    listener.close()


def test_nothing_is_lost_while_the_broker_is_away(start: Start) -> None:
    broker = start()
    way = Relay(broker)
    sink = open_mqtt(way)
    assert connected(sink)
    first = Listener(broker, "pets/door/state")
    for number in range(50):
        write(sink, number)
    assert eventually(lambda: len(first.messages) > 20)
    way.cut()
    for number in range(50, 100):
        write(sink, number)
    assert eventually(lambda: sink.error)
    time.sleep(0.3)  # what the broker has taken reaches the listener
    heard = frames_of(first.of("pets/door/state"))
    first.close()
    # The broker dies too, and somebody listens before the way to it is open again.
    broker.stop()
    for number in range(100, 150):
        write(sink, number)
    broker.start()
    second = Listener(broker, "pets/door/state")
    way.mend()
    assert eventually(lambda: len(set(frames_of(second.of("pets/door/state")))) >= 100, 15)
    close_sinks([sink])
    came = frames_of(second.of("pets/door/state"))
    second.close()
    way.close()
    assert set(heard) | set(came) == set(range(150))
    places = [came.index(number) for number in range(100, 150)]
    assert places == sorted(places)
    assert came[-1] == 149
    assert sink.dropped == 0


def test_a_broker_that_is_killed_is_found_again(start: Start) -> None:
    broker = start()
    sink = open_mqtt(broker)
    assert connected(sink)
    broker.stop()
    assert eventually(lambda: "away" in sink.error or "reached" in sink.error)
    write(sink, 7)
    broker.start()
    assert connected(sink)
    late = Listener(broker)
    assert eventually(lambda: 7 in frames_of(late.of("pets/door/state")))
    assert eventually(lambda: "online" in late.of("pets/door/status"))
    close_sinks([sink])
    late.close()


def test_what_is_over_the_bound_is_counted_and_the_newest_state_stays(start: Start) -> None:
    broker = start()
    sink = open_mqtt(broker, "pets?queue=20")
    assert connected(sink)
    broker.stop()
    assert eventually(lambda: sink.error)
    for number in range(101):
        write(sink, number)
    assert eventually(lambda: sink.dropped > 75)
    broker.start()
    assert connected(sink)
    close_sinks([sink])
    late = Listener(broker, "pets/state")
    assert eventually(lambda: frames_of(late.of("pets/state")) == [100])
    late.close()


def test_connections_that_break_at_once_fill_no_queue(start: Start) -> None:
    """As of a broker that takes connections and confirms nothing."""
    broker = start()
    broker.stop()
    sink = open_mqtt(broker, "pets/door?queue=5&every=0")
    mqtt: Any = sink._sink
    taken = SimpleNamespace(is_failure=False)
    for _ in range(40):
        mqtt._connected(mqtt._client, None, None, taken, None)
    write(sink, 1)
    mqtt.error = "not connected yet"
    broker.start()
    assert connected(sink)
    listener = Listener(broker)
    assert eventually(lambda: mqtt._waiting() == 0)
    write(sink, 2)
    assert eventually(lambda: frames_of(listener.of("pets/door/state"))[-1:] == [2])
    assert listener.of("pets/door/status")[-1] == "online"
    assert sink.dropped == 0
    close_sinks([sink])
    listener.close()


def test_the_state_comes_again_after_a_while(start: Start) -> None:
    broker = start()
    sink = open_mqtt(broker, "pets?every=0.1")
    listener = Listener(broker, "pets/state")
    began = time.monotonic()
    for _ in range(40):
        write(sink, 1)
        time.sleep(0.01)
    # A busy machine sleeps longer.
    most = 2 + (time.monotonic() - began) / 0.1
    assert eventually(lambda: 3 <= len(listener.of("pets/state")) <= most)
    close_sinks([sink])
    listener.close()


def test_a_password_is_used_and_a_wrong_one_is_told(start: Start, tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "me", "p@ss/w"], check=True)
    passwords.chmod(0o644)
    broker = start("allow_anonymous false", f"password_file {passwords}")
    sink = open_mqtt(broker, login="me:p%40ss%2Fw@")
    assert connected(sink)
    close_sinks([sink])
    sink = open_mqtt(broker, login="me:hunter2@")
    assert eventually(lambda: "refused" in sink.error)
    assert "hunter2" not in sink.error + sink.name
    close_sinks([sink])


def test_several_streams_have_topics_of_their_own(start: Start) -> None:
    broker = start()
    listener = Listener(broker, "pets/+/status")
    sinks = [open_mqtt(broker, "pets", source=f"/dev/video{n}", several=True) for n in range(2)]
    assert eventually(lambda: len(listener.messages) == 2)
    close_sinks(sinks)
    listener.close()
    assert {topic for topic, _, _ in listener.messages} == {
        "pets/dev_video0/status",
        "pets/dev_video1/status",
    }


def test_a_broker_that_is_not_there_does_not_hold_up_the_end(start: Start) -> None:
    broker = start()
    broker.stop()
    sink = open_mqtt(broker)
    for number in range(5):
        write(sink, number)
    began = time.monotonic()
    close_sinks([sink])
    assert time.monotonic() - began < 10
    assert sink.dropped == 5


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("", "with a topic"),
        ("a/%23", "without # and"),
        ("a?every=often", "expected a number, got 'often'"),
        ("a?queue=0", "expected 1 to 65000 messages, got 0"),
        ("a?discovery=perhaps", "expected yes or no"),
        ("a?evry=1", "got 'evry'"),
    ],
)
def test_a_bad_topic_or_option_is_refused(rest: str, reason: str) -> None:
    with pytest.raises(EdgecrnnError, match=reason):
        open_sinks([f"mqtt://localhost/{rest}"], a_stream())


# paho leaves the socket of a refused certificate to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_with_tls_only_a_broker_that_is_trusted(start: Start, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "broker.pem"
    make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test"
    words = ["openssl", *make.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*words, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    broker = start(f"certfile {certificate}", f"keyfile {key}", "allow_anonymous true")
    address = f"mqtts://127.0.0.1:{broker.port}/pets"
    (trusting,) = open_sinks([f"{address}?ca={certificate}"], a_stream())
    assert connected(trusting)
    (doubting,) = open_sinks([address], a_stream())
    assert eventually(lambda: "not trusted" in doubting.error)
    close_sinks([trusting, doubting])
