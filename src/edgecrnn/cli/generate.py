"""`edgecrnn generate BUNDLE --out FOLDER`: new pictures, with what is read of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, new_folder


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help="of the task generate, or generate+B"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="to make")
    parser.add_argument(
        "--label", action="append", default=[], help="a class to make; again for more (all)"
    )
    parser.add_argument("--count", type=int, default=16, help="pictures of each (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default 0)")
    parser.add_argument("--variant", help="of the bundle")
    parser.add_argument("--force", action="store_true", help="replace a folder of these")


def execute(args: argparse.Namespace) -> int:
    """Write FOLDER/LABEL/NUMBER.png, or pictures with masks or boxes, as `train` reads them."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.generating import generated
    from edgecrnn.runtime.made_folder import PICTURES, MadeFolder
    from edgecrnn.runtime.making import asked_labels

    if args.count < 1 or args.seed < 0:
        raise EdgecrnnError(
            f"--count and --seed: expected at least 1 and 0, got {args.count} and {args.seed}"
        )
    bundle = open_bundle(args.bundle)
    check_output(args.out, args.force, asked_labels(bundle.manifest) or (PICTURES,))
    with new_folder(args.out) as beside:
        folder = MadeFolder(beside, bundle.manifest)
        labels = tuple(dict.fromkeys(args.label))
        for each in generated(bundle, labels, args.count, args.seed, args.variant):
            folder.add(each)
        folder.close()
    print(f"{folder.said}\nfolder  {args.out}")
    return 0
