"""A small run on disk, and clips and pictures for it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.run_folder import MODEL, DataRecord, RunRecord, write_record
from edgecrnn.train.settings import TrainSettings

LABELS = ("empty", "left", "right")
SIDE = 16


def write_run(folder: Path, sequence: str, data: Path) -> Path:
    """A run with random weights."""
    from edgecrnn.train.network.network import build_network, step_model

    settings = NetworkSettings(sequence=sequence, units=4, width=0.25)
    network = build_network(settings, (SIDE, SIDE, 3), len(LABELS), seed=3)
    folder.mkdir()
    step_model(network).save(folder / MODEL)
    record = RunRecord(
        format=1,
        name=folder.name,
        created="2026-01-01T00:00:00+00:00",
        made_by="edgecrnn test",
        task="classify",
        kind="clips" if sequence == "time" else "pictures",
        labels=LABELS,
        frame_rate=10.0 if sequence == "time" else None,
        preprocessing=Preprocessing(height=SIDE, width=SIDE),
        network=network.settings,
        train=TrainSettings(warmup=3),
        augmentation={},
        data=DataRecord(str(data), "", False, 0, {}, ()),
        decision=DecisionSettings(),
        parameters=1,
        best_epoch=1,
        history=(),
        baseline_history=(),
    )
    write_record(folder, record)
    return folder


def frames_of(count: int, seed: int) -> np.ndarray:
    """A bright square that walks over noise, uint8 [count, 24, 32, 3]."""
    frames = np.random.default_rng(seed).integers(0, 60, (count, 24, 32, 3), dtype=np.uint8)
    for index, frame in enumerate(frames):
        frame[8:16, 2 * index % 24 : 2 * index % 24 + 6] = 220
    return frames


@pytest.fixture(scope="session")
def clip_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """test/label/name with clips as folders of frames."""
    root = tmp_path_factory.mktemp("clips")
    for number, label in enumerate(LABELS):
        for index in range(2):
            folder = root / "test" / label / f"{index}"
            folder.mkdir(parents=True)
            for at, frame in enumerate(frames_of(8 + index, 10 * number + index)):
                cv2.imwrite(str(folder / f"{at}.png"), frame)
    return root


@pytest.fixture(scope="session")
def picture_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """test/label/name.png."""
    root = tmp_path_factory.mktemp("pictures")
    for number, label in enumerate(LABELS):
        (root / "test" / label).mkdir(parents=True)
        for index in range(2):
            frame = frames_of(1, 10 * number + index)[0]
            cv2.imwrite(str(root / "test" / label / f"{index}.png"), frame)
    return root


@pytest.fixture(scope="session")
def clip_run(tmp_path_factory: pytest.TempPathFactory, clip_data: Path) -> Path:
    """Reads clips and sees motion."""
    return write_run(tmp_path_factory.mktemp("runs") / "walking", "time", clip_data)


@pytest.fixture(scope="session")
def picture_run(tmp_path_factory: pytest.TempPathFactory, picture_data: Path) -> Path:
    """Reads the columns of pictures."""
    return write_run(tmp_path_factory.mktemp("runs") / "standing", "columns", picture_data)


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames at ten a second."""
    path = tmp_path_factory.mktemp("video") / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
    for frame in frames_of(12, 1):
        writer.write(frame)
    writer.release()
    return path
