"""`python -m edgecrnn.runtime.first_answer`: what a fresh process costs, told by itself.

A process that was forked inherits its parent's peak in `ru_maxrss`; the peak of this program
alone stands in /proc/self/status.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def peak_mb() -> float:
    """Peak resident memory of this program in MB (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def main(bundle: str, way: str, threads: str, picture: str, began: str) -> None:
    """Classify one picture and print seconds since `began` (monotonic) and the peak in MB.

    The engine is proven on the golden frames first, as `edgecrnn run` does; `way` is a Candidate
    as JSON.
    """
    from edgecrnn.runtime.answerer import reader_of
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.candidates import candidate_of
    from edgecrnn.runtime.checked import checked_engine
    from edgecrnn.runtime.frame import SourceSettings
    from edgecrnn.runtime.sources import open_source

    opened = open_bundle(Path(bundle))
    engine = checked_engine(opened, candidate_of(json.loads(way)), int(threads)).engine
    source = open_source(picture, SourceSettings())
    classify = reader_of(engine, opened.manifest, opened.manifest.decision, live=False)
    frame = source.read()
    result = None if frame is None else classify(frame)
    seconds = time.monotonic() - float(began)
    label = None if result is None else result.label
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb(), "label": label}))


if __name__ == "__main__":
    main(*sys.argv[1:])
