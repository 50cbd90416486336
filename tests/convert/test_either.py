"""Generating beside another task, from a folder to a bundle that makes pictures and reads them."""

from __future__ import annotations

import dataclasses
import time

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.convert.pictures.conversion import convert_pictures
from edgecrnn.convert.pictures.text import picture_certificate_text
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.devices.profile import load_profile
from edgecrnn.runtime.answerer import reader_of
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.generating import generated
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.seeds import seed_frame
from edgecrnn.train.demo.scenes import SceneSettings, export_scenes
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.found import find_pictures
from edgecrnn.train.pictures.load import load_pictures
from edgecrnn.train.pictures.plan import PicturePlan
from edgecrnn.train.pictures.training import train_pictures
from edgecrnn.train.settings import TrainSettings
from edgecrnn.train.tasks import picture_task
from edgecrnn.train.training import Watch

TASK = "generate+segment"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("either")
    export_scenes(folder / "data", SceneSettings(train=16, val=8, test=1, size=32, most=2))
    small = Preprocessing(height=32, width=32)
    data = load_pictures(find_pictures(folder / "data", "masks", 0), small)
    network = NetworkSettings(sequence="patches", width=0.5, units=8, blocks=2)
    options = dataclasses.asdict(picture_task(TASK).Settings())
    plan = PicturePlan(TASK, options, small, network, TrainSettings(epochs=1, batch=8))
    watch = Watch(lambda *step: None, lambda part, line: None)
    record, _ = train_pictures(folder / "data", folder / "run", data, plan, False, watch)
    converted = convert_pictures(
        folder / "run", record, data, load_profile("linux-x86_64"), folder / "a.edgecrnn",
        ConvertSettings(calibration_frames=8, check=16),
    )  # fmt: skip
    text = picture_certificate_text(converted, "linux-x86_64")
    assert "coverage" in text and "mean_iou" in text
    return open_bundle(folder / "a.edgecrnn")


def test_it_is_certified_for_both(bundle: Bundle) -> None:
    assert (bundle.manifest.task, bundle.manifest.answer) == (TASK, "picture|regions")
    assert bundle.manifest.labels[0] == "background"


def test_new_pictures_come_with_their_masks(bundle: Bundle) -> None:
    made = list(generated(bundle, (), 3, seed=5))
    assert [each.label for each in made] == [""] * 3
    assert len({each.picture.tobytes() for each in made}) == 3
    for each in made:
        assert each.picture.shape == (32, 32, 3) and each.read is not None
        assert each.read.mask is not None and each.read.mask.shape == (32, 32)
    again = list(generated(bundle, (), 3, seed=5))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(made, again, strict=True))


def test_the_frame_decides_what_a_live_loop_shows(bundle: Bundle) -> None:
    chosen = choose_engine(bundle, EngineSettings())
    reader = reader_of(chosen.engine, bundle.manifest, bundle.manifest.decision, live=False)
    camera = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    noise = seed_frame((32, 32, 3), -1, np.random.default_rng(5))
    seen, made = (reader(Frame(each, 0, 0.0, time.monotonic())) for each in (camera, noise))
    assert seen is not None and seen.told is not None and not seen.told.beside
    assert seen.told.view(camera).shape == camera.shape
    assert made is not None and made.told is not None and made.told.beside
    assert made.label.startswith("picture; ")
    # Beside the noise stands what was made of it, its regions painted into it.
    view = made.told.view(cv2.cvtColor(noise, cv2.COLOR_RGB2BGR))
    assert view.shape == (32, 32, 3) and not np.array_equal(view, noise)
