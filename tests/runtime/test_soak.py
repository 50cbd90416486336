"""A minute of bench/soak.py: memory, files and threads stay as they are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def soak() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "soak.py"
    spec = importlib.util.spec_from_file_location("soak", path)
    assert spec is not None and spec.loader is not None
    # Dataclasses look their module up by its name.
    module = sys.modules["soak"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_minute_with_a_camera_that_comes_and_goes(
    soak: ModuleType, bundle_path: Path, tmp_path: Path
) -> None:
    fast = soak.faster(bundle_path, tmp_path / "fast.edgecrnn", 500.0)
    samples, summary = soak.soak(fast, 60.0, 10**9, 500.0, "64x48", 15.0)
    assert soak.growth(samples) < 2.0, soak.report(samples)
    kept = soak.warm(samples)
    assert kept[-1].frames > 3000
    assert kept[-1].resident_mb < 120
    assert kept[-1].files <= kept[0].files + 1
    assert kept[-1].threads <= kept[0].threads
    assert "times reopened" in summary
