"""Tries an engine in a process of its own: `python -m edgecrnn.runtime.trial FOLDER`.

A delegate may crash, hang, or say on standard error alone that it is failing. In a process of its
own each of these becomes a sentence, and what it leaves behind goes with the process.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.candidates import Candidate, candidate_of
from edgecrnn.runtime.checked import GARBAGE, checked_engine
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.first_answer import peak_mb
from edgecrnn.runtime.own_module import module_words

Frames = Sequence[npt.NDArray[np.uint8]]
# Shaders and NPU programs are made while a model is loaded; one that takes this long hangs.
PATIENCE = 60.0
_WARM = 10  # steps left out while caches and clocks warm up


@dataclass(frozen=True)
class Trial:
    """How a candidate did. Either `refused` says why it cannot be used, or it is empty.

    Times in milliseconds: `load_ms` until the model is loaded, `first_ms` its first answer,
    the quantiles over `steps` steps. `peak_mb` (10^6 bytes) is of the whole process. `about` is
    what `About.facts` gave.
    """

    candidate: Candidate
    threads: int
    refused: str = ""
    load_ms: float = 0.0
    first_ms: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    steps: int = 0
    peak_mb: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As JSON values, without the candidate's options."""
        facts = dataclasses.asdict(self)
        del facts["candidate"]
        runtime = self.about.get("runtime") or self.candidate.terms.package or ""
        return {
            "variant": self.candidate.variant,
            "delegate": self.candidate.title,
            "runtime": runtime,
            **facts,
        }


def try_candidate(
    bundle: Bundle,
    candidate: Candidate,
    threads: int,
    frames: Frames,
    seconds: float,
    patience: float = PATIENCE,
) -> Trial:
    """Load, compare with the golden frames, and step through `frames` for `seconds`.

    Args:
        bundle: opened from `bundle.path`, which is read again.
        candidate: the variant, the delegate and its terms.
        threads: of the CPU.
        frames: uint8 [height, width, channels] from `prepare`; read over and over.
        seconds: how long it is measured; 0 for not at all.
        patience: seconds beside them until it is taken to hang.
    """
    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as name:
        folder = Path(name)
        np.save(folder / "frames.npy", np.stack(frames))
        asked = {
            "bundle": str(bundle.path.absolute()),
            "candidate": dataclasses.asdict(candidate),
            "threads": threads,
            "seconds": seconds,
        }
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        with (folder / "said.txt").open("wb") as said:
            try:
                code = subprocess.run(
                    module_words(__spec__.name, name),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    timeout=seconds + patience,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                return Trial(candidate, threads, _hangs(candidate, patience))
        words = (folder / "said.txt").read_text(encoding="utf-8", errors="replace")
        found = _read(folder / "found.json")
    refused = str(found.pop("refused", "")) or _died(candidate, code, words, bool(found))
    return Trial(candidate, threads, refused, **({} if refused else found))


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _hangs(candidate: Candidate, patience: float) -> str:
    return (
        f"{candidate.title}: expected an answer within {patience:g} s, got none: it hangs; see "
        "that its device is there and used by nothing else"
    )


def _died(candidate: Candidate, code: int, words: str, found: bool) -> str:
    """A sentence where it failed without one of its own; '' where it did not fail."""
    if GARBAGE in words:
        line = words[words.index(GARBAGE) :].splitlines()[0]
        return f"{candidate.title}: its answers would be garbage, it said: {line}"
    if code == 0 and found:
        return ""
    lines = [line for line in words.splitlines() if line.strip()] or ["nothing"]
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return (
        f"{candidate.title}: expected an answer, but the process that loaded it {ended}; its last "
        f"words: {lines[-1].strip()[:200]}"
    )


def timed_steps(engine: Engine, frames: Frames, seconds: float) -> list[float]:
    """Milliseconds of each step over `frames`, read over and over; none for 0 seconds.

    The first ones, in which caches and clocks warm up, are left out.
    """
    state = engine.zero_state()
    taken: list[float] = []
    deadline = time.perf_counter() + seconds
    while seconds > 0 and (len(taken) < 2 * _WARM or time.perf_counter() < deadline):
        frame = frames[len(taken) % len(frames)]
        began = time.perf_counter()
        _, state = engine.step(frame, state)
        taken.append(1000.0 * (time.perf_counter() - began))
    return taken[_WARM:]


def _main(folder: Path) -> None:
    """In the process of its own: load, compare, measure, and write what was found."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    candidate = candidate_of(asked["candidate"])
    try:
        found = _measure(
            open_bundle(Path(asked["bundle"])),
            candidate,
            asked["threads"],
            np.load(folder / "frames.npy"),
            asked["seconds"],
        )
    except EdgecrnnError as error:
        found = {"refused": str(error)}
    beside = folder / "found.part"
    beside.write_text(json.dumps(found), encoding="utf-8")
    beside.rename(folder / "found.json")


def _measure(
    bundle: Bundle,
    candidate: Candidate,
    threads: int,
    frames: npt.NDArray[np.uint8],
    seconds: float,
) -> dict[str, Any]:
    checked = checked_engine(bundle, candidate, threads)
    taken = timed_steps(checked.engine, list(frames), seconds)
    cuts = statistics.quantiles(taken, n=100, method="inclusive") if taken else [0.0] * 99
    return {
        "load_ms": checked.load_ms,
        "first_ms": checked.first_ms,
        "p50_ms": cuts[49],
        "p95_ms": cuts[94],
        "p99_ms": cuts[98],
        "steps": len(taken),
        "peak_mb": peak_mb(),
        "about": checked.about.facts(),
    }


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
