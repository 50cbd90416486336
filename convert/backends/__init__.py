"""Who runs a variant on the board: one module a backend, all with the same three functions.

A module's name, with - for _, is what a profile writes in `delegates = [...]`; its settings are the
profile's table `[delegate.NAME]`. A new backend is a new module here, nothing else. Modules whose
name begins with _ are what several backends share.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Protocol, cast

from edgecrnn.devices.profile import DeviceProfile
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import from_mapping, nearest

# What stands behind a placement, and what each word promises.
STATUSES = {
    "run here": "the model ran on this machine through this delegate",
    "estimated": "the compiler's own estimate; it ran nowhere",
    "unproven": "believed from documents; neither run nor estimated",
}
ANY = "*"


@dataclass(frozen=True)
class Placement:
    """Where a compiled model's operators run.

    Attributes:
        taken: operators of the variant that the delegate runs, by name: how many.
        left: operators left to the CPU, by name: how many.
        partitions: pieces that the delegate runs; None where nothing told.
        status: one of STATUSES.
        facts: what else is known, as JSON values: estimated cycles, adapter, compiler version ...
    """

    taken: Mapping[str, int]
    left: Mapping[str, int]
    partitions: int | None
    status: str
    facts: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status: expected one of {', '.join(STATUSES)}, got {self.status!r}")


@dataclass(frozen=True)
class Deployment:
    """What became of a delegate. Either `refused` says why there is no model, or it is empty.

    Attributes:
        delegate: the backend's name, for example ethos-u.
        recipe: the variant that was compiled; empty where none suits.
        model: the bytes to ship for this delegate.
        placement: where its operators run.
        refused: one or more sentences.
    """

    delegate: str
    recipe: str
    model: bytes | None
    placement: Placement | None
    refused: str


class Backend(Protocol):
    """What a module here holds. `settings` is always the module's own `Settings`."""

    TITLE: str  # one line that says what it is
    RECIPES: tuple[str, ...]  # variants that it takes, the preferred first; (ANY,) takes all
    Settings: type[Any]  # a frozen dataclass of `edgecrnn.runtime.settings`

    def check(self, model: bytes, settings: Any) -> tuple[str, ...]:
        """Rules that the model breaks, a sentence each, before anything is compiled."""

    def compile(self, model: bytes, settings: Any) -> bytes:
        """The model as it is shipped; the same bytes where nothing is compiled.

        Raises:
            EdgecrnnError: the compiler is missing, crashed or printed an error.
        """

    def describe(self, model: bytes, compiled: bytes, settings: Any) -> Placement:
        """Where the operators of `model` run once it is `compiled`.

        Raises:
            EdgecrnnError: it does not run, or its outputs are wrong.
        """


def backend_names() -> tuple[str, ...]:
    """Every delegate that a profile can name, sorted."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name.replace("_", "-") for name in modules if not name.startswith("_")))


def load_backend(name: str) -> Backend:
    """The backend of that name.

    Raises:
        EdgecrnnError: there is none; names those there are and the nearest.
    """
    known = backend_names()
    if name not in known:
        raise EdgecrnnError(
            f"delegates: expected some of {', '.join(known)}, got {name!r}{nearest(name, known)}; "
            "see docs/adding-a-device.md to add one"
        )
    return cast(Backend, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def backend_settings(name: str, values: Mapping[str, Any]) -> Any:
    """The backend's settings from its table in a profile.

    Raises:
        EdgecrnnError: there is no such backend, a key is unknown or missing, a value is refused.
    """
    cls = load_backend(name).Settings
    where = f"[delegate.{name}]"
    missing = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is MISSING and field.default_factory is MISSING
        and field.name not in values
    ]  # fmt: skip
    if missing and {field.name for field in dataclasses.fields(cls)}.issuperset(values):
        raise EdgecrnnError(f"{where}: expected the keys {', '.join(missing)} too; add them")
    return from_mapping(cls, values, where)


def check_delegates(profile: DeviceProfile) -> None:
    """Refuse a profile with a delegate that nobody here knows, or with settings it cannot have.

    Raises:
        EdgecrnnError: the first thing that is wrong.
    """
    try:
        for name in profile.delegates:
            backend_settings(name, profile.delegate.get(name, {}))
    except EdgecrnnError as error:
        raise EdgecrnnError(f"{profile.name}: {error}") from error


def deploy(name: str, values: Mapping[str, Any], models: Mapping[str, bytes]) -> Deployment:
    """Check, compile and describe the first variant that suits the delegate.

    Args:
        name: the delegate, as profiles write it.
        values: its table in the profile, {} for the defaults.
        models: variant to the bytes of its `.tflite`, the preferred first.

    Returns:
        what came of it; a failure of the model or of the compiler stands in `refused`.

    Raises:
        EdgecrnnError: there is no such delegate, or it cannot have these settings.
    """
    backend = load_backend(name)
    settings = backend_settings(name, values)
    suits = list(models) if ANY in backend.RECIPES else [r for r in backend.RECIPES if r in models]
    if not suits:
        return Deployment(
            name, "", None, None,
            f"{name} takes {' or '.join(backend.RECIPES)}, and of these there is none to ship "
            f"(there are: {', '.join(models) or 'none'})",
        )  # fmt: skip
    recipe = suits[0]
    model = models[recipe]
    try:
        broken = backend.check(model, settings)
        if broken:
            return Deployment(name, recipe, None, None, "; ".join(broken))
        compiled = backend.compile(model, settings)
        placement = backend.describe(model, compiled, settings)
    except EdgecrnnError as error:
        return Deployment(name, recipe, None, None, str(error))
    return Deployment(name, recipe, compiled, placement, "")
