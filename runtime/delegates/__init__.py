"""What can run a model here: one module a delegate, found by being in this folder.

Nothing that a delegate says of itself is believed: it can claim to run and take no operator, or
answer garbage with exit code 0. `edgecrnn.runtime.choice` counts what it took and compares its
answers with the bundle's golden frames.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.session import Session
from edgecrnn.runtime.settings import nearest

CPU = "cpu"


@dataclass(frozen=True)
class Terms:
    """What a delegate is loaded with.

    Attributes:
        library: file or path of a shared library; the delegate's own where it is empty.
        options: what the delegate is given, text by text.
        package: runtime package that loads it, None for the first installed that can.
        threads: of the CPU, for the operators that it runs.
    """

    library: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    package: str | None = None
    threads: int = 1


class Delegate(Protocol):
    """What a module here holds."""

    TITLE: str  # one line that says what it is
    # Recipes that it takes where a bundle names none for it, the preferred first; () for all.
    VARIANTS: tuple[str, ...]
    PACKAGES: tuple[str, ...]  # runtime packages that can load it

    def check(self, terms: Terms) -> str:
        """Why it cannot run here, and the mend; '' where nothing speaks against it.

        Nothing is loaded: a library may kill the process that loads it.
        """

    def load(self, model: bytes, terms: Terms) -> Session:
        """The model, loaded by it on a fresh interpreter.

        Raises:
            EdgecrnnError: it cannot be loaded, or does not take the model.
        """

    def describe(self, terms: Terms) -> str:
        """What would run the model, as far as that is known before it is loaded."""


def delegate_names() -> tuple[str, ...]:
    """Every delegate that there is a module for, sorted."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if not name.startswith("_")))


def delegate_named(name: str) -> Delegate:
    """The delegate of that name.

    Raises:
        EdgecrnnError: there is none; names those there are and the nearest.
    """
    known = delegate_names()
    if name not in known:
        raise EdgecrnnError(
            f"delegate: expected {', '.join(known)} or the path of a library, "
            f"got {name!r}{nearest(name, known)}"
        )
    return cast(Delegate, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def is_library(spec: str) -> bool:
    """Whether `--delegate spec` names a file rather than one of `delegate_names`."""
    return "/" in spec or ".so" in spec
