"""Which variants a bundle carries, in which order, and for which of the device's delegates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from edgecrnn.convert.backends import Deployment
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
