"""What a release is: a bundle, the environment that runs it, and how; named by its content."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.settings import check, from_mapping, setting

BUNDLE = "bundle.edgecrnn"
SIGNATURE = f"{BUNDLE}.sig"
RELEASE = "release.json"
FILES = (BUNDLE, SIGNATURE, RELEASE)
# A release.json is under a kilobyte; read no more of what somebody sent.
MOST_BYTES = 65_536
_VERSION = 1
_ID = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^\x00-\x1f/]{1,100}")
_MOST_WORD = 4096


@dataclass(frozen=True)
class Release:
    """What stands in release.json."""

    name: str = setting("", "of the bundle, for people")
    bundle: str = setting("", "SHA-256 of the bundle's file, hexadecimal")
    environment: str = setting("", "id of the environment that runs it")
    run: tuple[str, ...] = setting((), "arguments of `edgecrnn run` after the bundle")
    budget_ms: float | None = setting(
        None, "most time for a step (95th percentile)", unit="ms", least=0
    )
    version: int = setting(_VERSION, "of this format", least=_VERSION, most=_VERSION)

    def __post_init__(self) -> None:
        check(self)
        if not _NAME.fullmatch(self.name):
            raise EdgecrnnError(f"name: expected a bundle's name, got {self.name!r:.60}")
        if not _SHA256.fullmatch(self.bundle):
            raise EdgecrnnError(f"bundle: expected a SHA-256, got {self.bundle!r:.80}")
        checked_id(self.environment, "environment")
        for word in self.run:
            if "\x00" in word or len(word) > _MOST_WORD:
                raise EdgecrnnError(f"run: expected arguments, got {word!r:.60}")

    @property
    def id(self) -> str:
        """The same bundle, settings and environment are the same release."""
        return sha256(self.to_bytes())[:16]

    def to_bytes(self) -> bytes:
        """Canonical JSON: what `id` is taken over."""
        fields = dataclasses.asdict(self)
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, data: bytes, where: str) -> Release:
        """Read what `to_bytes` made.

        Args:
            data: content of a release.json.
            where: its name, for the error.

        Raises:
            EdgecrnnError: it is something else.
        """
        try:
            if len(data) > MOST_BYTES:
                raise ValueError("too long")
            values = json.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise EdgecrnnError(
                f"{where}: expected a release's JSON, got something else; flash again"
            ) from error
        return from_mapping(cls, values, where)


def checked_id(text: str, name: str = "release") -> str:
    """`text`, if it is the id of a release or an environment and so a safe name of a folder.

    Raises:
        EdgecrnnError: it is not.
    """
    if not _ID.fullmatch(text):
        raise EdgecrnnError(
            f"{name}: expected an id of 16 hexadecimal digits, got {text!r:.40}; "
            "see edgecrnn status"
        )
    return text
