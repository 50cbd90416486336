"""`edgecrnn convert` of a picture task's run, whole: to a bundle whose variants are certified."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.convert.backends import Deployment
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import Sample
from edgecrnn.convert.graph import Conversion, check_weights
from edgecrnn.convert.ladder import climb, ladder_of
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.pictures.certificate import KEEPS, PictureFinding, examine_pictures
from edgecrnn.convert.pictures.halves import halves_of
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import measure
from edgecrnn.convert.recipe import Recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.shipping import Shipment, certificate_of, manifest_facts, preferred, ship
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.manifest import ANSWER_FORMAT, Manifest
from edgecrnn.train.pictures.examples import fixed_examples
from edgecrnn.train.pictures.judge import PictureVerdict, judge, keras_answer
from edgecrnn.train.pictures.load import PictureData, Pictures
from edgecrnn.train.pictures.record import PictureRecord, load_picture_model
from edgecrnn.train.run_folder import MODEL
from edgecrnn.train.tasks import picture_task

_GOLDEN_FRAMES = 8


@dataclass(frozen=True)
class ConvertedPictures:
    """What came of it. `shipped` are the variants that run on any CPU, the preferred first."""

    findings: tuple[PictureFinding, ...]
    shipped: tuple[str, ...]
    deployments: tuple[Deployment, ...]
    keras: PictureVerdict


def convert_pictures(
    run: Path,
    record: PictureRecord,
    data: PictureData,
    profile: DeviceProfile,
    out: Path,
    settings: ConvertSettings,
    say: Callable[[str], None] = lambda sentence: None,
) -> ConvertedPictures:
    """Convert the run for the device, certify every variant, and write the bundle.

    Ranges are measured on training pictures; what a variant lost, on validation pictures.

    Raises:
        EdgecrnnError: the model cannot be converted, or no variant is within the bounds.
    """
    ladder = ladder_of(settings)
    task, own = picture_task(record.task), record.settings
    held_out = _some(data.splits["val"], settings.check, settings.seed)
    conversion = Conversion(run / MODEL)
    say("the Keras model answers the held-out pictures")
    try:
        model = load_picture_model(run)
        check_weights(model, str(run / MODEL))
        keras = judge(task, own, held_out, "val", keras_answer(task, model))
    except BaseException:
        conversion.stop()
        raise
    say("the graph is made")
    graph = conversion.result()
    ranges = measure(graph, _samples(record, data, settings))
    runtime = (profile.runtime, profile.runtime_version)
    frames = np.stack([example.frame for example in keras.examples[:_GOLDEN_FRAMES]])
    golden: dict[str, npt.NDArray[Any]] = {"frames": frames}

    def attempt(recipe: Recipe) -> tuple[bytes, PictureFinding]:
        made = add_metadata(
            quantize(graph, recipe, ranges), record.name, record.labels, frames.shape[-1]
        )
        finding, _ = examine_pictures(made, recipe, record, held_out, keras, runtime)
        if not finding.refused:
            engine = Engine(made, record.labels, recipe.name)
            golden[recipe.name] = np.stack([engine.step(frame, {})[0] for frame in frames])
        return made, finding

    keeping = f"to keep {KEEPS:.0%} of each measure"
    models, findings = climb(ladder, attempt, record.name, keeping, "train longer", say)
    shipment = ship(profile, models, findings, ladder.required, say)
    files = shipment.files
    if task.HEAD == "code":
        say("the files that pictures are kept in")
        best = preferred(list(models), ladder.required)[0]
        files = {**files, **halves_of(models[best], record, data.splits["train"])}
    certificate = certificate_of(
        profile,
        findings,
        shipment,
        {
            "task": record.task,
            "options": dict(record.options),
            "preprocessing": dataclasses.asdict(record.preprocessing),
            "data": {
                "hash": record.data.hash,
                "made_split": record.data.made_split,
                "split_seed": record.data.split_seed,
                "split": "val",
            },
            "pictures": len(held_out),
            "keeps": KEEPS,
            "keras": {name: one.value for name, one in keras.measures.items()},
        },
    )
    write_bundle(out, _manifest(out, record, profile, shipment), files, certificate, golden)
    return ConvertedPictures(tuple(findings), shipment.names, shipment.deployments, keras)


def _some(pictures: Pictures, most: int, seed: int) -> Pictures:
    """At most so many, drawn by the seed: they lie class by class."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    chosen = np.sort(order[:most])
    return Pictures(
        pictures.pictures[chosen],
        tuple(pictures.truths[i] for i in chosen),
        tuple(pictures.names[i] for i in chosen),
    )


def _samples(record: PictureRecord, data: PictureData, settings: ConvertSettings) -> list[Sample]:
    """What the graph reads of training pictures, float32 with a batch of 1."""
    some = _some(data.splits["train"], settings.calibration_frames, settings.seed)
    task = picture_task(record.task)
    return [
        {"frame": example.frame[None].astype(np.float32)}
        for example in fixed_examples(task, record.settings, some, "train")
    ]


def _manifest(
    out: Path, record: PictureRecord, profile: DeviceProfile, shipment: Shipment
) -> Manifest:
    task = picture_task(record.task)
    height, width, _ = task.frame_shape(record.settings, record.preprocessing.frame_shape)
    return Manifest(
        format=ANSWER_FORMAT,
        task=record.task,
        labels=record.labels if task.NEEDS else (),
        sequence="patches",
        preprocessing=dataclasses.replace(record.preprocessing, height=height, width=width),
        frame_rate=None,
        decision=DecisionSettings(),
        answer=task.ANSWER,
        **manifest_facts(out, profile, shipment),
    )
