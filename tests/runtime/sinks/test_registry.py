"""`--sink SPEC`: which module takes it, and what may be shown of it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.sinks.made import a_frame, a_result, a_stream

from edgecrnn.cli import command_parser
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.sinks import close_sinks, open_sinks, shown, sink_entries

SECRET = st.text("abcXYZ019%:!*", min_size=6, max_size=12)


def test_each_module_is_an_entry_with_a_way_to_write_it() -> None:
    kinds = [entry.WHAT.partition(":")[0] for entry in sink_entries()]
    assert kinds == sorted(kinds)
    assert {"csv", "exec", "jsonl", "mqtt", "terminal", "webhook"} <= set(kinds)


def test_the_help_of_run_names_kinds_that_there_are() -> None:
    (action,) = (a for a in command_parser("run")._actions if a.dest == "sink")
    named = str(action.help).partition(": ")[2].partition(";")[0].split(", ")
    for spec in named:
        assert any(entry.matches(spec) for entry in sink_entries()), spec
    assert len(named) >= 6


def test_an_unknown_kind_is_told_what_there_is() -> None:
    with pytest.raises(EdgecrnnError, match=r"sink: expected csv:FILE, .*jsonl:FILE.*got 'xml:a'"):
        open_sinks(["xml:a"], a_stream())


@pytest.mark.parametrize("spec", ["jsonl:", "csv:", "exec:", "exec: ", "webhook:", "mqtt://"])
def test_nothing_after_the_kind_is_refused(spec: str) -> None:
    with pytest.raises(EdgecrnnError, match="sink: expected"):
        open_sinks([spec], a_stream())


@pytest.mark.parametrize("host", ["door..local", f"{'a' * 64}.local"])
@pytest.mark.parametrize("kind", ["webhook:http", "mqtt"])
def test_a_host_that_nobody_can_look_up_is_refused_at_once(kind: str, host: str) -> None:
    with pytest.raises(EdgecrnnError, match="sink: expected"):
        open_sinks([f"{kind}://{host}/door"], a_stream())


def test_where_one_cannot_be_opened_the_others_are_closed(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(EdgecrnnError):
        open_sinks([f"jsonl:{tmp_path}/a.jsonl", f"jsonl:{tmp_path}"], a_stream())
    assert threading.active_count() == before


def test_several_sinks_take_the_same_results(tmp_path: Path) -> None:
    sinks = open_sinks([f"jsonl:{tmp_path}/a.jsonl", f"csv:{tmp_path}/a.csv"], a_stream())
    for number in range(5):
        for sink in sinks:
            sink.write(a_result("cat", number), a_frame(number))
    close_sinks(sinks)
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 5
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 6
    assert [sink.dropped for sink in sinks] == [0, 0]


@given(SECRET, SECRET, SECRET)
def test_no_secret_is_shown(user: str, password: str, key: str) -> None:
    for spec in (
        f"mqtt://{user}:{password}@broker.example:1883/house?ca={key}",
        f"webhook:https://{user}:{password}@hooks.example/T0/{key}?token={key}",
        f"webhook:https://hooks.example?token={key}@x",
        f"exec:curl -u {user}:{password} https://x/{key}",
    ):
        for secret in (user, password, key):
            assert secret not in shown(spec)


def test_what_is_no_secret_is_shown() -> None:
    assert shown("mqtt://me:pw@broker:1884/a/b") == "mqtt://broker:1884"
    assert shown("webhook:https://hooks.example/T/B") == "webhook:https://hooks.example"
    assert shown("exec:notify-send hello") == "exec:notify-send"
    assert shown("jsonl:/var/log/pets.jsonl") == "jsonl:/var/log/pets.jsonl"


@pytest.mark.parametrize(
    "spec",
    [
        "mqtt://u:hunter2@broker:99999/a",
        "mqtt://u:hunter2@broker/#",
        "mqtt://u:hunter2@broker/a?colour=red",
        "mqtts://u:hunter2@broker/a?ca=/nowhere/ca.pem",
        "webhook:file://u:hunter2@host/etc/passwd",
        "webhook:https://u:hunter2@host:0/x",
        "exec:nothing-called-so -p hunter2",
        "exec:'open hunter2",
        "ftp://u:hunter2@host",
    ],
)
def test_no_password_in_an_error(spec: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        open_sinks([spec], a_stream())
    assert "hunter2" not in str(caught.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho", None)
    with pytest.raises(EdgecrnnError, match=r'pip install "edgecrnn\[mqtt\]"'):
        open_sinks(["mqtt://localhost/pets"], a_stream())
