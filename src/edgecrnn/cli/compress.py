"""`edgecrnn compress BUNDLE PICTURE ... --out FOLDER`: pictures to small files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edgecrnn.runtime.files import write_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="of the task compress")
    parser.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE", help="of any size")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="to write into")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--json", action="store_true", help="JSON lines")


def execute(args: argparse.Namespace) -> int:
    """Write a file for each picture, and print what it takes."""
    from edgecrnn.cli.outputs import beside_each_other
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.compressing import SUFFIX, Encoder
    from edgecrnn.runtime.pictures import read_picture

    targets = beside_each_other(args.pictures, args.out, SUFFIX, args.force)
    encode = Encoder(open_bundle(args.bundle))
    for path, target in zip(args.pictures, targets, strict=True):
        picture = read_picture(path)
        data = encode(picture)
        write_file(target, data)
        height, width = picture.shape[:2]
        bits = 8 * len(data) / (height * width)
        said = {"file": str(target), "bytes": len(data), "bits_a_pixel": round(bits, 4)}
        if args.json:
            print(json.dumps(said))
        else:
            print(f"{target}  {width}x{height}  {len(data):,} bytes  {bits:.3f} bits a pixel")
    return 0
