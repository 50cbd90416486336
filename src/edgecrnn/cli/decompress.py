"""`edgecrnn decompress BUNDLE FILE ... --out FOLDER`: pictures of what `compress` wrote."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import write_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="that the files were made with")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of edgecrnn compress")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="to write into")
    parser.add_argument("--force", action="store_true", help="replace pictures that are there")


def execute(args: argparse.Namespace) -> int:
    """Write a PNG for each file."""
    import cv2

    from edgecrnn.cli.outputs import beside_each_other
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.compressing import Decoder

    targets = beside_each_other(args.files, args.out, ".png", args.force)
    decode = Decoder(open_bundle(args.bundle))
    for path, target in zip(args.files, targets, strict=True):
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise EdgecrnnError(
                f"{path}: expected a file that edgecrnn compress wrote, got {reason}; "
                "check the path"
            ) from error
        pixels = decode(data, str(path))
        shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.shape[2] == 3 else pixels
        write_file(target, cv2.imencode(".png", shown)[1].tobytes())
        print(f"{target}  {pixels.shape[1]}x{pixels.shape[0]}")
    return 0
