"""`edgecrnn convert`, whole: from a subject to a bundle whose variants are certified."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from edgecrnn.convert.backends import Deployment
from edgecrnn.convert.bundle_writer import write_bundle
from edgecrnn.convert.calibrate import check_calibration, roll_out
from edgecrnn.convert.certificate import Bounds, Finding, examine
from edgecrnn.convert.graph import Conversion
from edgecrnn.convert.ladder import climb, ladder_of
from edgecrnn.convert.metadata import add_metadata
from edgecrnn.convert.quantize import quantize
from edgecrnn.convert.ranges import Ranges, measure
from edgecrnn.convert.recipe import Recipe
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.shipping import REFERENCE, Shipment, certificate_of, manifest_facts, ship
from edgecrnn.convert.subject import Subject
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import FORMAT, Manifest

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
    ladder = ladder_of(settings)
    check_calibration(subject)
    conversion = Conversion(subject.model)
    say("the Keras model reads the held-out stream")
    try:
        reference = subject.reference()
        if not reference.counted.any():
            raise EdgecrnnError(
                f"check: expected frames beyond the warm-up of {subject.warmup}, got none among "
                f"{len(reference.frames)} held-out ones; ask for more with --check"
            )
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
    scored: dict[str, npt.NDArray[Any]] = {}

    def attempt(recipe: Recipe) -> tuple[bytes, Finding]:
        made = _variant(model, recipe, ranges, subject)
        finding, scores = examine(
            made, recipe, subject.labels, reference, bounds, runtime, scored.get(REFERENCE)
        )
        scored[recipe.name] = scores
        return made, finding

    within, mend = f"within the bounds of {profile.name}", "train longer or loosen the profile"
    models, findings = climb(ladder, attempt, subject.name, within, mend, say)
    shipment = ship(profile, models, findings, ladder.required, say)
    certificate = certificate_of(
        profile,
        findings,
        shipment,
        {
            "data": dict(subject.data),
            "sequence": subject.sequence,
            "frames": len(reference.frames),
            "counted": int(reference.counted.sum()),
            "bounds": dataclasses.asdict(bounds),
            "keras": {"accuracy": reference.accuracy},
        },
    )
    golden: dict[str, npt.NDArray[Any]] = {"frames": reference.frames[:_GOLDEN_FRAMES]}
    golden.update({name: scored[name][:_GOLDEN_FRAMES] for name in models})
    write_bundle(
        out, _manifest(out, subject, profile, shipment), shipment.files, certificate, golden
    )
    return Converted(
        tuple(findings),
        shipment.names,
        shipment.deployments,
        reference.accuracy,
        len(reference.frames),
    )


def _variant(model: bytes, recipe: Recipe, ranges: Ranges, subject: Subject) -> bytes:
    channels = subject.preprocessing.channels
    return add_metadata(quantize(model, recipe, ranges), subject.name, subject.labels, channels)


def _manifest(out: Path, subject: Subject, profile: DeviceProfile, shipment: Shipment) -> Manifest:
    return Manifest(
        format=FORMAT,
        task=subject.task,
        labels=subject.labels,
        sequence=subject.sequence,
        preprocessing=subject.preprocessing,
        frame_rate=subject.frame_rate,
        decision=subject.decision,
        **manifest_facts(out, profile, shipment),
    )
