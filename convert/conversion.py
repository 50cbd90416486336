"""`edgecrnn convert`, whole: from a run to a bundle whose variants are certified."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import edgecrnn
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import Sample, roll_out
from edgecrnn.convert.certificate import Bounds, Finding, Reference, examine
from edgecrnn.convert.graph import Conversion
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.recipe import Recipe, load_recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.evaluation.streams import (
    counted_frames,
    joined,
    stream_order,
    stream_scores,
)
from edgecrnn.train.predictors import keras_predictor
from edgecrnn.train.run_folder import MODEL, RunRecord

# The ladder: each is tried, and what is out of bounds is not shipped. Nothing degrades in silence.
LADDER = ("int8", "int8-mixed", "float16")
REFERENCE = "float32"
_GOLDEN_FRAMES = 16


@dataclass(frozen=True)
class Converted:
    """What came of it. `shipped` stands in the order of preference, the reference last."""

    findings: tuple[Finding, ...]
    shipped: tuple[str, ...]
    keras_accuracy: float
    checked_frames: int


def convert(
    run: Path,
    record: RunRecord,
    data: Data,
    profile: DeviceProfile,
    out: Path,
    settings: ConvertSettings,
    say: Callable[[str], None] = lambda sentence: None,
) -> Converted:
    """Convert `run` for the device, certify every variant, and write the bundle.

    Calibration reads training streams, the certificate validation streams: test data chooses
    nothing.

    Args:
        run: the run's folder.
        record: its record.
        data: the data it was trained on, as `load` gives it.
        profile: the device.
        out: the bundle to write.
        settings: how many frames, what is required.
        say: called with a sentence at each stage.

    Raises:
        EdgecrnnError: the model cannot be converted, or no variant is within the bounds.
    """
    recipes = [load_recipe(name) for name in _recipe_names(settings)]
    conversion = Conversion(run / MODEL)
    say("the Keras model reads the held-out stream")
    reference = _reference(run, record, data, settings)
    say("the step graph is made")
    model = conversion.result()
    engine = Engine(model, record.labels, REFERENCE)
    say("the step graph rolls out its states for calibration")
    samples = _calibration(engine, data.splits["train"], record, settings)
    bounds = Bounds(profile.accuracy_drop, profile.agreement)
    models: dict[str, bytes] = {}
    golden: dict[str, npt.NDArray[Any]] = {"frames": reference.frames[:_GOLDEN_FRAMES]}
    findings = []
    for recipe in recipes:
        say(f"{recipe.name} is made and compared")
        made = _variant(model, recipe, samples, record)
        finding, scores = examine(
            made, recipe.name, recipe.decodes, record.labels, reference, bounds
        )
        findings.append(finding)
        if not finding.refused:
            models[recipe.name] = made
            golden[recipe.name] = scores[:_GOLDEN_FRAMES]
        elif recipe.name == settings.require:
            raise EdgecrnnError(
                f"{recipe.name}: expected it within the bounds of {profile.name}, but "
                f"{finding.refused}; leave out --require to ship the next on the ladder, "
                "or train longer"
            )
    if not models:
        raise EdgecrnnError(
            f"{run}: expected a variant within the bounds of {profile.name}, got none "
            f"({findings[0].variant}: {findings[0].refused}); train longer or loosen the profile"
        )
    shipped = _preferred(recipes, models, profile)
    manifest = _manifest(out, record, profile, shipped)
    certificate = {
        "device": profile.name,
        "machine_note": "milliseconds were measured where it was converted, not on the device",
        "runtime": runtime_version(),
        "data": {
            "hash": record.data.hash,
            "made_split": record.data.made_split,
            "split_seed": record.data.split_seed,
        },
        "split": "val",
        "frames": len(reference.frames),
        "bounds": dataclasses.asdict(bounds),
        "keras": {"accuracy": reference.accuracy},
        "variants": [dataclasses.asdict(finding) for finding in findings],
    }
    files = {f"{name}.tflite": data for name, data in models.items()}
    write_bundle(out, manifest, files, certificate, golden)
    names = tuple(recipe.name for recipe in shipped)
    return Converted(tuple(findings), names, reference.accuracy, len(reference.frames))


def _recipe_names(settings: ConvertSettings) -> list[str]:
    """The ladder, what is required, and the reference."""
    names = [REFERENCE, *LADDER]
    if settings.require and settings.require not in names:
        names.append(settings.require)
    return names


def _reference(run: Path, record: RunRecord, data: Data, settings: ConvertSettings) -> Reference:
    """The Keras model along the validation stream, or over the validation pictures."""
    store = data.splits["val"]
    order = _at_most(store, stream_order(store, settings.seed), settings.check)
    frames, labels = joined(store, order)
    scores, _ = stream_scores(keras_predictor(run, record), store, order)
    if not np.isfinite(scores).all():
        raise EdgecrnnError(
            f"{run / MODEL}: expected finite scores, got NaN or infinity; train again"
        )
    return Reference(frames, labels, counted_frames(labels, record.warmup), scores)


def _calibration(
    engine: Engine, store: FrameStore, record: RunRecord, settings: ConvertSettings
) -> list[Sample]:
    """About `calibration` inputs, thinly spread over many training clips' streams."""
    every = 3 if record.sequence == "time" else 1
    order = _at_most(store, stream_order(store, settings.seed), settings.calibration * every)
    frames, _ = joined(store, order)
    return roll_out(engine, frames, every)


def _at_most(store: FrameStore, order: npt.NDArray[np.int64], frames: int) -> npt.NDArray[np.int64]:
    """The first clips of the order that hold `frames` frames together; at least one."""
    lengths = np.diff(store.starts)[order]
    count = int(np.searchsorted(np.cumsum(lengths), frames)) + 1
    return order[:count]


def _variant(model: bytes, recipe: Recipe, samples: Sequence[Sample], record: RunRecord) -> bytes:
    channels = record.preprocessing.channels
    return add_metadata(quantize(model, recipe, samples), record.name, record.labels, channels)


def _preferred(
    recipes: Sequence[Recipe], models: dict[str, bytes], profile: DeviceProfile
) -> list[Recipe]:
    """What is shipped, by the profile's order of delegates, then by size, int8-mixed first.

    On a CPU the mixed variant is as small and as fast as all-integer and keeps its word better.
    """
    order = ("int8-mixed", *LADDER, REFERENCE)

    def rank(recipe: Recipe) -> tuple[int, int]:
        suits = [profile.delegates.index(d) for d in recipe.delegates if d in profile.delegates]
        place = order.index(recipe.name) if recipe.name in order else len(order)
        return (min(suits, default=len(profile.delegates)), place)

    return sorted((recipe for recipe in recipes if recipe.name in models), key=rank)


def _manifest(
    out: Path, record: RunRecord, profile: DeviceProfile, shipped: Sequence[Recipe]
) -> Manifest:
    variants = tuple(
        Variant(recipe.name, f"{recipe.name}.tflite", recipe.delegates, profile.runtime_version)
        for recipe in shipped
    )
    return Manifest(
        format=FORMAT,
        name=out.stem,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        made_by=f"edgecrnn {edgecrnn.__version__}",
        device=profile.name,
        task=record.task,
        labels=record.labels,
        sequence=record.sequence,
        preprocessing=record.preprocessing,
        frame_rate=record.frame_rate,
        decision=record.decision,
        variants=variants,
        files={variant.file: "0" * 64 for variant in variants},
    )
