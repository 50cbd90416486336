"""How long it is from the start of `edgecrnn run` to its first decision, with the page and without.

    python bench/first_decision.py BUNDLE SOURCE [--rounds 9]

The two take turns, each a fresh process whose first line on standard output is waited for.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

WAYS = {"without the page": [], "with the page": ["--serve", "127.0.0.1:0"]}


def main() -> None:
    """Measure, and print a line for each way."""
    parser = argparse.ArgumentParser(description="start to first decision")
    parser.add_argument("bundle")
    parser.add_argument("source")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(args.rounds):
        for name, words in WAYS.items():
            taken[name].append(first_decision(args.bundle, args.source, words))
    for name, seconds in taken.items():
        print(f"{name:17} median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s")


def first_decision(bundle: str, source: str, words: list[str]) -> float:
    """Seconds until the first line."""
    command = [sys.executable, "-m", "edgecrnn", "run", bundle, "--source", source, "--realtime"]
    command += ["--max-frames", "3", *words]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"no decision came: {' '.join(command)}")
        seconds = time.perf_counter() - began
        process.communicate()
    return seconds


if __name__ == "__main__":
    main()
