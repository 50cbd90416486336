"""The calibration folder: half of it measures ranges, the other half is what certifies."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import Form
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.decode import BadFileError, quiet, read_picture
from edgecrnn.train.data.digests import file_digest
from edgecrnn.train.data.layout import read_layout
from edgecrnn.train.data.scan import PICTURES, frame_files, stem_of
from edgecrnn.train.data.split import group
from edgecrnn.train.data.store import Data, DataSettings, load
from edgecrnn.train.evaluation.choice import join_stores
from edgecrnn.train.evaluation.streams import Clips, joined

Ints = npt.NDArray[np.int64]
Frames = npt.NDArray[np.uint8]
# Frames that follow each other say little that is new; every third covers more clips.
EVERY = 3
# Examples that the model is looked at by themselves.
_CLIPS, _PICTURES = 100, 8
# Share of the files that may be bad, as for training data.
_MOST_BAD = 0.05


@dataclass(frozen=True)
class Material:
    """What a conversion is calibrated on and certified with; no frame is in both."""

    calibration: Frames  # uint8 [time, height, width, channels], a stream
    check: Frames
    labels: Ints | None  # of `check`; None where nothing says them
    frame_rate: float | None  # frames a second; None for pictures
    examples: tuple[Frames, ...]  # some of `check`, each clip or picture by itself
    classes: tuple[int, ...]  # of the examples; () where nothing says them
    skipped: tuple[str, ...]  # files left out, and why
    data: dict[str, Any]  # what the certificate says of it


def read_material(
    folder: Path,
    form: Form,
    labels: tuple[str, ...],
    foreign: ForeignSettings,
    settings: ConvertSettings,
    cache: str = "",
) -> Material:
    """Read the calibration folder.

    Class folders named as the labels, `[split/]class/file`, give labelled pictures or clips; a
    folder of pictures gives unlabelled ones. Where there are the splits train and val or test, the
    first calibrates and the others certify. Otherwise every other picture or clip of each class,
    in an order that the seed decides, calibrates and the rest certifies; identical ones and parts
    of one recording stay together.

    Args:
        folder: of pictures or clips.
        form: what the model reads.
        labels: in the order of the scores.
        foreign: fit and frame rate.
        settings: how many frames, and the seed.
        cache: folder for decoded frames; empty: the user's cache.

    Raises:
        EdgecrnnError: nothing there, broken, of one colour, or not what the model reads.
    """
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing there"
        raise EdgecrnnError(
            f"{folder}: expected a folder of pictures as the camera sees, got {got}"
        )
    preprocessing = preprocessing_of(form, foreign)
    material = (
        _unlabelled(folder, preprocessing, settings)
        if frame_files(folder) and not form.clip
        else _labelled(folder, form, labels, preprocessing, foreign, settings, cache)
    )
    if all(frame.min() == frame.max() for frame in material.calibration):
        raise EdgecrnnError(
            f"{folder}: expected pictures, got {len(material.calibration)} frames of one colour "
            "each; give data as the camera will see it"
        )
    return material


def preprocessing_of(form: Form, foreign: ForeignSettings) -> Preprocessing:
    """Every picture is resized to what the model reads."""
    color = "rgb" if form.channels == 3 else "gray"
    return Preprocessing(height=form.height, width=form.width, color=color, fit=foreign.fit)


def halves(
    stems: Sequence[str], labels: Sequence[int], digests: Sequence[str], seed: int
) -> tuple[list[int], list[int]]:
    """Places of the one half and of the other, in a seeded order.

    Within each class every other group goes to the first half; a group is what is identical or
    part of one recording.
    """
    by_class: dict[int, list[list[int]]] = defaultdict(list)
    groups = group(stems, digests)
    for place in np.random.default_rng(seed).permutation(len(groups)).tolist():
        by_class[labels[groups[place][0]]].append(groups[place])
    # One after the other, so that classes of a single group fall to both halves in turn.
    dealt = [members for _, of_class in sorted(by_class.items()) for members in of_class]
    rng = np.random.default_rng(seed)
    first, second = (
        rng.permutation([i for members in dealt[start::2] for i in members]).tolist()
        for start in (0, 1)
    )
    return first, second


def _labelled(
    folder: Path,
    form: Form,
    labels: tuple[str, ...],
    preprocessing: Preprocessing,
    foreign: ForeignSettings,
    settings: ConvertSettings,
    cache: str,
) -> Material:
    expected = "clips" if form.clip else "pictures"
    kind = read_layout(folder, settings.seed, labels).kind
    if kind != expected:
        raise EdgecrnnError(
            f"{folder}: expected {expected}, because the model reads {expected}, got {kind}; "
            f"give a folder of {expected}"
        )
    chosen = DataSettings(
        frame_rate=foreign.frame_rate,
        shortest=form.frames or 1,
        seed=settings.seed,
        cache=cache,
    )
    data = load(folder, preprocessing, chosen, labels)
    clips, calibration, check, division = _divided(data, settings.seed)
    _check_halves(folder, len(calibration), len(check), kind)
    counts = [int(clips.starts[i + 1] - clips.starts[i]) for i in range(len(clips))]
    thinned = EVERY if form.clip else 1
    calibration = _at_most(calibration, counts, settings.calibration_frames * thinned)
    if form.clip:
        # What drifts shows on long streams only: the same clips go on in another order.
        rng, held = np.random.default_rng(settings.seed), sum(counts[i] for i in check)
        for _ in range(settings.check // held):
            check = [*check, *rng.permutation(sorted(set(check))).tolist()]
    check = _at_most(check, counts, settings.check)
    examples = list(dict.fromkeys(check))[: _CLIPS if form.clip else _PICTURES]
    frames, truth = joined(clips, np.array(check, np.int64))
    return Material(
        calibration=joined(clips, np.array(calibration, np.int64))[0],
        check=frames,
        labels=truth,
        frame_rate=data.frame_rate,
        examples=tuple(clips.clip(i) for i in examples),
        classes=tuple(int(clips.labels[i]) for i in examples),
        skipped=tuple(f"{item.path}: {item.reason}" for item in data.skipped),
        data={"hash": data.hash, "labels": "the folders' names", "division": division},
    )


def _divided(data: Data, seed: int) -> tuple[Clips, list[int], list[int], str]:
    """All clips, places of those that calibrate and of those that certify, and how it was done."""
    rng = np.random.default_rng(seed)
    splits = {name: store for name, store in data.splits.items() if len(store)}
    clips = join_stores(list(splits.values()))
    if not data.made_split and len(splits) > 1 and "train" in splits:
        trained = len(splits["train"])
        others = [name for name in splits if name != "train"]
        return (
            clips,
            rng.permutation(trained).tolist(),
            (trained + rng.permutation(len(clips) - trained)).tolist(),
            f"calibrated on the split train, certified on {' and '.join(others)}",
        )
    stems = [stem_of(Path(name)) for name in clips.names]
    digests = [hashlib.sha256(clips.clip(i).tobytes()).hexdigest() for i in range(len(clips))]
    first, second = halves(stems, clips.labels.tolist(), digests, seed)
    return clips, first, second, _division(seed)


def _unlabelled(folder: Path, preprocessing: Preprocessing, settings: ConvertSettings) -> Material:
    beside = next((p for p in folder.iterdir() if p.is_dir() and frame_files(p)), None)
    if beside is not None:
        raise EdgecrnnError(
            f"{folder}: expected either pictures or class folders, got pictures beside the folder "
            f"{beside.name!r}; move the one or the other elsewhere"
        )
    paths = frame_files(folder)
    digests = [file_digest(path) for path in paths]
    first, second = halves([p.stem for p in paths], [0] * len(paths), digests, settings.seed)
    asked = first[: settings.calibration_frames], second[: settings.check]
    skipped: list[str] = []
    with quiet():
        calibration, check = (
            _decoded([paths[place] for place in places], preprocessing, skipped) for places in asked
        )
    count = len(asked[0]) + len(asked[1])
    if len(skipped) > _MOST_BAD * count:
        raise EdgecrnnError(
            f"{folder}: expected at most {_MOST_BAD:.0%} bad files, got {len(skipped)} of {count}: "
            f"{'; '.join(skipped[:3])}; replace or remove them"
        )
    _check_halves(folder, len(calibration), len(check), "pictures")
    names = sorted(f"{p.name}\0{digest}\n" for p, digest in zip(paths, digests, strict=True))
    return Material(
        calibration=calibration,
        check=check,
        labels=None,
        frame_rate=None,
        examples=tuple(check[i : i + 1] for i in range(min(_PICTURES, len(check)))),
        classes=(),
        skipped=tuple(skipped),
        data={
            "hash": hashlib.sha256("".join(names).encode("utf-8", "surrogateescape")).hexdigest(),
            "labels": "none; accuracy is agreement with the Keras model",
            "division": _division(settings.seed),
        },
    )


def _decoded(paths: list[Path], preprocessing: Preprocessing, skipped: list[str]) -> Frames:
    """The pictures uint8 [n, height, width, channels]; what is broken goes to `skipped`."""
    frames = [np.zeros((0, *preprocessing.frame_shape), np.uint8)]
    for path in paths:
        try:
            frames.append(read_picture(path, preprocessing)[None])
        except BadFileError as bad:
            skipped.append(f"{path}: {bad}")
    return np.concatenate(frames)


def _at_most(order: list[int], counts: Sequence[int], frames: int) -> list[int]:
    """The first of the order that hold `frames` frames together; at least one."""
    total = np.cumsum([counts[i] for i in order])
    return order[: int(np.searchsorted(total, frames)) + 1]


def _check_halves(folder: Path, calibration: int, check: int, kind: str) -> None:
    if not calibration or not check:
        raise EdgecrnnError(
            f"{folder}: expected at least two different {kind}, one to calibrate with and another "
            f"to certify with, got {calibration + check}; add some ({', '.join(PICTURES)})"
        )


def _division(seed: int) -> str:
    return (
        f"calibrated on every other one of each class, in an order by seed {seed}, and certified "
        "on the rest; identical ones and parts of one recording stay together"
    )
