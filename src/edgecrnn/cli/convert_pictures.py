"""`edgecrnn convert RUN` for the run of a picture task."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.cli.run_data import data_folder, refuse_other_data
from edgecrnn.convert.settings import ConvertSettings

if TYPE_CHECKING:
    from edgecrnn.devices.profile import DeviceProfile
    from edgecrnn.train.pictures.load import PictureData
    from edgecrnn.train.pictures.record import PictureRecord


def convert_picture_run(
    args: argparse.Namespace, settings: ConvertSettings, profile: DeviceProfile
) -> int:
    """Convert, certify, write the bundle."""
    from edgecrnn.train.pictures.record import read_picture_record

    record = read_picture_record(args.model)
    data = picture_data(record, args.data)
    from edgecrnn.train.tensorflow_start import start_tensorflow

    start_tensorflow()
    from edgecrnn.convert.pictures.conversion import convert_pictures
    from edgecrnn.convert.pictures.text import picture_certificate_text

    converted = convert_pictures(args.model, record, data, profile, args.out, settings, _say)
    print(picture_certificate_text(converted, profile.name))
    print(f"bundle  {args.out}")
    return 0


def picture_data(record: PictureRecord, root: Path | None) -> PictureData:
    """The data that the run was trained on, decoded as then.

    Raises:
        EdgecrnnError: it is not where it was, or has changed.
    """
    from edgecrnn.train.pictures.found import find_pictures
    from edgecrnn.train.pictures.load import load_pictures
    from edgecrnn.train.tasks import picture_task

    root = data_folder(record.data.root, root)
    layout = find_pictures(root, picture_task(record.task).NEEDS, record.data.split_seed)
    refuse_other_data(root, record.data.hash, layout.hash)
    return load_pictures(layout, record.preprocessing)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
