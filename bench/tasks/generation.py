"""Pictures made of noise: how far they lie from true ones, and what a classifier learns of them.

A classifier of true training pictures reads features; Frechet's distance (Heusel et al., 2017) is
taken between those of test pictures and of made ones. It comes out too large with few pictures
(Bińkowski et al., 2018): thousands are made, and the interval draws the same test pictures for
both. The usual method is a Gaussian fitted to the pixels of training pictures. A second classifier
sees made pictures alone, and is asked about test pictures; it has to reach 80 % of what the first
reaches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.generating import generated
from edgecrnn.train.demo.scans import scan_labels, scans
from edgecrnn.train.pictures.record import read_picture_record

_SIDE = 32
_EACH, _TAUGHT = 400, 120  # made of each class, and of those, what the classifier is taught by


def export_digits(folder: Path) -> None:
    """The package's handwritten digits as split/digit/number.png, 32x32."""
    for split, images in scans().items():
        for number, (image, digit) in enumerate(zip(images, scan_labels()[split], strict=True)):
            target = folder / split / str(digit)
            target.mkdir(parents=True, exist_ok=True)
            large = cv2.resize(
                image.astype(np.float32) * 15.9, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC
            )
            cv2.imwrite(str(target / f"{number:04d}.png"), np.clip(large, 0, 255).astype(np.uint8))


def judged(data: Path, run: Path, bundle: Path, strip: Path) -> dict[str, Any]:
    """What stands in the table; the strip of made pictures is written too."""
    record, opened = read_picture_record(run), open_bundle(bundle)
    train, test = (_read(data / split) for split in ("train", "test"))
    made = {}
    for name in ("float32", opened.variant().name):
        pairs = list(generated(opened, (), _EACH, 0, name))
        pixels = np.stack([each.picture for each in pairs]).astype(np.float32) / 255
        made[name] = pixels, np.array([int(each.label) for each in pairs])
    real = _classifier(*train)
    flat, rng = train[0].reshape(len(train[0]), -1), np.random.default_rng(0)
    usual = rng.multivariate_normal(flat.mean(0), np.cov(flat.T), 10 * _EACH).clip(0, 1)
    usual = usual.reshape(-1, _SIDE, _SIDE, 1).astype(np.float32)
    features = {
        name: _features(real, pixels)
        for name, pixels in (
            ("test", test[0]), ("usual", usual), ("true", train[0]),
            *((n, m[0]) for n, m in made.items()),
        )
    }  # fmt: skip
    ships = opened.variant().name
    far = {n: _frechet(features["test"], features[n]) for n in ("usual", "true", *made)}
    right = _right(real, *test)
    few = np.arange(10 * _EACH) % _EACH < _TAUGHT
    taught = {n: _right(_classifier(m[0][few], m[1][few]), *test) for n, m in made.items()}
    gains: dict[str, list[float]] = {"frechet": [], "taught": []}
    for _ in range(400):
        some = rng.integers(0, len(test[0]), len(test[0]))
        ours, theirs = (
            _frechet(
                features["test"][some], features[name][rng.integers(0, 10 * _EACH, 10 * _EACH)]
            )
            for name in (ships, "usual")
        )
        gains["frechet"].append(theirs - ours)
        gains["taught"].append(float(taught[ships][some].mean() - 0.8 * right[some].mean()))
    rows = made[ships][0].reshape(10, _EACH, _SIDE, _SIDE)[:, :18]
    sheet = np.vstack([np.hstack(list(row)) for row in rows])
    cv2.imwrite(str(strip), cv2.resize((255 * sheet).astype(np.uint8), None, fx=1.5, fy=1.5))

    def values(name: str) -> dict[str, Any]:
        return {
            "frechet": {"value": far[name]},
            "taught": {"value": float(taught[name].mean())},
        }

    return {
        "keras": values("float32"),
        "shipped": values(ships),
        "theirs": {
            "frechet": {"value": far["usual"]},
            "taught": {"value": 0.8 * float(right.mean())},
        },
        "usual": {
            "frechet": "a Gaussian fitted to the pixels; true training pictures: "
            f"{far['true']:.1f}",
            "taught": "80 % of a classifier taught by true pictures",
        },
        "gain": {
            name: {
                "mean": float(np.mean(each)),
                "low": float(np.percentile(each, 2.5)),
                "high": float(np.percentile(each, 97.5)),
            }
            for name, each in gains.items()
        },
        "pictures": len(test[0]),
        "variant": ships,
        "bytes": len(opened.read(opened.variant().file)),
        "million_multiply_adds": record.multiply_adds / 1e6,
        "parameters": record.parameters,
    }


def _read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    files = sorted(folder.glob("*/*.png"))
    pixels = np.stack([cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files])
    labels = np.array([int(file.parent.name) for file in files])
    return pixels[..., None].astype(np.float32) / 255, labels


def _classifier(pictures: np.ndarray, labels: np.ndarray) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((_SIDE, _SIDE, 1)),
            keras.layers.Conv2D(16, 3, 2, activation="relu"),
            keras.layers.Conv2D(32, 3, 2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu", name="features"),
            keras.layers.Dense(10),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pictures, labels, epochs=15, batch_size=64, verbose=0)
    return model


def _right(model: Any, pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(pictures, verbose=0).argmax(1) == labels, np.float64)


def _features(model: Any, pictures: np.ndarray) -> np.ndarray:
    import keras

    reader = keras.Model(model.inputs, model.get_layer("features").output)
    return np.asarray(reader.predict(pictures, verbose=0), np.float64)


def _frechet(some: np.ndarray, others: np.ndarray) -> float:
    """Between two Gaussians with the means and covariances of the rows."""
    first, second = np.cov(some.T), np.cov(others.T)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    between = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    apart = np.square(some.mean(0) - others.mean(0)).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2 * between)
