"""`edgecrnn convert`, whole: from a subject to a bundle whose variants are certified."""

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
from edgecrnn.convert.backends import Deployment, deploy
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import check_calibration, roll_out
from edgecrnn.convert.certificate import Bounds, Finding, examine
from edgecrnn.convert.graph import Conversion
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import Ranges, measure
from edgecrnn.convert.recipe import Recipe, load_recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.shipping import (
    LADDER,
    REFERENCE,
    compiled,
    deployment_said,
    preferred,
    shipped_variants,
)
from edgecrnn.convert.subject import Subject
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant

_GOLDEN_FRAMES = 16


@dataclass(frozen=True)
class Converted:
    """What came of it. `shipped` are the variants that run on any CPU, the preferred first."""

    findings: tuple[Finding, ...]
    shipped: tuple[str, ...]
    deployments: tuple[Deployment, ...]
    keras_accuracy: float
    checked_frames: int


def convert(
    subject: Subject,
    profile: DeviceProfile,
    out: Path,
    settings: ConvertSettings,
    say: Callable[[str], None] = lambda sentence: None,
) -> Converted:
    """Convert the subject for the device, certify every variant, and write the bundle.

    Args:
        subject: the model and the frames that certify it.
        profile: the device.
        out: the bundle to write.
        settings: how many frames, what is required.
        say: called with a sentence at each stage.

    Raises:
        EdgecrnnError: the model cannot be converted, or no variant is within the bounds.
    """
    recipes = chosen_recipes(settings)
    required = load_recipe(settings.require).name if settings.require else ""
    check_calibration(subject)
    conversion = Conversion(subject.model)
    say("the Keras model reads the held-out stream")
    try:
        reference = subject.reference()
    except BaseException:
        conversion.stop()
        raise
    say("the step graph is made")
    model = conversion.result()
    engine = Engine(model, subject.labels, REFERENCE)
    say("the step graph rolls out its states for calibration")
    samples = roll_out(engine, subject.calibration, subject.calibration_every)
    ranges = measure(model, samples)
    bounds = Bounds(profile.accuracy_drop, profile.agreement)
    runtime = (profile.runtime, profile.runtime_version)
    models: dict[str, bytes] = {}
    golden: dict[str, npt.NDArray[Any]] = {"frames": reference.frames[:_GOLDEN_FRAMES]}
    findings: list[Finding] = []
    exact: npt.NDArray[np.float32] | None = None
    for recipe in recipes:
        say(f"{recipe.name} is made and compared")
        made = _variant(model, recipe, ranges, subject)
        finding, scores = examine(made, recipe, subject.labels, reference, bounds, runtime, exact)
        exact = scores if exact is None else exact
        findings.append(finding)
        if not finding.refused:
            models[recipe.name] = made
            golden[recipe.name] = scores[:_GOLDEN_FRAMES]
        elif recipe.name == required:
            raise EdgecrnnError(
                f"{recipe.name}: expected it within the bounds of {profile.name}, but "
                f"{finding.refused}; leave out --require to ship the next on the ladder, "
                "or train longer"
            )
    if not models:
        raise EdgecrnnError(
            f"{subject.name}: expected a variant within the bounds of {profile.name}, got none "
            f"({findings[0].variant}: {findings[0].refused}); train longer or loosen the profile"
        )
    order = preferred(list(models), required)
    say(f"for {profile.name}: {', '.join(profile.delegates)}")
    deployments = [
        deploy(name, profile.delegate.get(name, {}), {name: models[name] for name in order})
        for name in profile.delegates
    ]
    shipped = shipped_variants(order, models, findings, deployments, required)
    files = {f"{name}.tflite": data for name, data in models.items()}
    files.update(
        {f"{name}.tflite": one.model or b"" for name, one in compiled(deployments, models)}
    )
    certificate = {
        "device": profile.name,
        "machine_note": "milliseconds were measured where it was converted, not on the device",
        "runtime": runtime_version(),
        "device_runtime": " ".join(runtime),
        "data": dict(subject.data),
        "sequence": subject.sequence,
        "frames": len(reference.frames),
        "counted": int(reference.counted.sum()),
        "bounds": dataclasses.asdict(bounds),
        "keras": {"accuracy": reference.accuracy},
        "variants": [dataclasses.asdict(finding) for finding in findings],
        "deployments": [deployment_said(one) for one in deployments],
        "shipped": [variant.name for variant in shipped],
    }
    write_bundle(out, _manifest(out, subject, profile, shipped), files, certificate, golden)
    names = tuple(variant.name for variant in shipped if variant.name in models)
    return Converted(
        tuple(findings), names, tuple(deployments), reference.accuracy, len(reference.frames)
    )


def chosen_recipes(settings: ConvertSettings) -> list[Recipe]:
    """The reference first, a person's own, the ladder, and what is required."""
    names = [REFERENCE, *settings.recipes, *LADDER]
    if settings.require:
        names.append(settings.require)
    recipes: dict[str, Recipe] = {}
    for name in dict.fromkeys(names):
        recipe = load_recipe(name)
        if recipe.name in recipes:
            raise EdgecrnnError(
                f"recipes: expected different names, got {recipe.name!r} twice; rename {name}"
            )
        recipes[recipe.name] = recipe
    return list(recipes.values())


def _variant(model: bytes, recipe: Recipe, ranges: Ranges, subject: Subject) -> bytes:
    channels = subject.preprocessing.channels
    return add_metadata(quantize(model, recipe, ranges), subject.name, subject.labels, channels)


def _manifest(
    out: Path, subject: Subject, profile: DeviceProfile, variants: Sequence[Variant]
) -> Manifest:
    return Manifest(
        format=FORMAT,
        name=out.stem,
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        made_by=f"edgecrnn {edgecrnn.__version__}",
        device=profile.name,
        task=subject.task,
        labels=subject.labels,
        sequence=subject.sequence,
        preprocessing=subject.preprocessing,
        frame_rate=subject.frame_rate,
        decision=subject.decision,
        variants=tuple(variants),
        files={variant.file: "0" * 64 for variant in variants},
    )
