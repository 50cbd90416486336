"""What a person sees and does, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from tests.runtime.camera import Camera
from tests.runtime.page.browser import Browser
from tests.runtime.page.conftest import Show, Shown

LABEL = "document.getElementById('label').textContent"
VEIL = "!document.getElementById('veil').hidden && document.getElementById('veil').textContent"
# The pixel in the middle of the picture: [red, green, blue, 255].
PIXEL = """(() => { const c = document.getElementById('picture');
    return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]; })()"""


def click(browser: Browser, what: str) -> None:
    browser.value(f"document.querySelector({json.dumps(what)}).click()")


@pytest.fixture
def page(browser: Browser, run: Shown, camera: Camera) -> Iterator[Browser]:
    """The page of the run, where the camera shows red."""
    camera.say("show red")
    browser.resize(1280, 800)
    browser.open(f"{run.address}/")
    browser.until(f"document.readyState === 'complete' && {LABEL} === 'red'")
    yield browser
    browser.open("about:blank")


def test_the_picture_moves_and_its_label_changes(page: Browser, camera: Camera) -> None:
    page.until(f"{PIXEL}[0] > 180 && {PIXEL}[1] < 90")
    camera.say("show green")
    page.until(f"{LABEL} === 'green'")
    page.until(f"{PIXEL}[1] > 180")
    assert page.value("document.querySelector('#bars .decided .name').textContent") == "green"
    widths = "[...document.querySelectorAll('#bars .fill')].map(e => parseFloat(e.style.width))"
    page.until(f"{widths}[1] > 90 && {widths}[0] < 10")


def test_the_chart_is_drawn(page: Browser) -> None:
    page.until(
        """(() => { const c = document.getElementById('chart'), p = c.getContext('2d');
        const d = p.getImageData(0, 0, c.width, c.height).data; let n = 0;
        for (let i = 0; i < d.length; i += 4) n += d[i + 3] && d[i] !== d[i + 2];
        return n > 300; })()"""
    )


def test_it_tells_how_the_run_is_doing(page: Browser) -> None:
    page.until("document.getElementById('latency').textContent.endsWith('ms')")
    page.until("parseFloat(document.getElementById('fps').textContent) > 1")
    assert page.value("document.getElementById('delegate').textContent") == "cpu"
    assert "float32, ai-edge-litert" in page.value("document.getElementById('engine').textContent")
    assert page.value("document.getElementById('notice').hidden")


def test_pause_and_go_on(page: Browser, camera: Camera) -> None:
    click(page, "#pause")
    page.until(f"{VEIL} === 'Paused'")
    camera.say("show blue")
    assert page.value("document.getElementById('pause').textContent") == "Go on"
    assert page.value(LABEL) == "red"
    click(page, "#pause")
    page.until(f"{LABEL} === 'blue'")
    page.until(f"!({VEIL})")


def test_this_was_wrong_it_is_blue(page: Browser, camera: Camera, review: Path) -> None:
    click(page, "#wrong")
    page.until("document.getElementById('correct').open")
    assert "red" in page.value("document.getElementById('correct-why').textContent")
    asked = "performance.getEntriesByType('resource').map(e => e.name)"
    page.until(f"{asked}.some(name => name.endsWith('/hold'))")
    # The picture goes on while the person looks for the label; what is meant was seen before.
    camera.say("show green")
    page.until(f"{LABEL} === 'green'")
    click(page, "#choices button:nth-child(3)")
    said = page.until("document.getElementById('toast').textContent")
    (clip,) = [path for path in (review / "blue").iterdir() if path.name in said]
    assert clip.name.endswith("corrected")
    last = cv2.imread(str(sorted(clip.glob("*.png"))[-1]))
    assert last is not None and last.mean((0, 1)).argmax() == 2


def test_a_snapshot_is_the_frame_as_it_came(run: Shown, page: Browser) -> None:
    answer = run.ask(page.value("document.getElementById('snapshot').getAttribute('href')"))
    assert answer.headers["Content-Type"] == "image/jpeg" and answer.body[:2] == b"\xff\xd8"


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(page: Browser, dark: bool) -> None:
    page.resize(390, 844, phone=True, dark=dark)
    assert page.value("document.documentElement.scrollWidth") == 390
    small = "[...document.querySelectorAll('#buttons > *')].map(e => e.getBoundingClientRect())"
    assert all(
        page.value(f"{small}[{n}].height >= 44 && {small}[{n}].right <= 390") for n in range(3)
    )
    ground = page.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(19, 22, 27)" if dark else "rgb(247, 246, 242)")


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(page: Browser, run: Shown) -> None:
    names = page.value("performance.getEntriesByType('resource').map(e => e.name)")
    assert names and all(name.startswith(f"{run.address}/") for name in names), names


def test_a_hidden_page_asks_for_nothing(page: Browser) -> None:
    # What the browser would say where another tab is in front.
    page.value(
        """Object.defineProperty(document, 'hidden', {value: true, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); 0"""
    )
    mark = "document.getElementById('picture').getContext('2d').fillRect(0, 0, 64, 48)"
    page.value(f"new Promise(done => setTimeout(() => {{ {mark}; done(0); }}, 500))")
    black = f"new Promise(done => setTimeout(() => done({PIXEL}), 600))"
    assert page.value(black)[:3] == [0, 0, 0]
    page.value("delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); 0")
    page.until(f"{PIXEL}[0] > 180")


def test_two_sources_of_which_one_goes_away(
    browser: Browser, runs: Show, cameras: Callable[[], Camera], bundle_path: Path
) -> None:
    first, second = cameras(), cameras()
    second.say("show blue")
    sources = ("--source", first.url, "--source", second.url, "--first-pause", 0.1)
    run = runs(bundle_path, *sources, "--longest-pause", 0.3)
    browser.open(f"{run.address}/")
    browser.until(f"{LABEL} === 'red'")
    tabs = "[...document.querySelectorAll('#streams button b')].map(e => e.textContent)"
    browser.until(f"{tabs}.join() === 'red,blue'")
    click(browser, "#streams button:nth-child(2)")
    browser.until(f"{LABEL} === 'blue' && {PIXEL}[2] > 180")
    assert browser.value("document.getElementById('source').textContent") == second.url
    second.kill()
    browser.until(f"({VEIL} || '').includes('Opening it again')")
    browser.until(f"{tabs}.join() === 'red,reopening'")
    second.start("green")
    browser.until(f"{LABEL} === 'green' && !({VEIL})")
    run.process.terminate()
    browser.until(f"({VEIL} || '').includes('ended')")
