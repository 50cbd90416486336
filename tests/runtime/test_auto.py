"""`--engine auto`: every candidate is measured in a process of its own, the fastest taken."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgecrnn
from edgecrnn.runtime import choice
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import Variant


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_SECONDS", 0.1)


def with_library(make_bundle: Callable[..., Path], library: Path, **options: str) -> Bundle:
    facts = {"library": str(library), "options": options}
    deployments = [{"delegate": "external", "refused": "", "facts": facts}]
    return open_bundle(make_bundle(certificate={"deployments": deployments}))


def test_the_fastest_by_p95_is_taken_and_the_table_said(
    make_bundle: Callable[..., Path],
    delegate_library: Path,
    picture: Callable[..., np.ndarray],
) -> None:
    asked: list[int] = []
    told: list[str] = []

    def frames() -> list[np.ndarray]:
        asked.append(1)
        return [picture("red"), picture("blue")]

    bundle = with_library(make_bundle, delegate_library)
    chosen = choose_engine(bundle, EngineSettings(engine="auto"), frames, told.append)
    assert asked == [1]
    assert {one.candidate.delegate for one in chosen.tried} == {"external", "cpu"}
    for one in chosen.tried:
        assert one.refused == "" and one.steps >= 10
        assert 0 < one.p50_ms <= one.p95_ms <= one.p99_ms < 1000
        assert 20 < one.peak_mb < 2000 and one.load_ms > 0
    best = min(chosen.tried, key=lambda one: one.p95_ms)
    assert chosen.engine.delegate == best.candidate.delegate
    head, first, second = told[1].splitlines()
    assert head.split() == [
        "variant", "delegate", "runtime", "threads", "load", "first", "p50", "p95", "p99", "peak",
    ]  # fmt: skip
    assert first.split()[1] == best.candidate.delegate and second.startswith("float32")


def test_one_that_answers_wrongly_is_never_the_fastest(
    make_bundle: Callable[..., Path], delegate_library: Path
) -> None:
    told: list[str] = []
    bundle = with_library(make_bundle, delegate_library, answer="wrong")
    chosen = choose_engine(bundle, EngineSettings(engine="auto"), say=told.append)
    assert chosen.engine.delegate == "cpu"
    assert "not used (float32): external: expected the scores of the bundle's golden" in told[1]


def test_only_what_was_asked_for_is_measured(
    make_bundle: Callable[..., Path], delegate_library: Path
) -> None:
    bundle = with_library(make_bundle, delegate_library)
    asked = EngineSettings(engine="auto", delegate="cpu", variant="float32")
    chosen = choose_engine(bundle, asked)
    assert [one.candidate.delegate for one in chosen.tried] == ["cpu"]


def test_where_nothing_runs_the_reasons_are_told(
    make_bundle: Callable[..., Path], delegate_library: Path
) -> None:
    bundle = with_library(make_bundle, delegate_library, prepare="crash")
    with pytest.raises(EdgecrnnError, match="expected a candidate that runs here, got external"):
        choose_engine(bundle, EngineSettings(engine="auto", delegate="external"))
    with pytest.raises(EdgecrnnError, match="got the bundle has nothing for it"):
        choose_engine(bundle, EngineSettings(engine="auto", delegate="edgetpu"))


def test_every_variant_that_suits_is_a_candidate(make_bundle: Callable[..., Path]) -> None:
    runtimes = {"ai-edge-litert": "1.0", "tflite-runtime": "1.5"}
    file = "float32.tflite"
    variants = (
        Variant("float16.gpu", file, ("gpu",), "ADD v1", runtimes),
        Variant("float32", file, ("cpu",), "ADD v1", runtimes),
        Variant("again", file, ("cpu",), "ADD v99", {"ai-edge-litert": "99.0"}),
    )
    bundle = open_bundle(make_bundle(variants=variants))
    asked = EngineSettings(engine="auto", delegate="cpu")
    tried = {one.candidate.variant: one.refused for one in choose_engine(bundle, asked).tried}
    assert tried["float32"] == ""
    assert "ADD v99 needs ai-edge-litert 99.0 or later" in tried["again"]
    assert "float16.gpu" not in tried


def test_both_packages_are_measured_where_both_are(
    bundle: Bundle, older_runtime: Path, tmp_path: Path
) -> None:
    """The environment of tflite-runtime 2.14, with ai-edge-litert put beside it."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("ai-edge-litert here is not built for that environment's Python")
    found = importlib.util.find_spec("ai_edge_litert")
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    version = importlib.metadata.version("ai-edge-litert")
    for name in ("ai_edge_litert", f"ai_edge_litert-{version}.dist-info"):
        (tmp_path / name).symlink_to(package.parent / name)
    code = (
        "import sys; from pathlib import Path\n"
        "from edgecrnn.runtime import choice\n"
        "from edgecrnn.runtime.bundle import open_bundle\n"
        "choice._SECONDS = 0.1\n"
        "asked = choice.EngineSettings(engine='auto')\n"
        "bundle = open_bundle(Path(sys.argv[1]))\n"
        "print(choice.choose_engine(bundle, asked, say=print).about.runtime)"
    )
    source = Path(edgecrnn.__file__).parent.parent
    done = subprocess.run(
        [older_runtime, "-c", code, bundle.path],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{source}:{tmp_path}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "measuring 2 candidates" in done.stdout
    assert f"ai-edge-litert {version}" in done.stdout and "tflite-runtime 2.14.0" in done.stdout
    lines = done.stdout.splitlines()
    assert " ".join(lines[2].split()[2:4]) == lines[-1]
