"""`edgecrnn demo --task TASK`: a picture task the whole way, on scenes of handwritten digits."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.own_module import module_words

_DEVICE = "linux-x86_64"
_SIZE = 64
_SCENES = 900


def demo_pictures(task: str, out: Path, epochs: int) -> int:
    """Make scenes, train, convert, answer the test pictures with the device's runtime, tell.

    Args:
        task: a picture task.
        out: folder for all of it; what is in it is replaced.
        epochs: of the training.
    """
    from edgecrnn.train.demo.scenes import SceneSettings, export_scenes
    from edgecrnn.train.tasks import picture_task

    started = time.monotonic()
    data, run, bundle = out / "scenes", out / task, out / f"{task}.edgecrnn"
    made = out / f"{task}-made"
    makes = task.partition("+")[0] == "generate"
    _head("data", "scenes of handwritten digits, with their masks and boxes")
    # Noise is to become one digit on its ground: several are too much for a few minutes.
    settings = SceneSettings(train=_SCENES, size=_SIZE)
    if makes:
        settings = dataclasses.replace(settings, train=_SCENES // 2, most=1)
    export_scenes(data, settings, picture_task(task).NEEDS)
    size = f"{_SIZE}x{_SIZE}"
    _edgecrnn(
        "train", f"{data}", "--task", task, "--out", f"{run}", "--size", size,
        "--epochs", f"{epochs}", "--learning-rate", "0.002", "--force",
    )  # fmt: skip
    _edgecrnn(
        "convert", f"{run}", "--device", _DEVICE, "--out", f"{bundle}", "--force",
        "--calibration-frames", "200",
    )  # fmt: skip
    _edgecrnn("evaluate", f"{bundle}", f"{data}")
    if makes:
        _edgecrnn("generate", f"{bundle}", "--out", f"{out / 'new'}", "--force")
    if task == "generate":
        made = out / "new"
    else:
        _run(bundle, data, made)
    print(f"\nmade    {made}\nreport  {run / 'report.html'}\nbundle  {bundle}")
    print(f"took    {time.monotonic() - started:.0f} s")
    return 0


def _run(bundle: Path, data: Path, made: Path) -> None:
    """The test pictures as a camera would show them."""
    pictures = next((data / "test").glob("pictures"), data / "test")
    source = pictures if pictures.name == "pictures" else next(pictures.iterdir())
    _edgecrnn("run", f"{bundle}", "--source", f"{source}", "--sink", f"pictures:{made}", "--json")


def _edgecrnn(*words: str) -> None:
    """The command as a person gives it, in a process of its own; `run` says less here."""
    shown = " ".join(words)
    _head(words[0], f"edgecrnn {shown}")
    quiet = subprocess.DEVNULL if words[0] == "run" else None
    done = subprocess.run(module_words("edgecrnn", *words), stdout=quiet, check=False)
    if done.returncode != 0:
        raise EdgecrnnError(f"edgecrnn {words[0]} ended with code {done.returncode}")


def _head(step: str, what: str) -> None:
    print(f"\n== {step}: {what}", file=sys.stderr, flush=True)
