"""MediaPipe Tasks' ImageClassifier in VIDEO mode; it knows no states: a network of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision
from worker import Step, serve


def setup(folder: Path, facts: dict[str, Any]) -> Step:
    """It resizes by itself."""
    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=str(folder / "model.tflite")),
        running_mode=vision.RunningMode.VIDEO,
        max_results=1,
    )
    classifier = vision.ImageClassifier.create_from_options(options)
    at = 0

    def step(image: Any) -> int:
        nonlocal at
        at += 100
        picture = mp.Image(mp.ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        result = classifier.classify_for_video(picture, at)
        return int(result.classifications[0].categories[0].index)

    return step


if __name__ == "__main__":
    serve(setup)
