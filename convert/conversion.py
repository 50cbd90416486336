"""`edgecrnn convert`, whole: from a subject to a bundle whose variants are certified."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import edgecrnn
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import check_calibration, roll_out
from edgecrnn.convert.certificate import Bounds, Finding, examine
from edgecrnn.convert.graph import Conversion
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import Ranges, measure
from edgecrnn.convert.recipe import Recipe, load_recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.subject import Subject
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.manifest import FORMAT, Manifest, Variant

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
    recipes = _recipes(settings)
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
    shipped = _preferred(recipes, models, profile, required)
    found = {finding.variant: finding for finding in findings}
    manifest = _manifest(out, subject, profile, [found[recipe.name] for recipe in shipped], shipped)
    certificate = {
        "device": profile.name,
        "machine_note": "milliseconds were measured where it was converted, not on the device",
        "runtime": runtime_version(),
        "data": dict(subject.data),
        "frames": len(reference.frames),
        "bounds": dataclasses.asdict(bounds),
        "keras": {"accuracy": reference.accuracy},
        "variants": [dataclasses.asdict(finding) for finding in findings],
    }
    files = {f"{name}.tflite": data for name, data in models.items()}
    write_bundle(out, manifest, files, certificate, golden)
    names = tuple(recipe.name for recipe in shipped)
    return Converted(tuple(findings), names, reference.accuracy, len(reference.frames))


def _recipes(settings: ConvertSettings) -> list[Recipe]:
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


def _preferred(
    recipes: Sequence[Recipe], models: Mapping[str, bytes], profile: DeviceProfile, required: str
) -> list[Recipe]:
    """What is shipped: what is required, then by the profile's delegates, then int8-mixed first.

    On a CPU the mixed variant is as small and as fast as all-integer and keeps its word better. A
    person's own recipes come before those of the ladder.
    """
    order = ("int8-mixed", *LADDER, REFERENCE)

    def rank(recipe: Recipe) -> tuple[bool, int, int]:
        suits = [profile.delegates.index(d) for d in recipe.delegates if d in profile.delegates]
        place = order.index(recipe.name) if recipe.name in order else -1
        return (recipe.name != required, min(suits, default=len(profile.delegates)), place)

    return sorted((recipe for recipe in recipes if recipe.name in models), key=rank)


def _manifest(
    out: Path,
    subject: Subject,
    profile: DeviceProfile,
    findings: Sequence[Finding],
    shipped: Sequence[Recipe],
) -> Manifest:
    variants = tuple(
        Variant(
            recipe.name,
            f"{recipe.name}.tflite",
            recipe.delegates,
            finding.operator,
            finding.runtimes,
        )
        for recipe, finding in zip(shipped, findings, strict=True)
    )
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
        variants=variants,
        files={variant.file: "0" * 64 for variant in variants},
    )
