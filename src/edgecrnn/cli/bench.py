"""`edgecrnn bench BUNDLE`: what the model costs here, and what the live loop adds to it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.runtime.bench import BenchSettings
from edgecrnn.runtime.choice import EngineSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what convert wrote")
    parser.add_argument("--source", metavar="SRC", help="take the frames from there")
    parser.add_argument(
        "--size", default="640x480", help="without --source: random frames of this size"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="draw it: FILE.svg or FILE.html")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="set it beside an earlier --json file"
    )
    parser.add_argument("--force", action="store_true", help="replace the files")
    add_settings(parser, BenchSettings)
    add_settings(parser, EngineSettings, skip=("threads",))


def execute(args: argparse.Namespace) -> int:
    """Measure, print, and write what was asked for."""
    import edgecrnn
    from edgecrnn.runtime.bench import bench
    from edgecrnn.runtime.bench_page import bench_page, check_kind
    from edgecrnn.runtime.bench_text import bench_text, compared_text, read_bench
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.files import check_output, write_file
    from edgecrnn.runtime.frame import SourceSettings
    from edgecrnn.runtime.some_frames import first_images, random_images
    from edgecrnn.runtime.sources import open_source

    settings = read_settings(BenchSettings, args)
    asked = read_settings(EngineSettings, args, threads=settings.counts[0])
    if args.out is not None:
        check_kind(args.out)
    for path in filter(None, (args.json, args.out)):
        check_output(path, args.force, ())
    other = None if args.compare is None else read_bench(args.compare)
    size = SourceSettings(size=args.size).wanted_size
    bundle = open_bundle(args.bundle)
    if args.source is not None:
        source = open_source(args.source, SourceSettings())
        name, images = source.name, first_images(source)
    else:
        name, images = "random", random_images(size or (640, 480))
    made_by = f"edgecrnn {edgecrnn.__version__}"
    measured = bench(bundle, images, name, asked, settings, made_by, _say)
    print(bench_text(measured))
    if other is not None:
        print(f"\n{compared_text(measured, other)}")
    if args.json is not None:
        facts = json.dumps(measured.to_json(), indent=1, ensure_ascii=False)
        write_file(args.json, f"{facts}\n".encode())
        print(f"Wrote {args.json}")
    if args.out is not None:
        write_file(args.out, bench_page(measured, other, args.out.suffix).encode())
        print(f"Wrote {args.out}")
    return 0


def _say(text: str) -> None:
    """What goes on, on standard error, which may have been closed by its reader."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
