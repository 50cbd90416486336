"""The live loop beside a person's other choices: same network, same frames, one run.

    python bench/live_loop --run RUN --data DATA --picture-run RUN2 --picture-data DATA2 \\
        --out FOLDER [--peers PYTHON] [--rounds 30] [--frames 200]
    python bench/live_loop --table FOLDER [--write docs/runtime-benchmarks.md]

RUN is a run of clips (that of `edgecrnn demo` will do), RUN2 one of pictures, for MediaPipe, which
carries no state. PYTHON is an interpreter with what requirements.txt names; without it one is made
in FOLDER.

Each contender is a process of its own that waits to be told how many frames to read. In each round
every one is told once, one after the other in an order that is drawn anew, so that whatever else
the machine does meets all of them alike; what is told is the ratio to LiteRT's plain loop within
the round.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from table import table, written

HERE = Path(__file__).parent
REFERENCE = "litert"
STREAM = ("edgecrnn", REFERENCE, "litert_linear", "onnxruntime", "openvino", "window")
STARTS = 5  # of each contender, for the time to its first answer
PICTURE = ("edgecrnn", REFERENCE, "litert_linear", "mediapipe")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("run", "data", "picture-run", "picture-data", "out", "table", "write"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--peers", default="")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args()
    if args.table:
        print(table(args.table))
        if args.write:
            args.write.write_text(written(args.write.read_text(), args.table))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    peers = args.peers or _environment(args.out / "peers")
    for name, run, data, contenders in (
        ("stream", args.run, args.data, STREAM),
        (
            "small",
            args.run,
            args.data,
            ("edgecrnn", REFERENCE, "onnxruntime", "openvino", "window"),
        ),
        ("picture", args.picture_run, args.picture_data, PICTURE),
    ):
        folder = args.out / name
        if not (folder / "facts.json").exists():
            command = [sys.executable, str(HERE / "prepare.py"), str(run), str(data), str(folder)]
            subprocess.run([*command, *(["small"] if name == "small" else [])], check=True)
        if "onnxruntime" in contenders and not (folder / "int8.onnx").exists():
            subprocess.run([peers, str(HERE / "make_onnx.py"), str(folder)], check=True)
        result = measure(folder, contenders, peers, args.rounds, args.frames)
        (args.out / f"{name}.json").write_text(json.dumps(result, indent=1))
    print(table(args.out))


class Contender:
    """A process, and what it has cost."""

    def __init__(self, name: str, folder: Path, python: str):
        self.name = name
        self.core_s = 0.0  # processor time of the newest answer
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [python, str(HERE / f"peer_{name}.py"), str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.labels = self.read(1)
        self.first = time.perf_counter() - began

    def read(self, frames: int) -> list[int]:
        """The labels of the next frames."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{frames}\n".encode())
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with code {self.process.wait()}")
        told = json.loads(line)
        self.core_s = told["core_s"]
        labels: list[int] = told["labels"]
        return labels

    def peak(self) -> float:
        """Most memory so far, in MB; the frames, which it maps, left out."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        return float(said["RssAnon"].split()[0]) / 1000.0

    def end(self) -> None:
        """Close its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def measure(
    folder: Path, names: tuple[str, ...], peers: str, rounds: int, frames: int
) -> dict[str, Any]:
    """Rounds of all contenders."""
    firsts: dict[str, list[float]] = {name: [] for name in names}
    for start in range(STARTS):
        contenders = [
            Contender(name, folder, sys.executable if name == "edgecrnn" else peers)
            for name in names
        ]
        for one in contenders:
            firsts[one.name].append(one.first)
            if start < STARTS - 1:
                one.end()
    walls: dict[str, list[float]] = {name: [] for name in names}
    cores: dict[str, list[float]] = {name: [] for name in names}
    order = random.Random(0)
    try:
        for one in contenders:
            one.labels += one.read(frames)
        for _ in range(rounds):
            for one in order.sample(contenders, len(contenders)):
                began = time.perf_counter()
                one.labels += one.read(frames)
                walls[one.name].append((time.perf_counter() - began) / frames * 1000.0)
                cores[one.name].append(one.core_s / frames * 1000.0)
        reference = next(one for one in contenders if one.name == REFERENCE)
        return {
            "machine": _machine(),
            "rounds": rounds,
            "frames": frames,
            "contenders": {
                one.name: {
                    "wall_ms": walls[one.name],
                    "core_ms": cores[one.name],
                    "first_s": statistics.median(firsts[one.name]),
                    "memory_mb": one.peak(),
                    "agrees": _agreement(one.labels, reference.labels),
                }
                for one in contenders
            },
        }
    finally:
        for one in contenders:
            one.end()


def _agreement(labels: list[int], others: list[int]) -> float:
    same = [a == b for a, b in zip(labels, others, strict=True)]
    return sum(same) / len(same)


def _machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in info.splitlines() if "model name" in line)
    return f"{model}, {os.cpu_count()} cores"


def _environment(folder: Path) -> str:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = str(HERE / "requirements.txt")
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", wanted], check=True)
    return str(python)


if __name__ == "__main__":
    main()
