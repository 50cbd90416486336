"""What each task is trained on, with which flags, and what it must beat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contest:
    """One row of the page."""

    task: str
    data: str  # a set's folder, or scenes: the generated ones
    flags: tuple[str, ...]
    said: str  # for the page: what the data is
    name: str = ""  # where a task stands there twice

    @property
    def title(self) -> str:
        """The row's name, also its files'."""
        return self.name or self.task


PHOTOS = "photographs of waste (trashnet6), 96x96"
_MADE = ("--size", "96x96", "--epochs", "14", "--learning-rate", "0.002")

_SIGNS = ("--epochs", "16", "--batch", "32")

CONTESTS = (
    Contest("classify", "hand_digits", ("--sequence", "columns", *_SIGNS),
            "hand signs of people it has not seen (hand_digits), 64x64"),
    Contest("classify", "hand_digits",
            ("--sequence", "patches", "--encoder", "plain", "--size", "96x96", "--blocks", "6",
             "--epochs", "40", "--batch", "32"),
            "hand signs of people it has not seen (hand_digits), 96x96", "patches"),
    Contest("classify", "arrangements",
            ("--sequence", "patches", "--blocks", "2", "--color", "gray", "--epochs", "20",
             "--batch", "32", "--learning-rate", "0.002"),
            "which of two handwritten digits is read first, 64x64", "patches-order"),
    Contest("multilabel", "railcar_multilabel",
            ("--size", "128x96", "--epochs", "20", "--batch", "16", "--flip", "horizontal"),
            "railway cars and what is on them (railcar_multilabel), 128x96"),
    Contest("denoise", "trashnet6", (*_MADE, "--set", "noise=25"), PHOTOS),
    Contest("superres", "trashnet6", (*_MADE, "--set", "scale=2", "--epochs", "30"), PHOTOS),
    Contest("superres", "trashnet6", (*_MADE, "--set", "scale=4", "--epochs", "40"), PHOTOS,
            "superres-4"),
    Contest("reconstruct", "trashnet6", (*_MADE, "--epochs", "20"), PHOTOS),
    Contest("enhance", "trashnet6", (*_MADE, "--epochs", "10"), PHOTOS),
    Contest("compress", "trashnet6",
            ("--size", "64x64", "--epochs", "40", "--batch", "8", "--learning-rate", "0.002"),
            "photographs of waste (trashnet6), 64x64"),
    Contest("boundary", "trashnet6", (*_MADE, "--epochs", "10"), PHOTOS),
    Contest("quality", "trashnet6", (*_MADE, "--size", "64x64", "--epochs", "60"),
            "photographs of waste (trashnet6), 64x64"),
    Contest("retrieve", "hand_digits",
            ("--size", "64x64", "--epochs", "25", "--batch", "32", "--learning-rate", "0.002"),
            "hand signs of people it has not seen (hand_digits), 64x64"),
    Contest("generate", "digits",
            ("--size", "32x32", "--color", "gray", "--epochs", "80", "--batch", "64",
             "--learning-rate", "0.002"),
            "handwritten digits, 32x32"),
    Contest("segment", "scenes", (*_MADE, "--epochs", "40"), "scenes of handwritten digits, 96x96"),
    Contest("detect", "scenes", (*_MADE, "--epochs", "40"), "scenes of handwritten digits, 96x96"),
)  # fmt: skip
