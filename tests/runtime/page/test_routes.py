"""What programs read, and what is said to a wrong question."""

from __future__ import annotations

import json
import time

import pytest
from tests.runtime.page.conftest import Shown


def test_status(run: Shown) -> None:
    told = json.loads(run.ask("/status").body)
    assert told["streams"][0]["delegate"] == "cpu" and told["machine"]["name"]
    assert {"state", "fps_in", "p95_ms", "age", "well"} <= set(told["streams"][0])


def test_health_follows_the_stream(run: Shown) -> None:
    deadline = time.monotonic() + 30
    while run.ask("/healthz").text != "ok\n":
        assert time.monotonic() < deadline
    assert run.ask("/healthz").status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/streams/0/pause", "{}", 400, "paused"),
        ("/streams/0/pause", '{"paused": 1}', 400, "paused"),
        ("/streams/0/pause", "[]", 400, "a JSON object"),
        ("/streams/0/pause", "{", 400, "a JSON object"),
        ("/streams/0/pause", "[" * 4000, 400, "a JSON object"),
        ("/streams/7/pause", '{"paused": true}', 404, "below 1"),
        ("/streams/0/correct", "{}", 400, "label"),
        ("/streams/0/correct", '{"label": 3}', 400, "label"),
        ("/streams/0/correct", '{"label": "red", "held": "1"}', 400, "held"),
        ("/streams/0/correct", '{"label": "red", "held": 99}', 409, "ask again"),
        ("/streams/0/hold", "[]", 400, "a JSON object"),
        ("/streams/0/correct", '{"label": "gren"}', 409, "did you mean 'green'"),
        ("/streams/0/correct", '{"label": "../red"}', 409, "expected a label among"),
        ("/streams/1/correct", '{"label": "red"}', 404, "below 1"),
    ],
)
def test_a_wrong_question(run: Shown, path: str, body: str, status: int, said: str) -> None:
    answer = run.post(path, body)
    assert answer.status == status
    assert said in json.loads(answer.body)["error"]


def test_correcting_without_a_review_folder(guarded: Shown) -> None:
    token = guarded.link.partition("token=")[2].strip()
    answer = guarded.post("/streams/0/correct", '{"label": "red"}', Authorization=f"Bearer {token}")
    assert answer.status == 409
    assert "--review FOLDER" in json.loads(answer.body)["error"]


def test_what_is_nowhere(run: Shown) -> None:
    for path in (
        "/streams/9/snapshot.jpg",
        "/streams/-1/snapshot.jpg",
        "/../page.py",
        "/server.py",
    ):
        assert run.ask(path).status == 404
    assert run.ask("/streams/0/pause").status == 405
    assert run.post("/streams/0/pause", "x" * 9000).status == 413
