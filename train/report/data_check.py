"""The page of `edgecrnn data check`: findings with pictures, class counts, a contact sheet."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from edgecrnn.runtime.files import write_file
from edgecrnn.train.data.check.check import Checked
from edgecrnn.train.data.check.finding import Finding
from edgecrnn.train.data.check.reading import Reading, frames_at, spread_places
from edgecrnn.train.data.check.text import verdict
from edgecrnn.train.data.decode import BadFileError
from edgecrnn.train.report.page import render, style

_PICTURE, _FRAME = 120, 84  # pixels of height, of a picture and of a clip's frame
_WIDEST = 2.5  # widths of a height: a panorama is cut short
_FRAMES = 4  # shown of a clip
_ENTRIES = {"serious": 12, "warning": 8, "note": 4}  # of a finding, with pictures
_TOGETHER = 3  # files of an entry
_NAMES = 60  # of a finding without pictures
_CLASSES = 60  # on the contact sheet
_WITHOUT_PICTURES = ("broken", "unread")


@dataclass(frozen=True)
class Shown:
    """One file on the page."""

    name: str
    image: str  # a data URI, empty where the file cannot be decoded
    split: str
    label: str


@dataclass(frozen=True)
class Group:
    """Files that a finding names together."""

    files: tuple[Shown, ...]
    more: int
    said: str


@dataclass(frozen=True)
class Part:
    """A finding, ready for the page."""

    finding: Finding
    groups: tuple[Group, ...]
    names: tuple[tuple[str, str], ...]  # of entries without pictures: file and what is said
    more: int


@dataclass(frozen=True)
class Bar:
    """How many files of a class there are."""

    label: str
    parts: tuple[tuple[str, int, float], ...]  # split, files, per cent of the longest bar


def build_data_check(checked: Checked, most: int) -> str:
    """The whole page as HTML; it loads nothing and runs nothing.

    Args:
        checked: what was found.
        most: files shown of each class and split, spread over them in their order.
    """
    by_name = {checked.layout.name(reading.item): reading for reading in checked.readings}
    sheet = _sheet(checked, most)
    wanted = {name for _, rows in sheet for _, names, _ in rows for name in names}
    for finding in checked.findings:
        for entry in _with_pictures(finding):
            wanted.update(entry.files[:_TOGETHER])
    images = _images([by_name[name] for name in sorted(wanted)])

    def show(name: str) -> Shown:
        item = by_name[name].item
        return Shown(name, images.get(item.path, ""), item.split, checked.layout.said(item.label))

    parts = [_part(finding, show) for finding in checked.findings]
    return render(
        "data_check.html.j2",
        style=style() + Markup((Path(__file__).parent / "data_check.css").read_text("utf-8")),
        checked=checked,
        name=checked.layout.root.resolve().name,
        one=checked.layout.kind.removesuffix("s"),
        splits=list(checked.counts),
        totals={
            split: sum(1 for r in checked.readings if r.item.split == split)
            for split in checked.counts
        },
        verdict=verdict(checked),
        parts=parts,
        bars=_bars(checked),
        sheet=[
            (label, [(split, [show(name) for name in names], more) for split, names, more in rows])
            for label, rows in sheet
        ],
        left_out=max(0, len(checked.layout.sets) - _CLASSES),
    )


def write_data_check(path: Path, checked: Checked, most: int) -> None:
    """Write the page, whole or not at all."""
    write_file(path, build_data_check(checked, most).encode("utf-8", "replace"))


def _with_pictures(finding: Finding) -> Sequence[Any]:
    return (
        () if finding.kind in _WITHOUT_PICTURES else finding.entries[: _ENTRIES[finding.severity]]
    )


def _part(finding: Finding, show: Any) -> Part:
    entries = _with_pictures(finding)
    groups = tuple(
        Group(
            tuple(show(name) for name in entry.files[:_TOGETHER]),
            max(0, len(entry.files) - _TOGETHER),
            entry.said,
        )
        for entry in entries
    )
    named = finding.entries[len(entries) :][:_NAMES]
    names = tuple((" ~ ".join(entry.files[:_TOGETHER]), entry.said) for entry in named)
    return Part(finding, groups, names, len(finding.entries) - len(groups) - len(names))


def _bars(checked: Checked) -> list[Bar]:
    totals = [
        sum(counts[label] for counts in checked.counts.values()) for label in checked.layout.labels
    ]
    longest = max([1, *totals])
    return [
        Bar(
            label,
            tuple(
                (split, counts[label], 100 * counts[label] / longest)
                for split, counts in checked.counts.items()
            ),
        )
        for label in checked.layout.labels
    ]


_Rows = list[tuple[str, list[str], int]]


def _sheet(checked: Checked, most: int) -> list[tuple[str, _Rows]]:
    """For each class its rows: the split, the names shown, and how many more there are."""
    held: dict[tuple[int, str], list[str]] = {}
    for reading in checked.readings:
        if not reading.error:
            key = reading.item.label, reading.item.split
            held.setdefault(key, []).append(checked.layout.name(reading.item))
    sheet = []
    for label in range(min(len(checked.layout.sets), _CLASSES) if most else 0):
        rows = []
        for split in checked.counts:
            names = held.get((label, split), [])
            chosen = spread_places(len(names), min(most, len(names))).tolist()
            rows.append((split, [names[i] for i in chosen], len(names) - len(chosen)))
        sheet.append((checked.layout.said(label), rows))
    return sheet


def _images(readings: Sequence[Reading]) -> dict[Path, str]:
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(_image, readings)
        return {r.item.path: image for r, image in zip(readings, found, strict=True) if image}


def _image(reading: Reading) -> str:
    """A picture, or some frames of a clip side by side, as a data URI."""
    if reading.error:
        return ""
    clip = reading.thumbnails is not None and len(reading.thumbnails) > 1
    count = len(reading.times)
    places = spread_places(count, min(_FRAMES, count)) if clip else [0]
    try:
        frames = frames_at(reading.item.path, [int(place) for place in places])
    except BadFileError:
        # It was whole a moment ago; then it is shown as one that is not.
        return ""
    return _jpeg(_fitted(frame, _FRAME if clip else _PICTURE) for frame in frames)


def _fitted(frame: npt.NDArray[np.uint8], height: int) -> npt.NDArray[np.uint8]:
    width = max(1, round(min(_WIDEST, frame.shape[1] / frame.shape[0]) * height))
    wide = round(_WIDEST * frame.shape[0])
    cut = np.ascontiguousarray(frame[:, : max(1, wide)])
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(frames: Iterable[npt.NDArray[np.uint8]]) -> str:
    parts: list[npt.NDArray[np.uint8]] = []
    for frame in frames:
        if parts:
            parts.append(np.full((len(frame), 2, 3), 255, np.uint8))
        parts.append(frame)
    joined = np.hstack([part[: len(parts[0])] for part in parts])
    _, data = cv2.imencode(".jpg", joined, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
