"""What a bundle costs on this machine: every engine that is there, and the live loop around one."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecrnn.runtime.bench_loop import LoopCost, measure_loop
from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.candidates import EXTERNAL, all_candidates, bundle_order
from edgecrnn.runtime.choice import MOST_THREADS, EngineSettings, choose_engine, measure
from edgecrnn.runtime.delegates import CPU, delegate_names
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.machine import machine_name, read_machine
from edgecrnn.runtime.preprocess import Image, prepare
from edgecrnn.runtime.settings import check, setting
from edgecrnn.runtime.trial import Trial

FORMAT = 2
_DENSE_THREADS = 4  # up to so many each count is measured, above it the powers of two

Say = Callable[[str], None]


@dataclass(frozen=True)
class BenchSettings:
    """What is measured, and for how long."""

    seconds: float = setting(
        10.0, "how long the live loop runs; 1800 shows what heat does", unit="s", least=0.01
    )
    engine_seconds: float = setting(
        1.0, "how long each engine is measured; 0 leaves them out", unit="s", least=0.0
    )
    threads: int | None = setting(
        None, "CPU threads; without it 1 to all of the machine's, and 1 for the loop", least=1,
        most=MOST_THREADS,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)

    @property
    def counts(self) -> list[int]:
        """The numbers of threads to measure."""
        if self.threads is not None:
            return [self.threads]
        most = os.cpu_count() or 1
        dense = range(1, min(most, _DENSE_THREADS) + 1)
        return sorted({*dense, *(n for n in (8, 16, 32, 64) if n <= most), most})


@dataclass(frozen=True)
class Bench:
    """What was measured, all of it JSON values.

    Attributes:
        facts: machine, bundle, frames, date.
        engines: what `Trial.facts` gave, one a candidate and number of threads.
        about: what runs the loop, as `About.facts` gave it.
        loop: what `LoopCost` holds.
    """

    facts: Mapping[str, Any]
    engines: Sequence[Mapping[str, Any]]
    about: Mapping[str, Any]
    loop: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is written to a file."""
        return {"format": FORMAT, **dataclasses.asdict(self)}


def bench(
    bundle: Bundle,
    images: Sequence[Image],
    source: str,
    asked: EngineSettings,
    settings: BenchSettings,
    made_by: str,
    say: Say = lambda sentence: None,
) -> Bench:
    """Measure.

    Args:
        bundle: the model.
        images: uint8 BGR frames of one size, decoded.
        source: where they came from, for a person.
        asked: what runs the loop, and which engines are measured; its threads are left aside.
        settings: for how long.
        made_by: name and version of the program.
        say: is told what goes on.

    Raises:
        EdgecrnnError: what was asked for cannot run here.
    """
    if not images:
        raise EdgecrnnError(f"{source}: expected at least one frame, got none; take another")
    counts = settings.counts
    asked = dataclasses.replace(asked, threads=counts[0])
    chosen = choose_engine(bundle, asked, lambda: images, say)
    trials = _engines(bundle, images, asked, settings, counts, say)
    say(f"the live loop around {chosen.about.text()}: {settings.seconds:g} s")
    before = read_machine()
    loop: LoopCost = measure_loop(bundle, chosen.way, counts[0], images, settings.seconds)
    height, width = images[0].shape[:2]
    facts = {
        "made_by": made_by,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine_name(),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "bundle": bundle.manifest.name,
        "frames": f"{source}, {width}x{height}",
        "before": dataclasses.asdict(before),
        "after": dataclasses.asdict(read_machine()),
    }
    return Bench(
        facts,
        [trial.facts() for trial in trials],
        chosen.about.facts(),
        dataclasses.asdict(loop),
    )


def _engines(
    bundle: Bundle,
    images: Sequence[Image],
    asked: EngineSettings,
    settings: BenchSettings,
    counts: Sequence[int],
    say: Say,
) -> list[Trial]:
    """Every way to run the bundle that is asked for, the CPU's with each number of threads."""
    if not settings.engine_seconds:
        return []
    # What the bundle was made for first, then all else that this machine may have.
    known = dict.fromkeys([*bundle_order(bundle), *delegate_names()])
    delegates = [asked.delegate] if asked.delegate else list(known)
    ways = all_candidates(bundle, delegates, asked.variant, asked.package, asked.options)
    # A library that nobody named is nothing to measure.
    ways = [way for way in ways if way.delegate != EXTERNAL or way.terms.library]
    frames = [prepare(image, bundle.manifest.preprocessing) for image in images]
    pairs = [(way, n) for way in ways for n in (counts if way.delegate == CPU else counts[:1])]
    say(f"{len(pairs)} engines, {settings.engine_seconds:g} s each")
    seconds = settings.engine_seconds
    return [measure(bundle, way, threads, frames, seconds, asked) for way, threads in pairs]
