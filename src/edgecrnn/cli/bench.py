"""`edgecrnn bench BUNDLE`: what the model costs here, and what the live loop adds to it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what convert wrote")
    parser.add_argument("--source", metavar="SRC", help="take the frames from there")
    parser.add_argument(
        "--size", default="640x480", help="without --source: random frames of this size"
    )
    parser.add_argument("--variant", help="of the bundle; without it the preferred one")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the model")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there too")
    parser.add_argument("--force", action="store_true", help="replace the --json file")


def execute(args: argparse.Namespace) -> int:
    """Measure, print, and write the JSON."""
    from edgecrnn.runtime.bench import bench, first_images, random_images
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.errors import EdgecrnnError
    from edgecrnn.runtime.files import check_output, write_file
    from edgecrnn.runtime.frame import SourceSettings
    from edgecrnn.runtime.sources import open_source

    if args.threads < 1 or not args.seconds > 0:
        raise EdgecrnnError(
            f"bench: expected at least 1 thread and more than 0 s, got {args.threads} and "
            f"{args.seconds:g}"
        )
    if args.json is not None:
        check_output(args.json, args.force, ())
    size = SourceSettings(size=args.size).wanted_size
    bundle = open_bundle(args.bundle)
    if args.source is not None:
        images = first_images(open_source(args.source, SourceSettings()))
    else:
        images = random_images(size or (640, 480))
    measured = bench(bundle, images, args.variant, args.threads, args.seconds)
    print(measured.text())
    if args.json is not None:
        facts = {"bundle": str(args.bundle), "source": args.source, **dataclasses.asdict(measured)}
        write_file(args.json, (json.dumps(facts, indent=1) + "\n").encode("ascii"))
        print(f"Wrote {args.json}")
    return 0
