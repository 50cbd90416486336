"""A delegate library that the board's runtime loads by path: libteflon.so, libvx_delegate.so ...

Nothing is compiled on the workstation: the library does that on the board, each time it loads the
model. So nothing is known here of what it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from pathlib import Path

from edgecrnn.convert.backends import Placement
from edgecrnn.convert.backends._model import listed, not_int8, read_graph
from edgecrnn.devices.profile import ARCHITECTURES
from edgecrnn.runtime.elf import check_library
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "Delegate library by path"
RECIPES = ("int8", "float16", "float32")


@dataclass(frozen=True)
class Settings:
    """The table [delegate.external] of a profile."""

    library: str = setting(MISSING, "file or path of the library on the board")
    options: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "what the library is given, text by text"}
    )
    int8_only: bool = setting(True, "whether it takes all-integer models only")
    copy: str = setting("", "path of a copy of the library on this machine, to look at")
    architecture: str = setting(
        "", "the board's, which the copy must be built for", choices=("", *ARCHITECTURES)
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.library:
            raise EdgecrnnError("library: expected a file such as libteflon.so, got nothing")
        if self.copy and not self.architecture:
            raise EdgecrnnError("architecture: expected the board's, to look at copy with")


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """All-integer where the settings say so, builtin operators, a library of the right machine."""
    graph = read_graph(model)
    broken = list(not_int8(graph, settings.library)) if settings.int8_only else []
    if graph.count(custom=True):
        broken.append(
            f"{settings.library} takes builtin operators only, not "
            f"{listed(graph.count(custom=True))}"
        )
    if settings.copy:
        broken += filter(None, [check_library(Path(settings.copy), settings.architecture)])
    return tuple(broken)


def compile(model: bytes, settings: Settings) -> bytes:
    """The same bytes."""
    return model


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """Nothing but what the board's runtime has to load."""
    facts = {"library": settings.library, "options": dict(settings.options)}
    return Placement({}, {}, None, "unproven", facts)
