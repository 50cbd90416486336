"""The live page of a task in headless Chromium, on one of its test pictures, as a small picture.

    PYTHONPATH=. python bench/tasks/live.py RUN BUNDLE OUT.webp [--data DATA] [--picture N]

The frame is what the task makes of the test picture (its noise, its holes); generate makes its
own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import cv2
from tests.runtime.page.browser import Browser, found
from tests.runtime.page.conftest import Shown

from edgecrnn.train.pictures.examples import fixed_examples
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.load import load_pictures
from edgecrnn.train.pictures.record import PictureRecord, read_picture_record
from edgecrnn.train.tasks import picture_task

_WINDOW, _SHRUNK = (1000, 440), 0.68
_COUNT = 120  # frames of the film, two a second
_WATCHED = 6.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="where they are not where they were trained from")
    parser.add_argument("--picture", type=int, default=0, help="which test picture")
    args = parser.parse_args()
    bundle, out = args.bundle.resolve(), args.out.resolve()
    record = read_picture_record(args.run)
    with tempfile.TemporaryDirectory() as scratch:
        source = _source(record, args.data or Path(record.data.root), args.picture, Path(scratch))
        page = _page(bundle, source, Path(scratch))
    small = cv2.resize(page, None, fx=_SHRUNK, fy=_SHRUNK, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), small, [cv2.IMWRITE_WEBP_QUALITY, 80])


def _source(record: PictureRecord, data: Path, number: int, scratch: Path) -> str:
    """A folder with one frame again and again, or noise."""
    task, shape = picture_task(record.task), record.preprocessing
    if record.task == "generate":
        return f"noise:{shape.width}x{shape.height}?classes={len(record.labels)}"
    layout = find_pictures(data, task.NEEDS, record.data.split_seed)
    test = load_pictures(layout, shape).splits["test"]
    frame = list(fixed_examples(task, record.settings, test, "test"))[number].frame
    pixels = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if frame.shape[2] == 1 else cv2.COLOR_RGB2BGR)
    folder = scratch / "pictures"
    folder.mkdir()
    for index in range(_COUNT):
        cv2.imwrite(str(folder / f"{index:04d}.png"), pixels)
    # Named as it is seen from there, for the page shows it.
    os.chdir(scratch)
    return folder.name


def _page(bundle: Path, source: str, scratch: Path) -> cv2.typing.MatLike:
    """What the browser shows once a few frames have been answered."""
    program = found()
    if program is None:
        raise SystemExit("expected Chromium or Chrome on the path, got neither")
    flags = ("--serve", "127.0.0.1:0", "--rate", "2", "--realtime")
    run = Shown(bundle, "--source", source, *flags)
    browser = Browser(program, scratch / "profile")
    try:
        browser.resize(*_WINDOW)
        browser.open(f"{run.address}/")
        browser.until("document.readyState === 'complete'")
        time.sleep(_WATCHED)
        browser.screenshot(scratch / "page.png")
    finally:
        browser.close()
        run.process.terminate()
        run.process.wait()
    page = cv2.imread(str(scratch / "page.png"))
    assert page is not None
    return page


if __name__ == "__main__":
    main()
