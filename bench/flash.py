"""How long a flash takes, and what goes over the wire: one board on loopback, an sshd and a folder.

    python bench/default_bundle.py default.edgecrnn
    python bench/flash.py default.edgecrnn [--times 3] [--json flash.json]

The board has the runtime, as after its first flash: an environment that leads to the packages that
run here. Each time a release that it does not have is brought there (the same bundle, run with
other settings), and then the same again, of which nothing is to be done.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.devices.a_fleet import Fleet, running_fleet


def main() -> int:
    """Flash, and print the medians."""
    parser = argparse.ArgumentParser(description="time flashes onto a simulated board")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write what was measured there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        with running_fleet(folder / "fleet", folder / "cache", 1) as fleet:
            runs = [_flash(args.bundle, fleet, 1 + n // 2) for n in range(2 * args.times)]
    new, same = runs[0::2], runs[1::2]
    measured = {
        "processors": os.cpu_count(),
        "bundle_bytes": args.bundle.stat().st_size,
        "new": _median(new),
        "same": _median(same),
        "steps_of_new": {step["name"]: step["seconds"] for step in new[-1]["steps"]},
    }
    print(json.dumps(measured, indent=1))
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1))
    well = [run["outcome"] for run in runs] == ["healthy", "unchanged"] * args.times
    return 0 if well else 1


def _flash(bundle: Path, fleet: Fleet, threads: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "edgecrnn", "flash", str(bundle), "b1", "--json"]
    words += ["--ssh-config", str(fleet.config), "--camera", str(fleet.clip), "--frames", "5"]
    began = time.monotonic()
    done = subprocess.run([*words, "--", "--threads", str(threads)], capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return {**answer, "seconds": time.monotonic() - began}


def _median(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in ("seconds", "sent")}


if __name__ == "__main__":
    sys.exit(main())
