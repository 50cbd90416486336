"""Decoded frames on disk: a flat .npy for each split and a small index beside them."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError

VERSION = 3  # of the files' form and of how frames are prepared; another gets another key
_SAMPLED = 64  # clips whose checksum is compared on opening
_CHECKED = 64  # frames of a clip that its checksum is over: a clip may be larger than memory


def cache_root(chosen: str) -> Path:
    """The folder for decoded frames: `chosen`, or edgecrnn below the user's cache folder."""
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "edgecrnn"


@dataclass(frozen=True)
class StoredSplit:
    """One split's frames and where each clip of it begins."""

    frames: npt.NDArray[np.uint8]  # [N, H, W, C], a read-only memory map
    starts: npt.NDArray[np.int64]  # [clips + 1]


class FrameWriter:
    """Appends frames to a .npy file whose length is not known before the end."""

    def __init__(self, path: Path, frame_shape: tuple[int, int, int]) -> None:
        self._file: BinaryIO = path.open("wb")
        self._shape = frame_shape
        self._frame_bytes = int(np.prod(frame_shape))
        self._header(0)
        self._begin = self._file.tell()
        self.starts = [0]
        self.checks: list[int] = []

    def write_clip(self, chunks: Iterator[npt.NDArray[np.uint8]]) -> int:
        """Append a clip and return its number of frames; where it fails nothing stays of it."""
        count, check = 0, 0
        try:
            for chunk in chunks:
                chunk = np.ascontiguousarray(chunk)
                self._file.write(chunk.data)
                check = _checksum(chunk[: max(0, _CHECKED - count)], check)
                count += len(chunk)
        except BaseException:
            self.drop(0)
            raise
        self.starts.append(self.starts[-1] + count)
        self.checks.append(check)
        return count

    def drop(self, clips: int = 1) -> None:
        """Take back the last `clips` clips and whatever was written after them."""
        for _ in range(clips):
            self.starts.pop()
            self.checks.pop()
        self._file.seek(self._begin + self.starts[-1] * self._frame_bytes)
        self._file.truncate()

    def close(self) -> None:
        """Write the true length into the header and sync."""
        self._file.seek(0)
        self._header(self.starts[-1])
        if self._file.tell() != self._begin:
            raise AssertionError("the header changed its length")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close without a true header: the folder is thrown away."""
        self._file.close()

    def _header(self, count: int) -> None:
        # NumPy leaves room in the header for the first axis to grow.
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *self._shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


def write_index(folder: Path, index: dict[str, Any]) -> None:
    """Write the index, synced; the folder must then be renamed to its key."""
    with (folder / "index.json").open("w", encoding="utf-8") as file:
        json.dump(index, file)
        file.flush()
        os.fsync(file.fileno())


def open_cache(
    folder: Path, frame_shape: tuple[int, int, int]
) -> tuple[dict[str, Any], dict[str, StoredSplit]] | None:
    """The index and the splits, or None where anything is missing, cut short or altered.

    A spread of clips is compared with its checksum; the files' lengths always are.
    """
    try:
        index: dict[str, Any] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        splits = {}
        for split, entry in index["splits"].items():
            starts = np.asarray(entry["starts"], np.int64)
            frames = _open_frames(folder / f"{split}.npy", int(starts[-1]), frame_shape)
            if len(entry["checks"]) != len(starts) - 1 or len(entry["clips"]) != len(starts) - 1:
                return None
            if not _checks_hold(frames, starts, entry["checks"]):
                return None
            splits[split] = StoredSplit(frames, starts)
        if not all(key in index for key in ("frame_rate", "skipped", "shortest", "lengths")):
            return None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return index, splits


def _open_frames(
    path: Path, count: int, frame_shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    frames = np.load(path, mmap_mode="r", allow_pickle=False)
    if frames.shape != (count, *frame_shape) or frames.dtype != np.uint8:
        raise ValueError("another shape than the index says")
    # A plain array over the map: slices of np.memmap are many times slower.
    return np.asarray(frames)


def _checks_hold(
    frames: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], checks: list[int]
) -> bool:
    if not checks:
        return True
    places = np.unique(np.linspace(0, len(checks) - 1, min(len(checks), _SAMPLED)).astype(int))
    for i in places:
        end = min(starts[i + 1], starts[i] + _CHECKED)
        if _checksum(frames[starts[i] : end]) != checks[i]:
            return False
    return True


def _checksum(frames: npt.NDArray[np.uint8], start: int = 0) -> int:
    return zlib.crc32(frames.reshape(-1).data, start) if frames.size else start


def not_writable(folder: Path, error: OSError) -> EdgecrnnError:
    """The sentence for a cache folder that cannot be written."""
    return EdgecrnnError(
        f"{folder}: expected to be able to keep decoded frames there, got "
        f"{error.strerror or error}; choose another folder with --cache"
    )
