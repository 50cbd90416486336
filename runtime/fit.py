"""Whether a TFLite runtime is new enough for a model."""

from __future__ import annotations

import re
from collections.abc import Mapping


def misfit(operator: str, least: Mapping[str, str], package: str, version: str) -> str:
    """Why a runtime cannot run the model, and the mend; empty where it can.

    Args:
        operator: the one that asks for the newest runtime, for example "FULLY_CONNECTED v12".
        least: package to the first version of it that has the operator; none where no version has.
        package: ai-edge-litert or tflite-runtime.
        version: of that package.
    """
    needed = least.get(package)
    if needed and release(version) >= release(needed):
        return ""
    wanted = [f"{package} {needed}"] if needed else [f"{p} {v}" for p, v in least.items()]
    said = (
        f"{operator} needs {' or '.join(wanted)} or later, got {package} {version}; "
        "install that there"
    )
    if operator.startswith("FULLY_CONNECTED"):
        said += ', or convert with a recipe that has dense = "tensor"'
    return said


def release(version: str) -> tuple[int, ...]:
    """'2.14.0' as (2, 14), for comparing."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
