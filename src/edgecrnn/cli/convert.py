"""`edgecrnn convert RUN --device NAME --out BUNDLE`: int8 TFLite, with a certificate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.cli.flags import add_settings, read_settings
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output

if TYPE_CHECKING:
    from edgecrnn.train.data.store import Data
    from edgecrnn.train.run_folder import RunRecord


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="what train wrote")
    parser.add_argument("--device", required=True, metavar="NAME", help="see edgecrnn devices list")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="file to write")
    parser.add_argument("--data", type=Path, metavar="DATA", help="where the run's data is now")
    parser.add_argument("--cache", default="", help="folder for decoded frames")
    parser.add_argument("--force", action="store_true", help="replace a bundle that is there")
    add_settings(parser, ConvertSettings)


def execute(args: argparse.Namespace) -> int:
    """Convert, certify, write the bundle and add it to the run's report."""
    from edgecrnn.convert.backends import check_delegates
    from edgecrnn.convert.conversion import convert
    from edgecrnn.convert.from_run import run_subject
    from edgecrnn.convert.judge import judge_variants
    from edgecrnn.convert.text import certificate_text
    from edgecrnn.devices.profile import load_profile
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.train.judge import judge_run, report_run
    from edgecrnn.train.run_folder import REPORT, read_record

    settings = read_settings(ConvertSettings, args)
    profile = load_profile(args.device)
    check_delegates(profile)
    record = read_record(args.run)
    check_output(args.out, args.force)
    data = training_data(record, args.data, args.cache)
    subject = run_subject(args.run, record, data, settings)
    converted = convert(subject, profile, args.out, settings, _say)
    judged = judge_run(args.run, record, data)
    rows = judge_variants(args.run, record, judged, open_bundle(args.out), converted)
    report_run(args.run, record, judged, rows)
    print(certificate_text(converted, profile.name))
    print(f"bundle  {args.out}\nreport  {args.run / REPORT}")
    return 0


def training_data(record: RunRecord, root: Path | None, cache: str = "") -> Data:
    """The data that the run was trained on, decoded as then.

    Raises:
        EdgecrnnError: it is not where it was, or has changed.
    """
    from edgecrnn.train.data.store import DataSettings, load

    root = root or Path(record.data.root)
    if not root.is_dir():
        raise EdgecrnnError(
            f"{root}: expected the data that the run was trained on, to calibrate and check with, "
            "got nothing there; say where it is with --data DIR"
        )
    settings = DataSettings(
        frame_rate=record.frame_rate,
        shortest=record.train.window if record.kind == "clips" else 1,
        seed=record.data.split_seed,
        cache=cache,
    )
    data = load(root, record.preprocessing, settings)
    if data.hash != record.data.hash:
        raise EdgecrnnError(
            f"{root}: expected the data that the run was trained on (SHA-256 "
            f"{record.data.hash[:12]}…), got other files ({data.hash[:12]}…); give the same with "
            "--data, or train again"
        )
    return data


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
