"""Finding pictures that are alike: an index of a folder's vectors, and what lies nearest to one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import Engine, load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256, new_folder, write_file
from edgecrnn.runtime.opencv import LOGGING, SILENT
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.runtime.preprocess import prepare
from edgecrnn.runtime.settings import check, from_mapping

_HEAD, _VECTORS = "index.json", "vectors.voyager"
_FORMAT = 1
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class IndexHead:
    """What an index says of itself: which model made it, and the pictures in their order."""

    format: int
    bundle: str
    model: str  # SHA-256 of the variant's file
    numbers: int  # length of a vector
    vectors: str  # SHA-256 of the file with the vectors
    names: tuple[str, ...]  # paths below the folder

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Hit:
    """A picture that was found; `alike` is the cosine of the angle between the two vectors."""

    name: str
    alike: float


def build_index(
    bundle: Bundle,
    folder: Path,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[IndexHead, tuple[str, ...]]:
    """Write an index of every picture below `folder`; files that are none are left out, and named.

    Raises:
        EdgecrnnError: the bundle makes no vectors, or there are no pictures.
    """
    engine = _engine(bundle)
    if not folder.is_dir():
        raise EdgecrnnError(f"{folder}: expected a folder of pictures, got none; check the path")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    names: list[str] = []
    skipped: list[str] = []
    vectors: list[npt.NDArray[np.float32]] = []
    before = LOGGING.getLogLevel()
    LOGGING.setLogLevel(SILENT)
    try:
        for done, file in enumerate(files, 1):
            try:
                vectors.append(_vector(engine, bundle, file))
                names.append(file.relative_to(folder).as_posix())
            except EdgecrnnError:
                skipped.append(str(file))
            progress(done, len(files))
    finally:
        LOGGING.setLogLevel(before)
    if not names:
        raise EdgecrnnError(f"{folder}: expected pictures to index, found none")
    index = _empty(len(vectors[0]))
    index.add_items(np.stack(vectors), np.arange(len(names)))
    with new_folder(out) as beside:
        index.save(str(beside / _VECTORS))
        head = IndexHead(
            format=_FORMAT,
            bundle=bundle.manifest.name,
            model=_model(bundle),
            numbers=len(vectors[0]),
            vectors=file_sha256(beside / _VECTORS),
            names=tuple(names),
        )
        write_file(beside / _HEAD, (json.dumps(asdict(head), indent=1) + "\n").encode())
    return head, tuple(skipped)


def find(bundle: Bundle, path: Path, picture: Path, most: int = 10) -> tuple[Hit, ...]:
    """The pictures of the index that are most like `picture`, the nearest first.

    Raises:
        EdgecrnnError: the index is damaged or of another model, or the picture cannot be read.
    """
    head = _read_head(path)
    if head.model != _model(bundle):
        raise EdgecrnnError(
            f"{path}: expected an index made with {bundle.path.name}, got one made with another "
            f"model ({head.bundle}); make it anew with edgecrnn index"
        )
    index = _loaded(path)
    wanted = _vector(_engine(bundle), bundle, picture)
    keys, far = index.query(wanted, min(most, len(head.names)))
    pairs = zip(keys.tolist(), far.tolist(), strict=True)
    return tuple(Hit(head.names[key], 1.0 - distance) for key, distance in pairs)


def _engine(bundle: Bundle) -> Engine:
    if bundle.manifest.answer != "embedding":
        raise EdgecrnnError(
            f"{bundle.path}: expected a bundle that answers with vectors, got one for "
            f"{bundle.manifest.task}; train with --task retrieve"
        )
    return load_engine(bundle)


def _model(bundle: Bundle) -> str:
    return bundle.manifest.files[bundle.variant().file]


def _vector(engine: Engine, bundle: Bundle, file: Path) -> npt.NDArray[np.float32]:
    answer, _ = engine.step(prepare(read_picture(file), bundle.manifest.preprocessing), {})
    # int8 leaves its length a little off one.
    return np.asarray(answer / max(1e-6, float(np.linalg.norm(answer))), np.float32)


def _empty(numbers: int) -> Any:
    """An index by cosine: a graph of near neighbours (Malkov and Yashunin, 2016), by voyager."""
    from voyager import Index, Space

    return Index(Space.Cosine, num_dimensions=numbers)


def _loaded(path: Path) -> Any:
    """The index whose hash was right."""
    from voyager import Index

    return Index.load(str(path / _VECTORS))


def _read_head(path: Path) -> IndexHead:
    try:
        values = json.loads((path / _HEAD).read_bytes())
        head = from_mapping(IndexHead, values, _HEAD)
        whole = file_sha256(path / _VECTORS) == head.vectors
    except (OSError, ValueError, RecursionError) as error:
        raise EdgecrnnError(
            f"{path}: expected an index, got {error}; make one with edgecrnn index"
        ) from error
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{path}: {error}; make it anew with edgecrnn index") from error
    if not whole or head.format != _FORMAT:
        raise EdgecrnnError(
            f"{path}: expected an index as edgecrnn index wrote it, got a damaged one or one of "
            "another edgecrnn; make it anew with edgecrnn index"
        )
    return head
