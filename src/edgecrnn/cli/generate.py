"""`edgecrnn generate BUNDLE --out FOLDER`: new pictures, class by class."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, new_folder


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="of the task generate")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="to make")
    parser.add_argument(
        "--label", action="append", default=[], help="a class to make; again for more (all)"
    )
    parser.add_argument("--count", type=int, default=16, help="pictures of each (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default 0)")
    parser.add_argument("--variant", help="of the bundle")
    parser.add_argument("--force", action="store_true", help="replace a folder of these")


def execute(args: argparse.Namespace) -> int:
    """Write FOLDER/LABEL/NUMBER.png, as `edgecrnn train` reads pictures."""
    import cv2

    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.generating import generated

    if args.count < 1 or args.seed < 0:
        raise EdgecrnnError(
            f"--count and --seed: expected at least 1 and 0, got {args.count} and {args.seed}"
        )
    bundle = open_bundle(args.bundle)
    check_output(args.out, args.force, bundle.manifest.labels or ("pictures",))
    made = 0
    with new_folder(args.out) as beside:
        labels = tuple(dict.fromkeys(args.label))
        for label, pixels in generated(bundle, labels, args.count, args.seed, args.variant):
            if label != Path(label).name or label.startswith("."):
                raise EdgecrnnError(
                    f"{args.bundle}: expected labels that folders can be named by, got {label!r}; "
                    "take another bundle"
                )
            folder = beside / label
            folder.mkdir(exist_ok=True)
            shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.shape[2] == 3 else pixels
            (folder / f"{made % args.count:04d}.png").write_bytes(
                cv2.imencode(".png", shown)[1].tobytes()
            )
            made += 1
    print(f"{made} pictures of {made // args.count} classes\nfolder  {args.out}")
    return 0
