"""Which engine runs a bundle: the one asked for, the next where that is allowed, the fastest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgecrnn.runtime.about import About
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.candidates import EXTERNAL, Candidate, all_candidates, bundle_order, candidate
from edgecrnn.runtime.checked import GARBAGE, Checked, checked_engine
from edgecrnn.runtime.delegates import CPU, Terms, delegate_named, is_library
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.golden import has_golden
from edgecrnn.runtime.interpreter import RUNTIMES
from edgecrnn.runtime.preprocess import Image, prepare
from edgecrnn.runtime.quiet import overheard
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.trial import PATIENCE, Frames, Trial, try_candidate
from edgecrnn.runtime.trial_table import trial_table

AUTO = "auto"
_SECONDS = 1.0  # how long a candidate is measured
MOST_THREADS = 1024  # more than a machine may start end in an error that names none
_FRAMES = 32  # of the source, read over and over

Say = Callable[[str], None]


@dataclass(frozen=True)
class EngineSettings:
    """What runs the model; what is left out comes from the bundle."""

    variant: str | None = setting(
        None, "of the bundle; without it the first that suits the delegate"
    )
    delegate: str | None = setting(
        None, "what computes: cpu, gpu, edgetpu ... or the path of a delegate library; cpu"
    )
    delegate_option: tuple[str, ...] = setting((), "given to the delegate, KEY=VALUE")
    engine: str | None = setting(
        None,
        "runtime package, or auto: measure each that is there and take the fastest",
        choices=(AUTO, *RUNTIMES),
    )
    allow_fallback: bool = setting(
        False, "where the delegate cannot be used, take the bundle's next"
    )
    threads: int = setting(1, "CPU threads of the model", least=1, most=MOST_THREADS)
    delegate_timeout: float = setting(
        PATIENCE, "how long a delegate may take to load and answer", unit="s", least=1.0
    )

    def __post_init__(self) -> None:
        check(self)
        for option in self.delegate_option:
            if "=" not in option.strip("="):
                raise EdgecrnnError(f"delegate_option: expected KEY=VALUE, got {option!r}")

    @property
    def package(self) -> str | None:
        """The runtime package asked for, None for any."""
        return None if self.engine == AUTO else self.engine

    @property
    def options(self) -> dict[str, str]:
        """The delegate's options by their keys."""
        return {o.partition("=")[0]: o.partition("=")[2] for o in self.delegate_option}


@dataclass(frozen=True)
class Chosen:
    """An engine that was proven.

    Attributes:
        engine: it.
        about: what it took, and how far from the golden frames it is.
        way: how it was loaded.
        tried: what `--engine auto` measured.
        refused: why the delegates before it could not be used, a sentence each.
    """

    engine: Engine
    about: About
    way: Candidate
    tried: tuple[Trial, ...] = ()
    refused: tuple[str, ...] = ()


def choose_engine(
    bundle: Bundle,
    asked: EngineSettings,
    frames: Callable[[], Sequence[Image]] = tuple,
    say: Say = lambda sentence: None,
) -> Chosen:
    """The engine that a person asked for, proven on the golden frames.

    Args:
        bundle: the model.
        asked: the person's words.
        frames: gives the first frames of the source, uint8 BGR; asked only for `--engine auto`.
        say: is told what is measured, and what is taken in the place of what was asked for.

    Raises:
        EdgecrnnError: it cannot be used here, with the reason and the mend.
    """
    if asked.engine == AUTO:
        return _fastest(bundle, asked, frames, say)
    delegate = asked.delegate or CPU
    # A name that is misspelled is a mistake, and no reason to take another.
    delegate_named(EXTERNAL if is_library(delegate) else delegate)
    bundle.variant(asked.variant)
    order = bundle_order(bundle)
    after = order[order.index(delegate) + 1 :] if delegate in order else order
    refused: list[str] = []
    for name in (delegate, *after):
        # What was asked of one delegate is nothing to the next.
        options = asked.options if name == delegate else {}
        variant = asked.variant if name == delegate else None
        try:
            way = candidate(bundle, name, variant, Terms(options=options, package=asked.package))
            chosen = _proven(bundle, way, asked)
        except EdgecrnnError as error:
            refused.append(str(error))
            if not asked.allow_fallback:
                mend = f"; or go on with {after[0]}: --allow-fallback" if after else ""
                raise EdgecrnnError(f"{error}{mend}") from error
            say(str(error))
            continue
        if refused:
            say(f"{delegate} cannot be used; {way.title} takes its place, as --allow-fallback says")
        return dataclasses.replace(chosen, refused=tuple(refused))
    raise EdgecrnnError(
        f"{bundle.path}: expected a delegate that can be used here, got none of "
        f"{', '.join((delegate, *after))}; the last said: {refused[-1]}"
    )


def _proven(bundle: Bundle, way: Candidate, asked: EngineSettings) -> Chosen:
    """The engine, tried in a process of its own first where it is more than the CPU."""
    if way.delegate == CPU:
        checked = checked_engine(bundle, way, asked.threads)
        return Chosen(checked.engine, checked.about, way)
    reason = delegate_named(way.delegate).check(way.terms)
    if reason:
        raise EdgecrnnError(reason)
    frames = _prepared(bundle, ())
    trial = try_candidate(bundle, way, asked.threads, frames, 0.0, asked.delegate_timeout)
    if trial.refused:
        raise EdgecrnnError(trial.refused)
    checked = _quietly(bundle, way, asked.threads)
    return Chosen(checked.engine, checked.about, way)


def _quietly(bundle: Bundle, way: Candidate, threads: int) -> Checked:
    """The same in this process: what a library writes is read, and not shown."""
    with overheard() as heard:
        checked = checked_engine(bundle, way, threads)
        said = heard()
    if GARBAGE in said:
        raise EdgecrnnError(f"{way.title}: its answers would be garbage, it said: {GARBAGE}")
    return checked


def _fastest(
    bundle: Bundle,
    asked: EngineSettings,
    frames: Callable[[], Sequence[Image]],
    say: Say,
) -> Chosen:
    """The candidate with the least p95; the table is said."""
    delegates = [asked.delegate] if asked.delegate else list(bundle_order(bundle))
    ways = all_candidates(bundle, delegates, asked.variant, None, asked.options)
    prepared = _prepared(bundle, frames())
    say(f"measuring {len(ways)} candidate{'s' * (len(ways) != 1)}, {_SECONDS:g} s each")
    tried = tuple(measure(bundle, way, asked.threads, prepared, _SECONDS, asked) for way in ways)
    say(trial_table([one.facts() for one in tried]))
    good = sorted((one for one in tried if not one.refused), key=lambda one: one.p95_ms)
    if not good:
        reasons = "; ".join(one.refused for one in tried) or "the bundle has nothing for it"
        raise EdgecrnnError(f"{bundle.path}: expected a candidate that runs here, got {reasons}")
    way = good[0].candidate
    checked = _quietly(bundle, way, asked.threads)
    return Chosen(checked.engine, checked.about, way, tried)


def measure(
    bundle: Bundle,
    way: Candidate,
    threads: int,
    frames: Frames,
    seconds: float,
    asked: EngineSettings | None = None,
) -> Trial:
    """Try a candidate where nothing speaks against it beforehand."""
    reason = delegate_named(way.delegate).check(way.terms)
    if reason:
        return Trial(way, threads, reason)
    patience = PATIENCE if asked is None else asked.delegate_timeout
    return try_candidate(bundle, way, threads, frames, seconds, patience)


def _prepared(bundle: Bundle, images: Sequence[Image]) -> Frames:
    """The source's frames as the model reads them; the golden ones where there are none."""
    preprocessing = bundle.manifest.preprocessing
    if images:
        return [prepare(image, preprocessing) for image in images[:_FRAMES]]
    if has_golden(bundle):
        return list(np.asarray(bundle.golden()["frames"], np.uint8))
    shape = (_FRAMES, *preprocessing.frame_shape)
    return list(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
