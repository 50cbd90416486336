"""An engine that was loaded, counted and compared before it is given a person's frames."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from edgecrnn.runtime.about import About
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.candidates import Candidate
from edgecrnn.runtime.delegates import CPU
from edgecrnn.runtime.engine import Engine, load_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.golden import golden_difference, golden_tolerance, has_golden

# On standard error: the one trace of shaders that do not compile, beside garbage for answers.
GARBAGE = "Validation error"


@dataclass(frozen=True)
class Checked:
    """An engine that answers rightly; `load_ms` to load it, `first_ms` for its first answer."""

    engine: Engine
    about: About
    load_ms: float
    first_ms: float


def checked_engine(bundle: Bundle, candidate: Candidate, threads: int) -> Checked:
    """Load it on a fresh interpreter, count what it took, compare it with the golden frames.

    Raises:
        EdgecrnnError: it cannot be loaded, took no operator, answers wrongly, or there are no
            golden frames to prove an accelerator by.
    """
    began = time.perf_counter()
    terms = dataclasses.replace(candidate.terms, threads=threads)
    engine = load_engine(bundle, candidate.variant, threads, candidate.delegate, terms)
    load_ms = 1000.0 * (time.perf_counter() - began)
    about = engine.about
    # On the CPU the interpreter's own kernels are what was asked for, XNNPACK or not.
    if candidate.delegate != CPU and not about.placement.taken:
        raise EdgecrnnError(
            f"{candidate.title}: expected it to take operators of {candidate.variant}, got none of "
            f"{len(about.placement.operators)}: the CPU would run them all; take another "
            "--variant, or --delegate cpu"
        )
    began = time.perf_counter()
    engine.step(np.zeros(engine.frame_shape, np.uint8), engine.zero_state())
    first_ms = 1000.0 * (time.perf_counter() - began)
    if has_golden(bundle):
        about = about.compared(golden_difference(engine, bundle), golden_tolerance(engine))
    elif candidate.delegate != CPU:
        raise EdgecrnnError(
            f"{bundle.path}: expected golden frames to prove {candidate.title} by, got none; "
            "convert the run again"
        )
    return Checked(engine, about, load_ms, first_ms)
