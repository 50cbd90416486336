"""Names that were made to break a page, and a hundred labels."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.runtime.camera import Camera
from tests.runtime.page.browser import Browser
from tests.runtime.page.conftest import Show

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.frame import Frame, SourceSettings
from edgecrnn.runtime.live import Live, LiveSettings, Model
from edgecrnn.runtime.page import PageSettings, open_page
from edgecrnn.runtime.page.watched import Watched
from edgecrnn.runtime.publishing import Handed, Published
from edgecrnn.runtime.sinks import Sink, Stream
from edgecrnn.runtime.sources import open_source

LABEL = "document.getElementById('label').textContent"
BARS = "[...document.querySelectorAll('#bars .name')].map(e => e.textContent)"
HTML = "<img src=x onerror=\"document.title='broken'\"></script><b>&amp;"
MANY = tuple(f"label {number:02d} {'of a long name ' * (number % 7)}" for number in range(100))


def test_names_are_text(
    browser: Browser, runs: Show, make_bundle: Callable[..., Path], camera: Camera, tmp_path: Path
) -> None:
    camera.say("show red")
    long = "ein_langer_Name_ohne_Zwischenraum_" * 12
    path = make_bundle(labels=(HTML, long, "שלום 你好"), name=f"bundle {HTML}")
    run = runs(path, "--source", camera.url, "--review", tmp_path / "review")
    browser.resize(390, 844, phone=True)
    browser.open(f"{run.address}/")
    browser.until(f"{LABEL} === {json.dumps(HTML)}")
    assert browser.value(BARS) == [HTML, long, "שלום 你好"]
    assert browser.value("document.getElementById('bundle').textContent") == f"bundle {HTML}"
    camera.say("show green")
    browser.until(f"{LABEL} === {json.dumps(long)}")
    browser.value("document.getElementById('wrong').click()")
    browser.until("document.getElementById('correct').open")
    assert browser.value("document.title") == "edgecrnn"
    assert browser.value("document.images.length") == 0
    for box in ("documentElement", "getElementById('correct')"):
        wide = f"(e => e.scrollWidth - e.clientWidth)(document.{box})"
        assert browser.value(wide) == 0, box
    browser.open("about:blank")


class Widened:
    """A sink that makes three labels into a hundred."""

    def __init__(self, watched: Watched):
        self._watched = watched

    def write(self, result: Result, frame: Frame) -> None:
        scores = [0.001] * 100
        scores[10:13] = result.scores
        best = MANY[max(range(100), key=scores.__getitem__)]
        self._watched.write(result._replace(label=best, scores=tuple(scores)), frame)

    def close(self) -> None:
        self._watched.close()


@pytest.fixture
def wide(bundle: Bundle, camera: Camera) -> Iterator[str]:
    """The address of a page of a run with a hundred labels."""
    camera.say("show green")
    said: list[str] = []
    page = open_page(PageSettings("127.0.0.1:0"), said.append)
    assert page is not None

    def sinks(stream: Stream, published: Published) -> Sequence[Sink]:
        assert page is not None
        watched = page.watch(dataclasses.replace(stream, labels=MANY), None)
        return [Widened(watched), Handed(published)]

    source = open_source(camera.url, SourceSettings())
    live = Live([Model.of(load_engine(bundle), bundle)], [source], sinks, LiveSettings())
    stopped = threading.Event()
    thread = threading.Thread(target=live.run, args=(stopped.is_set,))
    with page:
        page.show(live)
        thread.start()
        assert said == [f"live page: {page.address}"]
        yield page.address
        stopped.set()
        thread.join()


def test_of_a_hundred_labels_the_near_ones_are_shown(browser: Browser, wide: str) -> None:
    browser.resize(1280, 800)
    browser.open(wide)
    browser.until(f"{LABEL} === {json.dumps(MANY[11])}")
    browser.until(f"{BARS}[0] === {json.dumps(MANY[11])}")
    assert len(browser.value(BARS)) == 10
    more = "document.getElementById('more')"
    assert browser.value(f"{more}.textContent") == "Show all 100"
    browser.value(f"{more}.click()")
    assert browser.value(BARS) == list(MANY)
    assert browser.value("document.getElementById('wrong').disabled")
    assert "--review FOLDER" in browser.value("document.getElementById('wrong').title")
    assert browser.value("document.documentElement.scrollWidth <= 1280")
    browser.open("about:blank")
