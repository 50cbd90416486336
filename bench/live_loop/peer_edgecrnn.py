"""edgecrnn's own loop: what `edgecrnn run` does with a frame once it is decoded."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from worker import Step, serve

from edgecrnn.runtime.answerer import reader_of
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.loop import Loop
from edgecrnn.runtime.sinks.jsonl import JsonLines


def setup(folder: Path, facts: dict[str, Any]) -> Step:
    """The bundle, its proven engine, and JSON lines to nowhere."""
    bundle = open_bundle(folder / "model.edgecrnn")
    chosen = choose_engine(bundle, EngineSettings(variant=facts["variant"]))
    manifest = bundle.manifest
    nowhere = Path(os.devnull).open("wb")  # noqa: SIM115  # for as long as the process
    sink = JsonLines(nowhere, manifest.labels, prompt=True)
    reader = reader_of(chosen.engine, manifest, manifest.decision, live=True)
    loop = Loop(reader, [sink], manifest.frame_rate, lambda sentence: None)
    period, count = 1.0 / (manifest.frame_rate or 10.0), 0

    def step(image: Any) -> int:
        nonlocal count
        loop.feed(Frame(image, count, count * period, time.monotonic()))
        count += 1
        assert loop.last is not None
        scores = loop.last[0].scores
        return scores.index(max(scores))

    return step


if __name__ == "__main__":
    serve(setup)
