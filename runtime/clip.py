"""A recorded clip: lossless frames as the model read them, and what was decided on each.

A folder with the frames as numbered pictures (which `edgecrnn train` reads as a clip),
`decisions.jsonl` (a head, then a line a frame) and `starts.npz` (the memory at each place where
the clip does not follow on from its own frames). That is all that replaying it exactly takes.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.classifier import Memory, Result
from edgecrnn.runtime.decision import DecisionSettings, DecisionState
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sync_folder
from edgecrnn.runtime.settings import check, from_mapping

FORMAT = "edgecrnn clip 1"
DECISIONS = "decisions.jsonl"
STARTS = "starts.npz"
_DAMAGED = "expected a clip that edgecrnn recorded"


@dataclass(frozen=True)
class Head:
    """Where a clip comes from.

    `model` is the SHA-256 of the variant's file; `decision` the rule as it was in use; `why` says
    what it was recorded for, `said` the label that a person gave it ("" for none); `made` is UTC.
    """

    format: str
    bundle: str
    variant: str
    model: str
    labels: tuple[str, ...]
    decision: DecisionSettings
    source: str
    why: str
    said: str
    made: str

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Moment:
    """One frame of a clip, as it was decided live.

    `picture` is its file's name; `frame` and `time` are the result's; `fresh` says that the model
    had seen nothing before, `start` is the memory where the frame before is not in the clip.
    """

    picture: str
    frame: int
    time: float
    label: str
    score: float
    scores: tuple[float, ...]
    fresh: bool
    start: Memory | None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Clip:
    """A clip as read back; the pictures stay in their files."""

    folder: Path
    head: Head
    moments: tuple[Moment, ...]


class ClipWriter:
    """Writes a clip into a folder that is there and empty, frame by frame.

    Raises:
        OSError: the disk is full; the folder is then to be thrown away.
    """

    def __init__(self, folder: Path, head: Head):
        self.frames = 0
        self._folder = folder
        self._lines = [json.dumps(dataclasses.asdict(head))]
        self._starts: dict[str, npt.NDArray[Any]] = {}
        self._number = -2

    def add(self, result: Result) -> None:
        """Add a frame; the result must say what was seen."""
        seen = result.seen
        if seen is None:
            raise ValueError("a result without what was seen cannot be recorded")
        name = f"{self.frames:06d}.png"
        _write(self._folder / name, as_png(seen.prepared))
        start = None
        if not seen.fresh and seen.number != self._number + 1:
            start, arrays = _packed(seen.before)
            self._starts |= {f"{self.frames}/{key}": value for key, value in arrays.items()}
        line = {
            "picture": name,
            "frame": result.frame,
            "time": result.time,
            "label": result.label,
            "score": result.score,
            "scores": result.scores,
            "fresh": seen.fresh,
            "start": start,
        }
        self._lines.append(json.dumps(line))
        self._number = seen.number
        self.frames += 1

    def close(self) -> None:
        """Write what stands beside the pictures, and make all of it survive a power cut."""
        _write(self._folder / DECISIONS, ("\n".join(self._lines) + "\n").encode("ascii"))
        starts = io.BytesIO()
        np.savez(starts, **self._starts)  # type: ignore[arg-type]
        _write(self._folder / STARTS, starts.getvalue())
        for path in self._folder.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(self._folder)


def as_png(prepared: npt.NDArray[np.uint8]) -> bytes:
    """A prepared frame, RGB or gray, as a PNG; reading and preparing it gives it again."""
    if prepared.shape[2] == 3:
        prepared = np.asarray(cv2.cvtColor(prepared, cv2.COLOR_RGB2BGR), np.uint8)
    done, data = cv2.imencode(".png", prepared, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"no picture: {prepared.shape}")
    return data.tobytes()


def read_clip(folder: Path) -> Clip:
    """Read a clip back and check that it is whole.

    Raises:
        EdgecrnnError: it is none, or part of it is missing or damaged.
    """
    where = folder / DECISIONS
    try:
        lines = [json.loads(line) for line in where.read_text("utf-8").splitlines()]
        starts = _read_starts(folder / STARTS)
    except OSError as error:
        raise EdgecrnnError(
            f"{folder}: {_DAMAGED}, got no {Path(error.filename or where).name} "
            f"({error.strerror}); give a folder below --review's or record's"
        ) from error
    except ValueError as error:
        raise EdgecrnnError(f"{where}: {_DAMAGED}, got something else ({error!s:.80})") from error
    if not lines or not isinstance(lines[0], dict) or lines[0].get("format") != FORMAT:
        raise EdgecrnnError(f"{where}: {_DAMAGED}, got another format than {FORMAT!r}")
    decision = from_mapping(DecisionSettings, lines[0].get("decision"), str(where))
    head = from_mapping(Head, {**lines[0], "decision": decision}, str(where))
    moments = []
    for place, line in enumerate(lines[1:]):
        try:
            start = _unpacked(line["start"], starts, place) if line["start"] is not None else None
            moment = Moment(**{**line, "scores": tuple(line["scores"]), "start": start})
            if len(moment.scores) != len(head.labels):
                raise ValueError(f"{len(moment.scores)} scores")
        except (TypeError, LookupError, AttributeError, ValueError, EdgecrnnError) as error:
            raise EdgecrnnError(
                f"{where}: {_DAMAGED}, line {place + 2} is none of its own ({error!s:.80})"
            ) from error
        if moment.picture != f"{place:06d}.png" or not (folder / moment.picture).is_file():
            raise EdgecrnnError(
                f"{folder}: {_DAMAGED}, the picture {moment.picture!r:.80} of line {place + 2} is "
                "missing"
            )
        moments.append(moment)
    if not moments or not (moments[0].fresh or moments[0].start is not None):
        raise EdgecrnnError(f"{where}: {_DAMAGED}, got no frame to begin with")
    return Clip(folder, head, tuple(moments))


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)


def _packed(memory: Memory) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The memory as JSON values and arrays."""
    arrays = {f"state/{name}": np.asarray(value) for name, value in memory.state.items()}
    values: dict[str, Any] = {}
    for name, value in memory.decision._asdict().items():
        if isinstance(value, np.ndarray):
            arrays[f"decision/{name}"] = value
        else:
            values[name] = value
    return values, arrays


def _unpacked(values: dict[str, Any], starts: dict[str, npt.NDArray[Any]], place: int) -> Memory:
    mine = {
        key.partition("/")[2]: value for key, value in starts.items() if key.startswith(f"{place}/")
    }
    state = {key[6:]: value for key, value in mine.items() if key.startswith("state/")}
    decided: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    decided |= {key[9:]: value for key, value in mine.items() if key.startswith("decision/")}
    return Memory(state, DecisionState(**decided))


def _read_starts(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays by name.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    data = path.read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:
        raise ValueError(f"{STARTS}: {error!s:.60}") from error
