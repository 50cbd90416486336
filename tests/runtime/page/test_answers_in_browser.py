"""A model that answers with pictures, as a person sees it: the frame beside what was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.runtime.camera import Camera
from tests.runtime.negative import write_negative
from tests.runtime.page.browser import Browser
from tests.runtime.page.conftest import Show

LABEL = "document.getElementById('label').textContent"
# The pixels in the middle of the left and of the right half: [[red, green, blue, 255], ...].
HALVES = """(() => { const c = document.getElementById('picture'), p = c.getContext('2d');
    return [0.25, 0.75].map(x => [...p.getImageData(x * c.width, c.height / 2, 1, 1).data]); })()"""


def test_the_made_picture_stands_beside_the_frame(
    browser: Browser, runs: Show, cameras: Callable[[], Camera], tmp_path: Path
) -> None:
    camera = cameras()
    run = runs(write_negative(tmp_path / "negative.edgecrnn"), "--source", camera.url)
    camera.say("show red")
    browser.open(f"{run.address}/")
    browser.until(f"document.readyState === 'complete' && {LABEL} === 'picture'")
    browser.until(f"{HALVES}[0][0] > 180 && {HALVES}[0][1] < 90")
    # The negative of red is cyan.
    browser.until(f"{HALVES}[1][0] < 90 && {HALVES}[1][1] > 180 && {HALVES}[1][2] > 180")
    camera.say("show green")
    browser.until(f"{HALVES}[0][1] > 180 && {HALVES}[1][1] < 90")
    for name in ("scores", "course", "wrong"):
        assert browser.value(f"document.getElementById('{name}').hidden")
    assert browser.value("document.getElementById('score').textContent") == ""
    snapshot = run.ask("/streams/0/snapshot.jpg")
    assert snapshot.status == 200 and snapshot.headers["Content-Type"] == "image/jpeg"
    browser.open("about:blank")
