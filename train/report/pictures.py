"""The report of a picture task: what it measures, and what it made of pictures it had not seen."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.answers import OUTPUT_OF, kinds_of, teller_of
from edgecrnn.runtime.files import write_file
from edgecrnn.train.pictures.either import Asked
from edgecrnn.train.pictures.examples import as_answer
from edgecrnn.train.pictures.judge import PictureVerdict
from edgecrnn.train.pictures.record import PictureRecord
from edgecrnn.train.report.curves import curve_chart, series
from edgecrnn.train.report.page import render, style
from edgecrnn.train.tasks import picture_task

_SHOWN = 12
_WIDE = 192  # pixels that a picture is shown wide


def write_picture_report(path: Path, record: PictureRecord, verdict: PictureVerdict) -> None:
    """Write the page; it loads nothing and runs nothing."""
    task = picture_task(record.task)
    curves = [
        series("training", "curve train", record.history, "loss"),
        series("validation", "curve val", record.history, "val_loss"),
    ]
    page = render(
        "pictures.html.j2",
        style=style(),
        record=record,
        what=task.WHAT,
        verdict=verdict,
        first=task.MEASURES[0],
        curve=curve_chart("Loss by epoch", curves, record.best_epoch, share=False),
        rows=example_rows(record.task, record.labels, verdict),
        settings={"Task": dict(record.options), "Frames": vars(record.preprocessing)},
    )
    write_file(path, page.encode())


def example_rows(
    task: str, labels: Sequence[str], verdict: PictureVerdict, most: int = _SHOWN
) -> list[tuple[str, str, str]]:
    """(frame, answer, truth) as data URLs of PNGs, spread evenly over what was judged."""
    kind = picture_task(task).ANSWER
    count = len(verdict.examples)
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
    rows = []
    for index in chosen:
        example, answer, own = verdict.examples[index], verdict.answers[index], kind
        if isinstance(example.target, Asked):
            # Only what the frame asks for is shown.
            part = example.target.part
            answer, own = answer[part], kinds_of(kind)[part]
        frame, tell = _bgr(example.frame), teller_of(own)
        made = (_parts(own, each) for each in (answer, as_answer(example.target, len(labels))))
        shown = [tell(parts, tuple(labels)).view(frame) for parts in made]
        rows.append((_url(frame), _url(shown[0]), _url(shown[1])))
    return rows


def _parts(kind: str, answer: Any) -> dict[str, npt.NDArray[np.float32]]:
    """The answer by the names of the outputs; of a pair it is a tuple of two."""
    answers = answer if isinstance(answer, tuple) else (answer,)
    return {
        OUTPUT_OF[name]: np.asarray(each, np.float32)
        for name, each in zip(kinds_of(kind), answers, strict=True)
    }


def _bgr(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    code = cv2.COLOR_RGB2BGR if frame.shape[-1] == 3 else cv2.COLOR_GRAY2BGR
    return np.asarray(cv2.cvtColor(frame, code), np.uint8)


def _url(image: Any) -> str:
    height, width = image.shape[:2]
    if width < _WIDE:
        size = (_WIDE, round(height * _WIDE / width))
        image = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    return (
        "data:image/png;base64,"
        + base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()
    )
