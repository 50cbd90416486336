"""Which variants a bundle carries, in which order, and for which of the device's delegates."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import edgecrnn
from edgecrnn.convert.backends import Deployment, deploy
from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.manifest import Variant


class Found(Protocol):
    """What the certificate of a variant says of the runtime that it needs."""

    @property
    def variant(self) -> str:
        """The recipe's name."""

    @property
    def operator(self) -> str:
        """The one that asks for the newest runtime."""

    @property
    def runtimes(self) -> Mapping[str, str]:
        """Package to its least version that has them all."""


# The ladder: each is tried, and what is out of bounds is not shipped. Nothing degrades in silence.
LADDER = ("int8", "int8-mixed", "float16")
REFERENCE = "float32"


@dataclass(frozen=True)
class Shipment:
    """What a bundle carries beside its manifest.

    Attributes:
        files: every `.tflite`, by its name.
        variants: for the manifest.
        deployments: what became of each of the device's delegates.
        names: variants that run on any CPU, the preferred first.
    """

    files: dict[str, bytes]
    variants: tuple[Variant, ...]
    deployments: tuple[Deployment, ...]
    names: tuple[str, ...]


def ship(
    profile: DeviceProfile,
    models: Mapping[str, bytes],
    findings: Sequence[Found],
    required: str,
    say: Callable[[str], None],
) -> Shipment:
    """Compile the variants for the device's delegates and put all of them together.

    Args:
        profile: the device.
        models: variants within the bounds, by name.
        findings: of every variant that was tried.
        required: the one that comes first whatever it is, or "".
        say: called with a sentence.
    """
    order = preferred(list(models), required)
    say(f"for {profile.name}: {', '.join(profile.delegates)}")
    deployments = [
        deploy(name, profile.delegate.get(name, {}), {each: models[each] for each in order})
        for name in profile.delegates
    ]
    variants = shipped_variants(order, models, findings, deployments, required)
    files = {f"{name}.tflite": data for name, data in models.items()}
    files.update({f"{n}.tflite": one.model or b"" for n, one in compiled(deployments, models)})
    names = tuple(variant.name for variant in variants if variant.name in models)
    return Shipment(files, tuple(variants), tuple(deployments), names)


def certificate_of(
    profile: DeviceProfile,
    findings: Sequence[Any],
    shipment: Shipment,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """`certificate.json` as JSON values: what every conversion says, around its own facts.

    Args:
        profile: the device.
        findings: dataclasses, of every variant that was tried.
        shipment: what came of them.
        facts: on what they were judged, and what Keras answers there.
    """
    return {
        "device": profile.name,
        "machine_note": "milliseconds were measured where it was converted, not on the device",
        "runtime": runtime_version(),
        "device_runtime": f"{profile.runtime} {profile.runtime_version}",
        **facts,
        "variants": [dataclasses.asdict(finding) for finding in findings],
        "deployments": [deployment_said(one) for one in shipment.deployments],
        "shipped": [variant.name for variant in shipment.variants],
    }


def manifest_facts(out: Path, profile: DeviceProfile, shipment: Shipment) -> dict[str, Any]:
    """What every manifest says alike; the hashes of `files` come when it is written."""
    return {
        "name": out.stem,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "made_by": f"edgecrnn {edgecrnn.__version__}",
        "device": profile.name,
        "variants": shipment.variants,
        "files": {variant.file: "0" * 64 for variant in shipment.variants},
    }


def preferred(names: Sequence[str], required: str) -> list[str]:
    """What is required, a person's own recipes, then int8-mixed before the rest of the ladder.

    On a CPU the mixed variant is as small and as fast as all-integer and keeps its word better.
    """
    known = ("int8-mixed", *LADDER, REFERENCE)
    return sorted(
        names, key=lambda n: (n != required, known.index(n) if n in known else -1, names.index(n))
    )


def compiled(
    deployments: Sequence[Deployment], models: Mapping[str, bytes]
) -> list[tuple[str, Deployment]]:
    """What a delegate's compiler made, by the name that it is shipped under."""
    return [
        (f"{one.recipe}.{one.delegate}", one)
        for one in deployments
        if one.model is not None and one.model != models[one.recipe]
    ]


def shipped_variants(
    order: Sequence[str],
    models: Mapping[str, bytes],
    findings: Sequence[Found],
    deployments: Sequence[Deployment],
    required: str,
) -> list[Variant]:
    """The bundle's variants: what the device's delegates run first, what was compiled last.

    What was compiled for an accelerator runs nowhere else, so it is never the first choice of a
    runtime that was not told to use that accelerator.
    """
    found = {finding.variant: finding for finding in findings}
    made = compiled(deployments, models)
    plain = [
        one for one in deployments if one.model is not None and one.model == models[one.recipe]
    ]
    first = [one.recipe for one in plain if not required] + list(order)
    variants = []
    for name in dict.fromkeys(first):
        takers = [one.delegate for one in plain if one.recipe == name]
        takers = list(dict.fromkeys([*takers, "cpu"]))
        finding = found[name]
        variants.append(
            Variant(name, f"{name}.tflite", tuple(takers), finding.operator, finding.runtimes)
        )
    for name, one in made:
        finding = found[one.recipe]
        variants.append(
            Variant(name, f"{name}.tflite", (one.delegate,), finding.operator, finding.runtimes)
        )
    return variants


def deployment_said(deployment: Deployment) -> dict[str, Any]:
    """A deployment as JSON values, the model by its size."""
    placement = deployment.placement
    return {
        "delegate": deployment.delegate,
        "recipe": deployment.recipe,
        "refused": deployment.refused,
        "bytes": len(deployment.model) if deployment.model is not None else None,
        **(dataclasses.asdict(placement) if placement else {}),
    }
