"""Does `edgecrnn data check` find altered copies, and does it call different files the same?

    python bench/near_duplicates.py DATA... [--copies 30]

For each data folder: what is found in it as it is (pairs in two splits and under two classes are
listed, to be looked at), then, for each way of altering, how many copies of files of train are
found once they stand in test, by the limit that the set itself gives.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgecrnn.train.data.check.near_duplicates import NearDuplicates, near_duplicates
from edgecrnn.train.data.check.reading import Reading, read_all
from edgecrnn.train.data.decode import whole_frames
from edgecrnn.train.data.layout import Layout, read_layout

Frame = np.ndarray[Any, Any]


def encoded(frame: Frame, quality: int) -> Frame:
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def resized(frame: Frame, factor: float) -> Frame:
    size = round(frame.shape[1] * factor), round(frame.shape[0] * factor)
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(frame, size, interpolation=kind))


def moved(frame: Frame) -> Frame:
    return np.asarray(cv2.copyMakeBorder(frame, 1, 0, 1, 0, cv2.BORDER_REPLICATE))[:-1, :-1]


def cropped(frame: Frame) -> Frame:
    top, left = (round(0.02 * side) for side in frame.shape[:2])
    return frame[top : frame.shape[0] - top, left : frame.shape[1] - left]


def brighter(frame: Frame) -> Frame:
    return np.asarray(cv2.convertScaleAbs(frame, alpha=1.1))


def darker(frame: Frame) -> Frame:
    return np.asarray(cv2.subtract(frame, np.full_like(frame, 15)))


ALTERED: dict[str, Callable[[Frame], Frame]] = {
    "JPEG 50": lambda frame: encoded(frame, 50),
    "half size": lambda frame: resized(frame, 0.5),
    "1.3 times the size": lambda frame: resized(frame, 1.3),
    "10 % brighter": brighter,
    "15 levels darker": darker,
    "moved by a pixel": moved,
    "cropped by 2 %": cropped,
    "all of these": lambda f: encoded(resized(moved(cropped(brighter(f))), 0.5), 60),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--copies", type=int, default=30)
    args = parser.parse_args()
    for root in args.data:
        layout = read_layout(root)
        start = time.monotonic()
        readings = read_all(layout.items, layout.kind)
        middle = time.monotonic()
        near = near_duplicates(readings)
        end = time.monotonic()
        print(
            f"\n{root.name}: {len(readings)} {layout.kind}, read in {middle - start:.1f} s, "
            f"compared in {end - middle:.1f} s; limit {near.limit:.3f}"
        )
        told(layout, readings, near)
        copies(layout, readings, args.copies)


def told(layout: Layout, readings: tuple[Reading, ...], near: NearDuplicates) -> None:
    items = [reading.item for reading in readings]
    inside = 0
    for pair in near.pairs:
        one, other = items[pair.first], items[pair.second]
        if one.split == other.split and one.label == other.label:
            inside += 1
            continue
        print(f"  {pair.difference:.3f}  {layout.name(one)} ~ {layout.name(other)}")
    print(f"  {inside} pairs within one class and split")


def copies(layout: Layout, readings: tuple[Reading, ...], count: int) -> None:
    train = [i for i, r in enumerate(readings) if r.item.split == "train" and not r.error]
    chosen = np.random.default_rng(0).choice(train, min(count, len(train)), replace=False).tolist()
    with tempfile.TemporaryDirectory() as folder:
        for name, alter in ALTERED.items():
            made = [write(readings[i], alter, Path(folder), layout.kind) for i in chosen]
            altered = [
                replace(readings[i].item, path=path, split="test", digest=str(path))
                for i, path in zip(chosen, made, strict=True)
            ]
            near = near_duplicates([*readings, *read_all(altered, layout.kind)])
            pairs = {(pair.first, pair.second) for pair in near.pairs}
            found = sum((i, len(readings) + n) in pairs for n, i in enumerate(chosen))
            print(f"  {name:<20} {found:>3} of {len(chosen)} found, limit {near.limit:.3f}")


def write(reading: Reading, alter: Callable[[Frame], Frame], folder: Path, kind: str) -> Path:
    stem = reading.item.digest[:16]
    frames = (alter(frame) for _, frame in whole_frames(reading.item.path))
    if kind == "pictures":
        path = folder / f"{stem}.png"
        cv2.imwrite(str(path), next(frames))
        return path
    path = folder / f"{stem}.avi"
    first = next(frames)
    size = first.shape[1], first.shape[0]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), reading.rate or 10, size)
    writer.write(first)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


if __name__ == "__main__":
    main()
