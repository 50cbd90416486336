"""`edgecrnn run BUNDLE --source SRC`: name what a camera, a stream or a file shows, live."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.runtime.frame import SourceSettings
from edgecrnn.runtime.live import LiveSettings, Stop


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what convert wrote")
    parser.add_argument(
        "--source",
        required=True,
        metavar="SRC",
        help="camera index (0), /dev/videoN, video file, picture, folder of pictures, "
        "http(s):// MJPEG, or rtsp://",
    )
    parser.add_argument("--variant", help="of the bundle; without it the preferred one")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the model")
    parser.add_argument("--json", action="store_true", help="JSON lines on a terminal, too")
    add_settings(parser, LiveSettings)
    add_settings(parser, SourceSettings)


def execute(args: argparse.Namespace) -> int:
    """Classify until the source ends or somebody stops it; 0 for both."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.engine import load_engine
    from edgecrnn.runtime.errors import EdgecrnnError
    from edgecrnn.runtime.live import run_live
    from edgecrnn.runtime.sinks import Sink
    from edgecrnn.runtime.sinks.jsonl import JsonLines
    from edgecrnn.runtime.sinks.terminal import TerminalLine
    from edgecrnn.runtime.sources import is_camera, open_source

    settings = read_settings(LiveSettings, args)
    asked = read_settings(SourceSettings, args)
    if args.threads < 1:
        raise EdgecrnnError(f"threads: expected at least 1, got {args.threads}")
    with stopped_by_signal() as stop:
        bundle = open_bundle(args.bundle)
        engine = load_engine(bundle, args.variant, args.threads)
        if asked.rate is None and not is_camera(args.source):
            # A folder of pictures carries no times: each is the model's next frame.
            asked = dataclasses.replace(asked, rate=bundle.manifest.frame_rate)
        source = open_source(args.source, asked)
        _say(f"{source.name}: {source.about}; {engine.variant}, {_threads(args.threads)}")
        labels = bundle.manifest.labels
        human = sys.stdout.isatty() and not args.json
        sink: Sink = (
            TerminalLine(sys.stdout, labels)
            if human
            else JsonLines(sys.stdout.buffer, labels, source.live or settings.realtime)
        )
        summary = run_live(
            engine,
            bundle.manifest,
            source,
            [sink],
            settings,
            lambda sentence: _say(f"warning: {sentence}"),
            stop,
        )
    if summary.end == "reader left":
        # Python flushes standard output once more at its end; nobody is there to read it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    _say(summary.text())
    if summary.lost:
        raise EdgecrnnError(summary.lost)
    if summary.hung:
        # The read that hangs holds the driver's locks: an orderly end would wait for it.
        os._exit(0)
    return 0


@contextlib.contextmanager
def stopped_by_signal() -> Iterator[Stop]:
    """A question that answers True once SIGINT or SIGTERM came; a second one ends at once."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    """On standard error, which may have been closed by its reader."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
