"""The board's CPU through the interpreter, whose XNNPACK delegate takes what it has kernels for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from edgecrnn.convert.backends import ANY, Placement
from edgecrnn.convert.backends._model import listed, read_graph
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import runtime_version
from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting

TITLE = "CPU, XNNPACK"
RECIPES = (ANY,)


@dataclass(frozen=True)
class Settings:
    """The table [delegate.cpu] of a profile."""

    left: int = setting(-1, "most operators that XNNPACK may leave; -1 any number", least=-1)

    def __post_init__(self) -> None:
        check_settings(self)


def check(model: bytes, settings: Settings) -> tuple[str, ...]:
    """Builtin operators only: the interpreter has no kernel for another compiler's."""
    custom = read_graph(model).count(custom=True)
    if custom:
        return (f"the CPU has kernels for builtin operators only, not for {listed(custom)}",)
    return ()


def compile(model: bytes, settings: Settings) -> bytes:
    """The same bytes."""
    return model


def describe(model: bytes, compiled: bytes, settings: Settings) -> Placement:
    """What XNNPACK took in the interpreter of this machine, after one step of zeros."""
    scores = read_graph(compiled).outputs.get("scores")
    labels = tuple(str(index) for index in range(scores.shape[-1] if scores else 0))
    engine = Engine(compiled, labels, "cpu")
    engine.bare_invoke()
    taken, left, partitions = engine.placement()
    if 0 <= settings.left < len(left):
        raise EdgecrnnError(
            f"cpu: expected at most {settings.left} operators left by XNNPACK, got {len(left)} "
            f"({listed(dict(Counter(left)))}); change the network, or left in [delegate.cpu]"
        )
    facts = {"runtime": runtime_version(), "delegate": "XNNPACK" if partitions else "none"}
    return Placement(dict(Counter(taken)), dict(Counter(left)), partitions, "run here", facts)
