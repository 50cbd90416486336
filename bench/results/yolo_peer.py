"""yolo11n-cls of the ultralytics package, from random weights; run by an environment with it.

    YOLO_PYTHON yolo_peer.py FOLDER --size 64 --seconds N --out FILE.npz

FOLDER holds train/ and val/ as ultralytics reads them, and test.npz (frames, uint8
[N, H, W, 3] in RGB).
Writes the scores of the test's frames. Nothing of edgecrnn is imported: the packages do not mix.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True, help="of processor time")
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--turn", type=float, default=0.0)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    os.chdir(args.folder)  # it writes its runs where it stands
    import numpy as np
    from ultralytics import YOLO
    from ultralytics.utils.torch_utils import get_flops

    def fit(epochs: int, name: str) -> Any:
        model = YOLO("yolo11n-cls.yaml")
        model.train(
            data=str(args.folder), epochs=epochs, imgsz=args.size, batch=64, workers=0,
            device="cpu", project=str(args.folder / "runs"), name=name, pretrained=False,
            amp=False, cos_lr=True, degrees=args.turn, fliplr=0.5 if args.flip else 0.0,
            plots=False, verbose=False, seed=0,
        )  # fmt: skip
        return model

    before = time.process_time()
    fit(1, "first")
    first = time.process_time() - before
    # The first epoch pays for the start, too; it is part of the time.
    epochs = max(1, int((args.seconds - first) / (0.8 * first)))
    model = fit(epochs, "whole")
    best = YOLO(str(args.folder / "runs" / "whole" / "weights" / "best.pt"))
    frames = np.load(args.folder / "test.npz")["frames"]
    scores = []
    for start in range(0, len(frames), 64):
        pictures = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames[start : start + 64]]
        for found in best.predict(pictures, imgsz=args.size, device="cpu", verbose=False):
            scores.append(found.probs.data.numpy())
    np.savez(
        args.out, scores=np.stack(scores), epochs=epochs,
        parameters=sum(each.numel() for each in best.model.parameters()),
        multiply_adds=get_flops(best.model, args.size) * 1e9 / 2,
        seconds=time.process_time() - before,
    )  # fmt: skip
    del model


if __name__ == "__main__":
    main()
