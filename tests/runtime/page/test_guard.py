"""Who is answered, and what every answer carries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.runtime.page.browser import Browser
from tests.runtime.page.conftest import Shown

PATHS = ("/", "/page.js", "/status", "/metrics", "/streams/0/snapshot.jpg", "/live")


def token_of(run: Shown) -> str:
    found = re.search(r"\?token=([\w-]+)", run.link)
    assert found is not None
    return found[1]


def cookie_of(run: Shown) -> str:
    answer = run.ask(f"/?token={token_of(run)}")
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("path", ["/", "/page.css", "/status", "/healthz", "/nowhere"])
def test_every_answer_carries_what_keeps_a_browser_safe(run: Shown, path: str) -> None:
    headers = run.ask(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "script-src 'self';" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Python" not in headers["Server"] and "aiohttp" not in headers["Server"]


def test_the_page_holds_nothing_that_its_policy_forbids() -> None:
    import edgecrnn.runtime.page as package

    folder = Path(package.__file__ or "").parent
    for path in folder.glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", text), path
        assert not re.search(r"(src|href)=\"(https?:)?//", text), path
    for path in folder.glob("*.js"):
        assert not re.search(r"innerHTML|insertAdjacent|eval\(|document\.write", path.read_text())


# A site that says that its name means 127.0.0.1 gets nothing: the browser tells its name.
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "192.0.2.7", "a b"])
def test_another_host_is_refused(run: Shown, path: str, host: str) -> None:
    answer = run.ask(path, Host=host)
    assert answer.status == 421
    assert "--serve-name" in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:9000", "LocalHost", "[::1]:80", "127.1.2.3"]
)
def test_this_machine_by_its_names(run: Shown, host: str) -> None:
    assert run.ask("/status", Host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("path", ["/streams/0/pause", "/streams/0/correct", "/live", "/status"])
def test_another_site_can_ask_for_nothing(
    run: Shown, path: str, headers: Mapping[str, str]
) -> None:
    method = "POST" if path.startswith("/streams") else "GET"
    answer = run.ask(path, method, '{"paused": true}', Content_Type="application/json", **headers)
    assert answer.status == 403
    assert json.loads(run.ask("/status").body)["streams"][0]["state"] != "paused"


def test_another_site_may_lead_to_the_page(run: Shown) -> None:
    headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert run.ask("/", **headers).status == 200
    assert run.ask("/streams/0/snapshot.jpg", **headers).status == 403


def test_a_form_of_another_site_cannot_send_what_buttons_send(run: Shown) -> None:
    answer = run.ask("/streams/0/pause", "POST", '{"paused": true}', Content_Type="text/plain")
    assert answer.status == 415


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_there_is_nothing(guarded: Shown, path: str) -> None:
    for headers in ({}, {"Cookie": "edgecrnn=1"}, {"Authorization": "Bearer wrong-token"}):
        answer = guarded.ask(path, **headers)
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
        assert b"canvas" not in answer.body and b"state" not in answer.body
    assert guarded.post("/streams/0/pause", '{"paused": true}').status == 401


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded; charset=none",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
    ],
)
def test_a_form_that_is_none_opens_nothing_and_fills_no_log(guarded: Shown, kind: str) -> None:
    before = len(guarded.said)
    assert guarded.ask("/enter", "POST", "token=x", Content_Type=kind).status == 401
    assert guarded.said[before:] == []


def test_the_token_in_the_link_lets_in(guarded: Shown) -> None:
    answer = guarded.ask(f"/?token={token_of(guarded)}")
    said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said and "SameSite=Strict" in said and "Path=/" in said
    # The next page is asked for by this one, without the token.
    assert 'content="0;url=/"' in answer.text
    cookie = said.partition(";")[0]
    assert "canvas" in guarded.ask("/", Cookie=cookie).text
    assert guarded.ask("/status", Cookie=cookie).status == 200
    assert guarded.ask("/status", Cookie=cookie[:-1]).status == 401


def test_a_program_sends_it_in_a_header(guarded: Shown) -> None:
    answer = guarded.ask("/metrics", Authorization=f"Bearer {token_of(guarded)}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "edgecrnn_up{" in answer.text


def test_a_name_that_was_set(guarded: Shown) -> None:
    cookie = cookie_of(guarded)
    assert guarded.ask("/status", Cookie=cookie, Host="board.example.org").status == 200
    origin = {"Origin": "https://board.example.org", "Host": "board.example.org"}
    answer = guarded.post("/streams/0/pause", '{"paused": false}', Cookie=cookie, **origin)
    assert answer.status == 200


def test_health_is_told_to_everybody_and_names_nothing(guarded: Shown) -> None:
    answer = guarded.ask("/healthz")
    assert answer.status in (200, 503) and "http" not in answer.text


def test_a_wrong_form(guarded: Shown) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    for body in (urlencode({"token": "x" * 32}), "", "token=%FF"):
        answer = guarded.ask("/enter", "POST", body, **form)
        assert answer.status == 401 and "Set-Cookie" not in answer.headers
    assert guarded.ask("/enter", "POST", "token=" + "x" * 9000, **form).status == 413


def test_a_person_is_refused_and_let_in(browser: Browser, guarded: Shown) -> None:
    browser.open(f"{guarded.address}/")
    browser.until("!!document.querySelector('input[name=token]')")
    enter = "document.querySelector('input').value = {!r}; document.querySelector('button').click()"
    browser.value(enter.format("wrong"))
    browser.until("document.querySelector('input[name=token]').value === ''")
    browser.value(enter.format(token_of(guarded)))
    browser.until("document.getElementById('label').textContent.trim()")
    assert browser.value("location.search + document.cookie") == ""
    browser.open("about:blank")
