"""How long a fleet takes: boards on loopback, an sshd and a folder each, some of them broken.

    python bench/default_bundle.py default.edgecrnn
    python bench/fleet.py default.edgecrnn [--boards 50] [--broken 3] [--json fleet.json]

Each board is probed, sent the bundle, proves it, runs its golden frames, switches and classifies a
clip to its end, all on this machine. Their environments are folders that lead to the packages that
run here, so that the time is that of a new model and not of pip. Of the broken ones one has no ssh
server, one another host key than is known, and one a camera that is not there. A second run must
find all others unchanged. It ends with 1 where a board did not come to what it should.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.devices.a_fleet import Fleet, running_fleet

_BAD_CAMERA = 'camera = "/nowhere/film.avi"'


def main() -> int:
    """Flash them twice, and print what it took."""
    parser = argparse.ArgumentParser(description="flash a fleet of simulated boards")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--boards", type=int, default=50)
    parser.add_argument("--broken", type=int, default=3, choices=range(4))
    parser.add_argument("--batch", default="20%")
    parser.add_argument("--json", type=Path, help="write what was measured there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        with running_fleet(folder / "fleet", folder / "cache", args.boards) as fleet:
            expected = _break(fleet, args.broken)
            bad = {name: _BAD_CAMERA for name, how in expected.items() if how == "rolled back"}
            file = fleet.toml(folder / "fleet.toml", **bad)
            runs = [_run(args, file, folder / f"{number}.json") for number in (1, 2)]
    told = [_told(run) for run in runs]
    right = [_right(runs[0], expected, "healthy"), _right(runs[1], expected, "unchanged")]
    measured = {"processors": os.cpu_count(), "boards": args.boards, "runs": told, "right": right}
    print(json.dumps(measured, indent=1))
    if args.json:
        args.json.write_text(json.dumps(measured, indent=1))
    return 0 if all(right) else 1


def _break(fleet: Fleet, count: int) -> dict[str, str]:
    """Break so many boards, spread over the fleet; gives the state that each is to end in."""
    names = list(fleet.boards)
    chosen = [names[(place + 1) * len(names) // 4] for place in range(count)]
    ends = dict(zip(chosen, ("failed", "failed", "rolled back"), strict=False))
    for place, name in enumerate(chosen[:2]):
        fleet.boards[name].stop()
        if place == 1:
            fleet.boards[name].new_host_key(trust=False)
            fleet.boards[name].start()
    return ends


def _run(args: argparse.Namespace, file: Path, report: Path) -> dict[str, Any]:
    """As a person calls it."""
    command = [sys.executable, "-m", "edgecrnn", "flash", str(args.bundle)]
    command += ["--inventory", str(file), "--report", str(report), "--batch", args.batch]
    command += ["--max-failures", str(args.broken + 1)]
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(report.read_text())
    return {**found, "wall": round(time.monotonic() - began, 1)}


def _told(run: dict[str, Any]) -> dict[str, Any]:
    spent = sorted(board["seconds"] for board in run["boards"])
    return {
        "seconds": run["wall"],
        "states": Counter(board["state"] for board in run["boards"]),
        "waves": max(board["wave"] for board in run["boards"]),
        "a board's seconds, median": spent[len(spent) // 2],
        "a board's seconds, most": spent[-1],
        "failed": {b["host"]: b["reason"] for b in run["boards"] if b["reason"]},
    }


def _right(run: dict[str, Any], expected: dict[str, str], otherwise: str) -> bool:
    return all(board["state"] == expected.get(board["host"], otherwise) for board in run["boards"])


if __name__ == "__main__":
    sys.exit(main())
