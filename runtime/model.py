"""A model that a run may use."""

from __future__ import annotations

from dataclasses import dataclass

from edgecrnn.runtime.about import About
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.engine import Engine


@dataclass(frozen=True)
class Model:
    """An engine that was proven, and the bundle that it came from."""

    engine: Engine
    about: About
    bundle: Bundle

    @staticmethod
    def of(engine: Engine, bundle: Bundle) -> Model:
        """An engine of the bundle."""
        return Model(engine, engine.about, bundle)
