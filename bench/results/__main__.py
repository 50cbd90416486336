"""Our network and its peers on real sets: same split, frames, augmentation and processor time.

    python bench/results DATA --out FOLDER [--only SET ...] [--peers PEER ...] [--yolo PYTHON]
    python bench/results --table FOLDER [--write docs/results.md]

DATA holds the unpacked sets. Each is trained by `edgecrnn train` with the flags in sets.py; the
processor time that this took is what each peer gets. One JSON file a result: what is there is not
done again. Test clips choose nothing. PYTHON is an interpreter that has the ultralytics package.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sets import SETS, Set, choices_of
from table import PEERS, table, written

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", default=[each.name for each in SETS])
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--yolo", default="")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--write", type=Path, help="put the table between its marks there")
    args = parser.parse_args()
    if args.table:
        print(table(args.table))
        if args.write:
            args.write.write_text(written(args.write.read_text(), args.table))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for chosen in SETS:
        if chosen.name in args.only:
            folder, out = args.data / chosen.name, args.out.resolve()
            run_set(chosen, folder, out, args.seed, args.peers, args.yolo)
    print(table(args.out))


def run_set(chosen: Set, folder: Path, out: Path, seed: int, peers: list[str], yolo: str) -> None:
    """Ours, then each of `peers`, on one set."""
    with tempfile.TemporaryDirectory() as scratch:
        data = _with_test(folder, Path(scratch) / chosen.name) if chosen.test_is_val else folder
        ours = out / f"{chosen.name}.edgecrnn.json"
        if not ours.exists():
            ours.write_text(json.dumps(_ours(chosen, data, out / f"{chosen.name}.run", seed)))
        seconds = json.loads(ours.read_text())["seconds"]
        for peer in peers:
            done = out / f"{chosen.name}.{peer}.json"
            if done.exists() or (peer == "yolo" and not yolo):
                continue
            print(f"{chosen.name}: {peer}, {seconds:.0f} s of processor time", flush=True)
            if peer == "yolo":
                result = _yolo(chosen, data, Path(scratch), seconds, yolo)
                if result:
                    done.write_text(json.dumps(result))
                continue
            _timed([
                sys.executable, str(HERE / "keras_peers.py"), peer, chosen.name, str(data),
                "--seconds", str(seconds), "--seed", str(seed), "--out", str(done),
            ])  # fmt: skip


def _ours(chosen: Set, data: Path, run: Path, seed: int) -> dict[str, Any]:
    width, height = chosen.size
    print(f"{chosen.name}: edgecrnn train", flush=True)
    seconds = _timed([
        sys.executable, "-m", "edgecrnn", "train", str(data), "--out", str(run), "--force",
        "--size", f"{width}x{height}", *chosen.flags, "--seed", str(seed), "--no-baseline",
    ])  # fmt: skip
    judged = run / "test.json"
    _timed([sys.executable, "-m", "edgecrnn", "evaluate", str(run), str(data),
            "--json", str(judged), "--force"])  # fmt: skip
    said = json.loads(judged.read_text())
    record = json.loads((run / "run.json").read_text())
    return {"seconds": seconds, "evaluation": said, "parameters": record["parameters"],
            "multiply_adds": record["multiply_adds"], "epochs": len(record["history"])}  # fmt: skip


def _yolo(
    chosen: Set, data: Path, scratch: Path, seconds: float, python: str
) -> dict[str, Any] | None:
    """Frames as files for ultralytics; its frame scores averaged by clip."""
    import cv2
    import numpy as np

    sys.path.insert(0, str(HERE))
    from keras_peers import judged

    from edgecrnn.runtime.preprocess import Preprocessing
    from edgecrnn.train.data.store import DataSettings, load

    width, height = chosen.size
    loaded = load(data, Preprocessing(height, width), DataSettings(frame_rate=chosen.frame_rate))
    if loaded.task != "classify":
        return None
    folder = scratch / "frames"
    for split in ("train", "val"):
        store = loaded.splits[split]
        for clip in range(len(store)):
            to = folder / split / f"{store.labels[clip]:03d}"
            to.mkdir(parents=True, exist_ok=True)
            for number, frame in enumerate(store.clip(clip)[::4]):
                cv2.imwrite(
                    str(to / f"{clip}_{number}.png"), np.ascontiguousarray(frame[..., ::-1])
                )
    test = loaded.splits["test"]
    np.savez(folder / "test.npz", frames=test.frames)
    answer = folder / "scores.npz"
    how = choices_of(chosen, loaded.kind).augmentation
    _timed([
        python, str(HERE / "yolo_peer.py"), str(folder), "--size", str(max(chosen.size)),
        "--seconds", str(seconds), "--out", str(answer), "--turn", str(how.turn),
        *(["--flip"] if how.flip == "horizontal" else []),
    ])  # fmt: skip
    with np.load(answer) as found:
        scores = [
            found["scores"][test.starts[i] : test.starts[i + 1]].mean(axis=0)
            for i in range(len(test))
        ]
        result = judged(scores, test, loaded.task)
        return result | {name: float(found[name]) for name in
                         ("epochs", "parameters", "multiply_adds", "seconds")}  # fmt: skip


def _with_test(folder: Path, made: Path) -> Path:
    """Links to `folder`: its val is the test, and every tenth of train the val."""
    for kind in sorted((folder / "train").iterdir()):
        for number, file in enumerate(sorted(kind.iterdir())):
            to = made / ("val" if number % 10 == 9 else "train") / kind.name
            to.mkdir(parents=True, exist_ok=True)
            (to / file.name).symlink_to(file.resolve())
    shutil.copytree(folder / "val", made / "test")
    return made


def _timed(command: list[str]) -> float:
    """Seconds of processor time that the command and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{command[1:4]}: {done.stdout[-1500:]}{done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
