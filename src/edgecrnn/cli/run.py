"""`edgecrnn run BUNDLE --source SRC`: name what a camera, a stream or a file shows, live."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.cli.signals import Asked, asked_by_signal
from edgecrnn.runtime.choice import EngineSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Source, SourceSettings
from edgecrnn.runtime.live import LiveSettings
from edgecrnn.runtime.page import PageSettings, open_page
from edgecrnn.runtime.reopen import ReopenSettings
from edgecrnn.runtime.review import ReviewSettings

if TYPE_CHECKING:
    from edgecrnn.runtime.live import Live
    from edgecrnn.runtime.model import Model
    from edgecrnn.runtime.page.server import Page
    from edgecrnn.runtime.preprocess import Image
    from edgecrnn.runtime.publishing import Published
    from edgecrnn.runtime.sinks import Sink, Stream

_EPILOG = """signals: SIGTERM and SIGINT end the run with a summary; SIGUSR1 prints how each source
is doing; SIGHUP loads the bundle's file again and goes on with it where it is good (on a terminal
SIGHUP ends the run, since it says that the terminal has gone)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what convert wrote")
    parser.add_argument(
        "--source",
        required=True,
        action="append",
        metavar="SRC",
        help="camera index (0), /dev/videoN, rpicam:N, picamera2:N, jetson:N, video file, picture, "
        "folder of pictures, http(s):// MJPEG, rtsp://, exec:COMMAND, or gstreamer:PIPELINE; "
        "`edgecrnn sources` lists what is here; several may be given, each remembers for itself",
    )
    parser.add_argument(
        "--sink",
        action="append",
        default=[],
        metavar="SPEC",
        help="where results go, too: jsonl:FILE, csv:FILE, mqtt://HOST/TOPIC, webhook:https://..., "
        "exec:COMMAND, record:FOLDER, pictures:FOLDER; several may be given",
    )
    parser.add_argument("--json", action="store_true", help="JSON lines on a terminal, too")
    for settings in (
        LiveSettings,
        PageSettings,
        EngineSettings,
        SourceSettings,
        ReopenSettings,
        ReviewSettings,
    ):
        add_settings(parser, settings)


def execute(args: argparse.Namespace) -> int:
    """Classify until the sources end or somebody stops it; 0 for both."""
    from edgecrnn.runtime.live import Live
    from edgecrnn.runtime.notify import Notifier

    settings = read_settings(LiveSettings, args)
    load = _loader(args)
    reopening = read_settings(ReopenSettings, args)
    with contextlib.ExitStack() as open_here:
        asked = open_here.enter_context(asked_by_signal())
        # Before the camera opens: an address that is taken is told at once.
        page = open_page(read_settings(PageSettings, args), _say)
        if page is not None:
            open_here.enter_context(page)
        open_sinks = _sink_opener(args, settings.realtime, page)
        models = load()
        sources = _open_sources(args, models[0], reopening)
        ran = models[0].about.text()
        for source in sources:
            _say(f"{source.name}: {source.about}; {ran}")
            ran = "the same"
        live = Live(models, sources, open_sinks, settings, _warn, load, Notifier(), _say)
        if page is not None:
            page.show(live)
        try:
            summaries = live.run(lambda: _answer(asked, live))
        except EdgecrnnError as error:
            if live.hung:
                _say(f"edgecrnn: {error}")
                _exit_now(2)
            raise
    if any(summary.end == "reader left" for summary in summaries):
        # Python flushes standard output once more at its end; nobody is there to read it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    for summary in summaries:
        _say(summary.text())
    lost = "; ".join(summary.lost for summary in summaries if summary.lost)
    if live.hung:
        # The call that hangs holds the driver's locks: an orderly end would wait for it.
        if lost:
            _say(f"edgecrnn: {lost}")
        _exit_now(2 if lost else 0)
    if lost:
        raise EdgecrnnError(lost)
    return 0


def _exit_now(code: int) -> NoReturn:
    """End without waiting for any thread, and leave no program that holds a camera behind."""
    from edgecrnn.runtime.sources._child import end_all

    end_all()
    os._exit(code)


def _loader(args: argparse.Namespace) -> Callable[[], Sequence[Model]]:
    """Opens the bundle, verified, and proves its engines, one a step thread; each time anew."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.choice import choose_engine
    from edgecrnn.runtime.model import Model
    from edgecrnn.runtime.sources import open_source
    from edgecrnn.runtime.workers import interpreters_for

    wanted = read_settings(EngineSettings, args)
    settings = read_settings(SourceSettings, args)

    def frames() -> Sequence[Image]:
        from edgecrnn.runtime.some_frames import first_images

        return first_images(open_source(args.source[0], settings))

    def load() -> Sequence[Model]:
        bundle = open_bundle(args.bundle)
        first = choose_engine(bundle, wanted, frames, _say)
        # What was chosen once is not measured again for the other threads.
        same = dataclasses.replace(
            wanted,
            variant=first.about.variant,
            delegate=wanted.delegate or first.about.delegate,
            engine=first.about.runtime.split()[0],
        )
        count = interpreters_for(len(args.source), wanted.threads)
        others = [choose_engine(bundle, same) for _ in range(count - 1)]
        return [Model(each.engine, each.about, bundle) for each in (first, *others)]

    return load


def _open_sources(
    args: argparse.Namespace, model: Model, reopening: ReopenSettings
) -> Sequence[Source]:
    """All of them, or none."""
    from edgecrnn.runtime.reopen import Reopening
    from edgecrnn.runtime.sources import is_camera, open_source

    asked = read_settings(SourceSettings, args)

    def settings_for(spec: str) -> SourceSettings:
        if asked.rate is None and not is_camera(spec):
            # A folder of pictures carries no times: each is the model's next frame.
            return dataclasses.replace(asked, rate=model.bundle.manifest.frame_rate)
        return asked

    def opened(spec: str) -> Source:
        source = open_source(spec, settings_for(spec))
        if not (source.live and reopening.reopen):
            return source
        return Reopening(
            source,
            lambda: open_source(spec, settings_for(spec)),
            reopening,
            _warn,
            asked.timeout,
        )

    return _all_or_none(args.source, opened)


def _all_or_none(specs: Sequence[str], opened: Callable[[str], Source]) -> list[Source]:
    """Open them side by side: the first is not to grow old while the last is opened."""
    if len(specs) == 1:
        return [opened(specs[0])]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(specs)) as pool:
        futures = [pool.submit(opened, spec) for spec in specs]
    failed = [error for future in futures if (error := future.exception()) is not None]
    if failed:
        for future in futures:
            if future.exception() is None:
                future.result().close()
        raise failed[0]
    return [future.result() for future in futures]


def _sink_opener(
    args: argparse.Namespace, realtime: bool, page: Page | None
) -> Callable[[Stream, Published], Sequence[Sink]]:
    """Standard output, and what --sink, --review and --serve say."""
    from edgecrnn.runtime.publishing import Publishing
    from edgecrnn.runtime.review import open_review
    from edgecrnn.runtime.sinks import Bounded, open_sinks
    from edgecrnn.runtime.sinks.jsonl import JsonLines
    from edgecrnn.runtime.sinks.terminal import terminal_sink

    review = read_settings(ReviewSettings, args)
    human = sys.stdout.isatty() and not args.json

    def opener(stream: Stream, published: Published) -> Sequence[Sink]:
        output: Sink
        if human:
            output = terminal_sink(sys.stdout, stream)
        else:
            named = stream.source if stream.several else ""
            prompt = stream.live or realtime
            output = JsonLines(sys.stdout.buffer, stream.labels, prompt, named)
        output = Publishing(output, published)
        if stream.live:
            # A reader that is slow must not hold a camera up; a file can wait for it.
            output = Bounded(output, "standard output", warn=_warn)
        reviewed = open_review(review, stream, _warn)
        others: list[Sink] = [*open_sinks(args.sink, stream, _warn)]
        if reviewed is not None:
            others.append(reviewed[1])
        if page is not None:
            others.append(page.watch(stream, None if reviewed is None else reviewed[0]))
        return [output, *others]

    return opener


def _answer(asked: Asked, live: Live) -> bool:
    """Do what signals ask for; whether to stop."""
    if asked.status():
        _say("\n".join(status.text() for status in live.statuses()))
    if asked.reload():
        live.reload()
    return asked.stop()


def _warn(sentence: str) -> None:
    _say(f"warning: {sentence}")


def _say(text: str) -> None:
    """On standard error, which may have been closed by its reader."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
