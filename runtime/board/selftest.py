"""The proof that a release answers rightly and in time here, in processes of their own.

A bundle that is damaged in a way that no hash shows, or a driver, can take the whole process with
it: `python -m edgecrnn.runtime.board.selftest FOLDER` is the one it may take.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.board.layout import read_release
from edgecrnn.runtime.board.release import BUNDLE
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import check, from_mapping, setting

if TYPE_CHECKING:
    from edgecrnn.runtime.choice import EngineSettings

# Loading, the golden frames and a second of steps take 3 s on a slow board; a delegate may compile.
_PATIENCE = 180.0  # s
_SECONDS = 1.0  # of steps that are timed


@dataclass(frozen=True)
class SelfTest:
    """How a release did on this board."""

    created: str = setting("", "when the bundle was made, ISO 8601")
    variant: str = setting("", "of the bundle that was taken")
    delegate: str = setting("", "what computed")
    golden_difference: float | None = setting(
        None, "largest difference of a score; None where the bundle has no golden frames"
    )
    tolerance: float | None = setting(None, "most that it may be")
    p50_ms: float = setting(0.0, "of a step", unit="ms", least=0)
    p95_ms: float = setting(0.0, "of a step", unit="ms", least=0)

    def __post_init__(self) -> None:
        check(self)


def self_test(folder: Path, python: Sequence[str], budget_ms: float | None = None) -> SelfTest:
    """Run a release's golden frames with its own environment, and time its steps.

    Args:
        folder: of the release; its signature was proven.
        python: words that start the environment's Python.
        budget_ms: most that the 95th percentile of a step may take.

    Raises:
        EdgecrnnError: it answers wrongly, too slowly or not at all.
    """
    words = [*python, "-m", __name__, str(folder)]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, cwd="/"
        )
    except subprocess.TimeoutExpired as error:
        raise EdgecrnnError(
            f"self-test: expected answers to the golden frames within {_PATIENCE:g} s, got none: "
            "it hangs; see that the board's delegate is used by nothing else"
        ) from error
    except OSError as error:
        raise EdgecrnnError(
            f"{python[0]}: expected the release's Python, got {error.strerror}; flash again"
        ) from error
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    try:
        found = json.loads(said[-1])
    except (ValueError, IndexError):
        raise EdgecrnnError(_died(done.returncode, done.stderr.decode(errors="replace"))) from None
    if "error" in found:
        raise EdgecrnnError(f"self-test: {found['error']}")
    tested = from_mapping(SelfTest, found, "self-test")
    if budget_ms is not None and tested.p95_ms > budget_ms:
        raise EdgecrnnError(
            f"self-test: expected a step within {budget_ms:g} ms, got {tested.p95_ms:.2f} ms "
            f"(95th percentile, {tested.variant} on {tested.delegate}); take a smaller model, "
            "another --delegate, or a larger --budget"
        )
    return tested


def _died(code: int, words: str) -> str:
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    last = ([line for line in words.splitlines() if line.strip()] or ["nothing"])[-1]
    return (
        f"self-test: expected answers to the golden frames, but the process {ended}; its last "
        f"words: {last.strip()[:200]}"
    )


def engine_settings(run: Sequence[str]) -> EngineSettings:
    """The engine that a run's arguments ask for; the other arguments do not matter here."""
    from edgecrnn.runtime.choice import EngineSettings

    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False, add_help=False)
    parser.add_argument("--variant")
    parser.add_argument("--delegate")
    parser.add_argument("--delegate-option", action="append", default=[])
    parser.add_argument("--engine")
    parser.add_argument("--allow-fallback", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--delegate-timeout", type=float)
    try:
        known, _ = parser.parse_known_args(list(run))
    except (argparse.ArgumentError, SystemExit) as error:
        raise EdgecrnnError(f"run: expected arguments of edgecrnn run, got {error}") from error
    given = {name: value for name, value in vars(known).items() if value is not None}
    given["delegate_option"] = tuple(given["delegate_option"])
    return EngineSettings(**given)


def _test(folder: Path) -> SelfTest:
    """In the process of its own."""
    import numpy as np

    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.choice import choose_engine
    from edgecrnn.runtime.golden import has_golden
    from edgecrnn.runtime.trial import timed_steps

    bundle = open_bundle(folder / BUNDLE)
    chosen = choose_engine(bundle, engine_settings(read_release(folder).run))
    frames = [np.zeros(chosen.engine.frame_shape, np.uint8)]
    if has_golden(bundle):
        frames = list(np.asarray(bundle.golden()["frames"], np.uint8))
    cuts = statistics.quantiles(timed_steps(chosen.engine, frames, _SECONDS), n=20)
    return SelfTest(
        created=bundle.manifest.created,
        variant=chosen.about.variant,
        delegate=chosen.about.delegate,
        golden_difference=chosen.about.golden,
        tolerance=chosen.about.tolerance,
        p50_ms=cuts[9],
        p95_ms=cuts[18],
    )


def _main(folder: Path) -> None:
    try:
        found = asdict(_test(folder))
    except EdgecrnnError as error:
        found = {"error": str(error)}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
