"""A Keras classifier from elsewhere as the subject of a conversion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgecrnn.convert.foreign.frames import EVERY, preprocessing_of, read_material
from edgecrnn.convert.foreign.load import load_foreign
from edgecrnn.convert.foreign.output import output_said
from edgecrnn.convert.foreign.pixels import settle_pixels
from edgecrnn.convert.foreign.running import Running, warmup_of
from edgecrnn.convert.foreign.settings import ForeignSettings
from edgecrnn.convert.foreign.step import Form, form_of, step_model
from edgecrnn.convert.settings import ConvertSettings
from edgecrnn.convert.subject import Subject
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.errors import EdgecrnnError

# Largest difference of a score between the model and its rebuilt step model; float rounding only.
_ALIKE = 1e-4
# Clips or pictures that the two are compared on.
_COMPARED = 8


def keras_subject(
    path: Path,
    labels: tuple[str, ...],
    calibration: Path,
    foreign: ForeignSettings,
    settings: ConvertSettings,
    folder: Path,
    say: Callable[[str], None] = lambda sentence: None,
    cache: str = "",
) -> Subject:
    """The model rebuilt as a step model, and the frames that certify it.

    Args:
        path: the `.keras` file.
        labels: in the order of the model's scores.
        calibration: folder of pictures or clips, see `read_material`.
        foreign: what the file does not say.
        settings: how many frames.
        folder: where the step model is written; it must stay until the conversion is done.
        say: called with a sentence on each thing that was found.
        cache: folder for decoded frames; empty: the user's cache.

    Raises:
        EdgecrnnError: the model or the data cannot be used, or the step model answers otherwise.
    """
    where = path.name
    model = load_foreign(path)
    form = form_of(model, foreign, where)
    _check_rate(form, foreign, where)
    foreign, pixels = settle_pixels(model, foreign, form.channels, where)
    step = step_model(model, form, foreign, labels, where)
    for sentence in (pixels, output_said(step.kind), _frames_said(form, foreign)):
        say(sentence)
    material = read_material(calibration, form, labels, foreign, settings, cache)
    for skipped in material.skipped:
        say(f"skipped {skipped}")
    running = Running(model, step, form, foreign)
    difference = running.difference(material.examples[:_COMPARED])
    if not difference <= _ALIKE:
        raise EdgecrnnError(
            f"{where}: expected the step model to answer as the model does, got scores that "
            f"differ by {difference:.2g}; this model cannot be rebuilt"
        )
    facts: dict[str, Any] = {}
    if form.clip:
        facts["clips_right"] = right = running.right_on_clips(material)
        say(
            f"of {len(material.examples)} held-out clips, each from a fresh state, the model names "
            f"{right:.1%} rightly; the certificate is over a stream whose state is carried on"
        )
    rebuilt = folder / f"{path.stem}.keras"
    step.model.save(rebuilt)
    return Subject(
        name=path.stem,
        model=rebuilt,
        labels=labels,
        task="classify",
        sequence="time" if form.clip else "columns",
        preprocessing=preprocessing_of(form, foreign),
        frame_rate=material.frame_rate,
        decision=DecisionSettings(warmup=warmup_of(form)),
        warmup=warmup_of(form),
        calibration=material.calibration,
        calibration_every=EVERY if form.clip else 1,
        reference=lambda: running.reference(material),
        data={
            **material.data,
            "model": where,
            "pixels": pixels,
            "scores": output_said(step.kind),
            "rebuilt_difference": difference,
            **facts,
        },
    )


def _check_rate(form: Form, foreign: ForeignSettings, where: str) -> None:
    if form.clip and foreign.frame_rate is None:
        raise EdgecrnnError(
            f"{where}: expected the frame rate that the model of clips was trained at, got none; "
            "say it with --frame-rate"
        )
    if not form.clip and foreign.frame_rate is not None:
        raise EdgecrnnError(
            f"--frame-rate: expected none, because {where} reads single pictures; leave it out"
        )


def _frames_said(form: Form, foreign: ForeignSettings) -> str:
    fit = {"stretch": "stretched", "crop": "cropped", "pad": "padded"}[foreign.fit]
    size = f"{form.width}x{form.height}, other shapes {fit}"
    if not form.clip:
        return f"frames: pictures are resized to {size}"
    clip = f"clips of {form.frames}" if form.frames else "clips"
    return f"frames: resized to {size}; {clip}, read one at a time with the state carried on"
