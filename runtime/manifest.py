"""What a bundle says of itself; `manifest.json` is exactly this dataclass."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.answers import LABELS, answer_names, answer_of, kinds_of
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.runtime.settings import check, from_mapping

# A bundle of labels; and one whose task answers with something else, which older runtimes refuse.
FORMAT, ANSWER_FORMAT = 2, 3
MANIFEST = "manifest.json"
CERTIFICATE = "certificate.json"
GOLDEN = "golden.npz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Variant:
    """One `.tflite` of the bundle."""

    name: str  # the recipe that made it, for example int8-mixed
    file: str
    delegates: tuple[str, ...]  # delegates that it suits, for example ("cpu",)
    operator: str  # the one that asks for the newest TFLite runtime, for example "DEQUANTIZE v3"
    runtimes: Mapping[str, str]  # package to its least version that has it; none that has not

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Manifest:
    """Everything that the runtime needs to know beside the models themselves.

    `frame_rate` is in frames a second, None for pictures. `variants` stand in the order of
    preference. `files` maps each other file of the bundle to its SHA-256. `answer` is what the
    models answer with, one of `edgecrnn.runtime.answers`.
    """

    format: int
    name: str
    created: str  # ISO 8601, UTC
    made_by: str
    device: str
    task: str
    labels: tuple[str, ...]
    sequence: str
    preprocessing: Preprocessing
    frame_rate: float | None
    decision: DecisionSettings
    variants: tuple[Variant, ...]
    files: Mapping[str, str]
    answer: str = LABELS

    def __post_init__(self) -> None:
        if self.format != (FORMAT if self.answer == LABELS else ANSWER_FORMAT):
            raise EdgecrnnError(_other_format(self.format))
        check(self)
        kinds = kinds_of(self.answer)
        # Labels are decided over frames, so they stand alone; `label` is what goes into a pair.
        known = {*answer_names()} - ({LABELS} if len(kinds) > 1 else set())
        if len(kinds) > 2 or not set(kinds) <= known:
            answer_of(self.answer)
        if self.sequence not in ("time", "columns", "patches"):
            raise EdgecrnnError(
                f"sequence: expected time, columns or patches, got {self.sequence!r}"
            )
        least = 2 if self.answer == LABELS else 0
        if len(self.labels) < least or len(set(self.labels)) != len(self.labels):
            raise EdgecrnnError("labels: expected at least two different names")
        if self.frame_rate is not None and not 0 < self.frame_rate <= 1000:
            raise EdgecrnnError(f"frame_rate: expected 0 to 1000, got {self.frame_rate}")
        if not self.variants:
            raise EdgecrnnError("variants: expected at least one model, got none")
        for name, digest in self.files.items():
            if not _NAME.fullmatch(name) or not _SHA256.fullmatch(digest):
                raise EdgecrnnError(f"files: expected plain names with SHA-256, got {name!r}")
        for variant in self.variants:
            if variant.file not in self.files:
                raise EdgecrnnError(f"files: expected a hash for {variant.file}, got none")

    def to_json(self) -> bytes:
        """UTF-8 JSON, indented, keys in the order of the fields."""
        values = dataclasses.asdict(self)
        if self.answer == LABELS:
            # As it always was, so that older runtimes read it.
            del values["answer"]
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()

    @staticmethod
    def from_json(data: bytes, where: str) -> Manifest:
        """Read what `to_json` wrote; `where` names the bundle in the error."""
        try:
            values: dict[str, Any] = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise EdgecrnnError(
                f"{where}: expected JSON in {MANIFEST}, got {error}; convert the run again"
            ) from error
        if not isinstance(values, dict):
            raise EdgecrnnError(f"{where}: expected an object in {MANIFEST}; convert the run again")
        if values.get("format") not in (FORMAT, ANSWER_FORMAT):
            raise EdgecrnnError(f"{where}: {_other_format(values.get('format'))}")
        try:
            for key, cls in (("preprocessing", Preprocessing), ("decision", DecisionSettings)):
                values[key] = from_mapping(cls, values.get(key, {}), key)
            variants = values.get("variants", ())
            values["variants"] = tuple(from_mapping(Variant, v, "variants") for v in variants)
            return from_mapping(Manifest, values, MANIFEST)
        except (EdgecrnnError, TypeError, AttributeError) as error:
            raise EdgecrnnError(f"{where}: {error}") from error


def _other_format(found: object) -> str:
    return (
        f"format: expected {FORMAT} or {ANSWER_FORMAT}, got {found}; "
        "install the edgecrnn that made the bundle, or convert the run again"
    )
