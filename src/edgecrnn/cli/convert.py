"""`edgecrnn convert RUN|MODEL.keras --device NAME --out BUNDLE`: int8 TFLite, certified."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.cli.flags import add_settings, flag, read_settings
from edgecrnn.cli.run_data import data_folder, refuse_other_data
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output

if TYPE_CHECKING:
    from edgecrnn.devices.profile import DeviceProfile
    from edgecrnn.train.data.store import Data
    from edgecrnn.train.run_folder import RunRecord

# What marks the first argument as a model's file, even where there is none.
_MODELS = (".keras", ".h5", ".hdf5")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "model", type=Path, metavar="RUN|MODEL.keras", help="what train wrote, or any Keras model"
    )
    parser.add_argument("--device", required=True, metavar="NAME", help="see edgecrnn devices list")
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="file to write")
    parser.add_argument("--cache", default="", help="folder for decoded frames")
    parser.add_argument("--force", action="store_true", help="replace a bundle that is there")
    add_settings(parser, ConvertSettings)
    run = parser.add_argument_group("A run")
    run.add_argument("--data", type=Path, metavar="DATA", help="where the run's data is now")
    model = parser.add_argument_group("A Keras model from elsewhere")
    model.add_argument(
        "--labels", type=Path, metavar="FILE", help="one label a line, in the order of the scores"
    )
    model.add_argument(
        "--calibration",
        type=Path,
        metavar="DIR",
        help="pictures, or class folders of pictures or clips, as the camera will see them",
    )
    add_settings(parser, ForeignSettings)


def execute(args: argparse.Namespace) -> int:
    """Convert, certify and write the bundle; a run's report gets its variants too."""
    from edgecrnn.convert.backends import check_delegates
    from edgecrnn.devices.profile import load_profile, require_runnable

    settings = read_settings(ConvertSettings, args)
    check_output(args.out, args.force, ())
    foreign = args.model.suffix.lower() in _MODELS or args.model.is_file()
    _check_flags(args, foreign)
    profile = require_runnable(load_profile(args.device))
    check_delegates(profile)
    return (_convert_model if foreign else _convert_run)(args, settings, profile)


def _convert_run(
    args: argparse.Namespace, settings: ConvertSettings, profile: DeviceProfile
) -> int:
    from edgecrnn.convert.conversion import convert
    from edgecrnn.convert.from_run import run_subject
    from edgecrnn.convert.report import report_conversion
    from edgecrnn.convert.text import certificate_text
    from edgecrnn.train.pictures.record import is_picture_run
    from edgecrnn.train.run_folder import REPORT, read_record

    if is_picture_run(args.model):
        from edgecrnn.cli.convert_pictures import convert_picture_run

        return convert_picture_run(args, settings, profile)
    record = read_record(args.model)
    data = training_data(record, args.data, args.cache)
    subject = run_subject(args.model, record, data, settings)
    converted = convert(subject, profile, args.out, settings, _say)
    report_conversion(args.model, record, data, args.out, converted)
    print(certificate_text(converted, profile.name))
    print(f"bundle  {args.out}\nreport  {args.model / REPORT}")
    return 0


def _convert_model(
    args: argparse.Namespace, settings: ConvertSettings, profile: DeviceProfile
) -> int:
    from edgecrnn.convert.foreign.labels import read_labels
    from edgecrnn.convert.foreign.load import check_file
    from edgecrnn.train.tensorflow_start import start_tensorflow

    foreign = read_settings(ForeignSettings, args)
    check_file(args.model)
    labels = read_labels(args.labels)
    page = args.out.with_name(f"{args.out.name}.html")
    check_output(page, args.force, ())
    # TensorFlow is imported only now: most mistakes are told at once.
    start_tensorflow()
    from edgecrnn.convert.conversion import convert
    from edgecrnn.convert.foreign.subject import keras_subject
    from edgecrnn.convert.report import write_page
    from edgecrnn.convert.text import certificate_text

    with tempfile.TemporaryDirectory(prefix="edgecrnn-") as folder:
        subject = keras_subject(
            args.model, labels, args.calibration, foreign, settings, Path(folder), _say, args.cache
        )
        converted = convert(subject, profile, args.out, settings, _say)
    print(certificate_text(converted, profile.name))
    write_page(args.out, page, args.model.stem)
    print(f"bundle  {args.out}\nreport  {page}")
    return 0


def _check_flags(args: argparse.Namespace, foreign: bool) -> None:
    """Refuse what only the other kind of model needs, and ask for what this kind needs."""
    own = ("labels", "calibration")
    given = [flag(name) for name in own if getattr(args, name) is not None]
    given += [flag(f.name) for f in dataclasses.fields(ForeignSettings) if hasattr(args, f.name)]
    if given and not foreign:
        raise EdgecrnnError(
            f"{given[0]}: expected none for a run, which says it itself; leave it out, or give a "
            f".keras file in place of {args.model}"
        )
    if foreign and args.data is not None:
        raise EdgecrnnError(
            "--data: expected none for a Keras model from elsewhere; give pictures with "
            "--calibration DIR"
        )
    if foreign and None in (args.labels, args.calibration):
        missing = next(flag(name) for name in own if getattr(args, name) is None)
        raise EdgecrnnError(
            f"{missing}: expected --labels FILE and --calibration DIR for a Keras model from "
            "elsewhere, which does not say them; add it"
        )


def training_data(record: RunRecord, root: Path | None, cache: str = "") -> Data:
    """The data that the run was trained on, decoded as then.

    Raises:
        EdgecrnnError: it is not where it was, or has changed.
    """
    from edgecrnn.train.data.store import DataSettings, load

    if record.data.part_of:
        raise EdgecrnnError(
            f"{record.name}: expected a run of edgecrnn train, got a fold of crossval, which was "
            "trained on a part of the data; train once on all of it"
        )
    root = data_folder(record.data.root, root)
    settings = DataSettings(
        frame_rate=record.frame_rate,
        shortest=record.train.window if record.kind == "clips" else 1,
        seed=record.data.split_seed,
        cache=cache,
    )
    data = load(root, record.preprocessing, settings, accepted=record.data.hash)
    refuse_other_data(root, record.data.hash, data.hash)
    return data


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
