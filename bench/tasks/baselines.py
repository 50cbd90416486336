"""What each task must beat: the usual method, its settings chosen on validation pictures."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgecrnn.train.measures.boxes import box_notes
from edgecrnn.train.pictures.load import Pictures
from edgecrnn.train.tasks import Example, PictureTask

Notes = list[Any]
Answer = Callable[[np.ndarray], np.ndarray]


def best(
    task: PictureTask, settings: Any, val: Sequence[Example], test: Sequence[Example],
    methods: Iterable[tuple[str, Answer]],
) -> tuple[str, Notes]:  # fmt: skip
    """Of the methods the one that does best on validation, and what it does on test."""

    def notes(answer: Answer, examples: Sequence[Example]) -> Notes:
        answers = [np.asarray(answer(each.frame), np.float32) for each in examples]
        return task.notes(settings, answers, [each.target for each in examples])

    scored = []
    for name, answer in methods:
        scored.append((task.summary(notes(answer, val))[task.MEASURES[0]], name, answer))
    _, name, answer = max(scored, key=lambda each: each[0])
    return name, notes(answer, test)


def denoise(settings: Any) -> Iterable[tuple[str, Answer]]:
    """Non-local means (Buades et al., 2005), and a Gaussian blur."""
    for h, block, window in itertools.product((10, 14, 18, 22, 27, 33), (3, 5, 7), (15, 21)):
        yield (
            f"non-local means, h {h}, {block} and {window} pixels",
            lambda frame, h=h, block=block, window=window: cv2.fastNlMeansDenoisingColored(
                frame, None, h, h, block, window
            ),
        )
    for sigma in (0.6, 0.8, 1.0, 1.3):
        yield f"Gaussian blur, sigma {sigma}", lambda f, s=sigma: cv2.GaussianBlur(f, (0, 0), s)


def superres(settings: Any) -> Iterable[tuple[str, Answer]]:
    """Resizing."""
    for name, way in (("cubic", cv2.INTER_CUBIC), ("Lanczos", cv2.INTER_LANCZOS4)):
        yield (
            f"{name} resizing",
            lambda frame, way=way: cv2.resize(
                frame, None, fx=settings.scale, fy=settings.scale, interpolation=way
            ),
        )


def reconstruct(settings: Any) -> Iterable[tuple[str, Answer]]:
    """Inpainting; it is told where the holes are, by their black."""
    for (name, way), radius in itertools.product(
        (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)), (2, 3, 5, 8)
    ):

        def answer(frame: np.ndarray, way: int = way, radius: int = radius) -> np.ndarray:
            black = (frame.max(axis=2) == 0).astype(np.uint8)
            # A dark pixel alone is no hole.
            _, pieces, facts, _ = cv2.connectedComponentsWithStats(black, connectivity=4)
            large = facts[:, cv2.CC_STAT_AREA] >= 4
            large[0] = False
            return cv2.inpaint(frame, large[pieces].astype(np.uint8), radius, way)

        yield f"{name} inpainting, radius {radius}", answer


def enhance(settings: Any) -> Iterable[tuple[str, Answer]]:
    """CLAHE (Zuiderveld, 1994) of the lightness, gamma to a middle grey, both, and neither."""
    clips, targets = (None, 1.0, 1.5, 2.0, 3.0), (None, 90.0, 105.0, 120.0, 135.0)
    for clip, target in itertools.product(clips, targets):

        def answer(
            frame: np.ndarray, clip: float | None = clip, target: float | None = target
        ) -> np.ndarray:
            made = frame
            if target is not None:
                mean = float(np.clip(made.mean(), 2, 253))
                gamma = np.clip(np.log(target / 255) / np.log(mean / 255), 0.2, 5.0)
                made = (255.0 * (made / 255.0) ** gamma).astype(np.uint8)
            if clip is not None:
                lab = cv2.cvtColor(made, cv2.COLOR_RGB2LAB)
                lab[..., 0] = cv2.createCLAHE(clip, (2, 2)).apply(lab[..., 0])
                made = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
            return made

        said = [f"CLAHE {clip}"] * (clip is not None)
        said += [] if target is None else [f"gamma to a mean of {target:.0f}"]
        yield " and ".join(said) or "nothing", answer


def boundary(settings: Any) -> Iterable[tuple[str, Answer]]:
    """Canny (1986) on the blurred frame."""
    for sigma, high, share in itertools.product(
        (0.8, 1.0, 1.4, 1.8), (60, 90, 120, 160, 200, 260), (0.3, 0.5, 0.7)
    ):

        def answer(
            frame: np.ndarray, sigma: float = sigma, high: float = high, share: float = share
        ) -> np.ndarray:
            blurred = cv2.GaussianBlur(frame, (0, 0), sigma)
            return (cv2.Canny(blurred, share * high, high, L2gradient=True) > 0)[..., None]

        yield f"Canny, sigma {sigma}, {share * high:.0f} and {high}", answer


def quality(settings: Any) -> Iterable[tuple[str, Answer]]:
    """The variance of the Laplacian (Pech-Pacheco et al., 2000), either way round."""
    for name, sign in (
        ("variance of the Laplacian", 1.0),
        ("negative variance of the Laplacian", -1.0),
    ):
        yield (
            name,
            lambda frame, sign=sign: np.array(
                [sign * cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var()]
            ),
        )


def brisque(frames: np.ndarray, folder: Path, python: str) -> list[np.ndarray]:
    """BRISQUE (Mittal et al., 2012), the more the better, by an environment of its own.

    Args:
        frames: uint8 [n, height, width, 3], RGB.
        folder: for what passes between the two.
        python: of an environment with the packages of brisque_peer.py.
    """
    given, made = folder / "brisque-frames.npy", folder / "brisque-scores.npy"
    np.save(given, frames)
    peer = Path(__file__).with_name("brisque_peer.py")
    subprocess.run([python, str(peer), str(given), str(made)], check=True)
    # What it calls high is bad.
    return [np.array([-score], np.float32) for score in np.load(made)]


def retrieve(settings: Any) -> Iterable[tuple[str, Answer]]:
    """Raw pixels, small ones, and histograms of color."""
    for side in (8, 16, 32, 64):
        yield (
            f"pixels at {side}x{side}",
            lambda frame, side=side: cv2.resize(
                frame, (side, side), interpolation=cv2.INTER_AREA
            ).ravel() / 255.0,
        )  # fmt: skip
    for bins in (4, 6, 8):

        def histogram(frame: np.ndarray, bins: int = bins) -> np.ndarray:
            counts = cv2.calcHist([frame], [0, 1, 2], None, [bins] * 3, [0, 256] * 3).ravel()
            return np.sqrt(counts / counts.sum())

        yield f"histogram of {bins**3} colors", histogram


def segment(train: Pictures, classes: int) -> Callable[[Any], Iterable[tuple[str, Answer]]]:
    """Otsu's threshold (1979) or GrabCut (Rother et al., 2004), the class by mean color."""
    colors = np.zeros((classes, 3))
    counts = np.zeros(classes)
    for picture, truth in zip(train.pictures, train.truths, strict=True):
        for label in range(1, classes):
            there = truth.mask == label
            colors[label] += picture[there].sum(axis=0)
            counts[label] += there.sum()
    means = colors[1:] / np.maximum(1, counts[1:, None])

    def named(frame: np.ndarray, front: np.ndarray) -> np.ndarray:
        """One-hot: each connected piece is of the class whose mean color is nearest."""
        answer = np.zeros((*front.shape, classes), np.float32)
        number, pieces = cv2.connectedComponents(front.astype(np.uint8))
        answer[..., 0] = 1.0
        for piece in range(1, number):
            inside = pieces == piece
            mean = frame[inside].mean(axis=0)
            answer[inside] = np.eye(classes)[1 + np.argmin(((means - mean) ** 2).sum(axis=1))]
        return answer

    def otsu(frame: np.ndarray, turned: bool) -> np.ndarray:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        _, front = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        # The smaller part is what stands in front.
        return named(frame, (front == 0) if (front.mean() > 0.5) != turned else (front > 0))

    def grabcut(frame: np.ndarray) -> np.ndarray:
        mask = np.zeros(frame.shape[:2], np.uint8)
        inner = (2, 2, frame.shape[1] - 4, frame.shape[0] - 4)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(frame, mask, inner, *models, 3, cv2.GC_INIT_WITH_RECT)
        return named(frame, (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD))

    def methods(settings: Any) -> Iterable[tuple[str, Answer]]:
        yield "Otsu's threshold, the smaller part", lambda frame: otsu(frame, False)
        yield "GrabCut from the inner rectangle", grabcut

    return methods


def sliding_window(train: Pictures, test: Sequence[Example], classes: int, truths: Any) -> Notes:
    """A classifier of cut-out boxes, used at every place and size.

    It is trained on the true boxes, a little off at times, and on places without any.
    """
    rng = np.random.default_rng(0)
    features, labels = [], []

    def look(picture: np.ndarray, left: float, top: float, wide: float, high: float) -> Any:
        # Some of the surroundings, squared up.
        side = max(wide, high) * 1.2
        x, y = left + wide / 2 - side / 2, top + high / 2 - side / 2
        matrix = np.array([[32 / side, 0, -x * 32 / side], [0, 32 / side, -y * 32 / side]])
        cut = cv2.warpAffine(picture, matrix, (32, 32), borderMode=cv2.BORDER_REPLICATE)
        return cut

    for picture, truth in zip(train.pictures, train.truths, strict=True):
        for left, top, wide, high, label in truth.boxes:
            features.append(look(picture, left, top, wide, high))
            labels.append(int(label))
        for _ in range(6):
            side = rng.uniform(14, 40)
            x, y = rng.uniform(0, picture.shape[1] - side), rng.uniform(0, picture.shape[0] - side)
            middle = (x + side / 2, y + side / 2)
            near = [
                abs(middle[0] - b[0] - b[2] / 2) < side / 3
                and abs(middle[1] - b[1] - b[3] / 2) < side / 3
                for b in truth.boxes
            ]
            if not any(near):
                features.append(look(picture, x, y, side, side))
                labels.append(classes)
    model = _classifier(np.stack(features), np.array(labels), classes + 1)
    notes = []
    for example, truth in zip(test, truths, strict=True):
        picture = example.frame
        height, width = picture.shape[:2]
        places, seen = [], []
        for side in (16, 20, 25, 31, 39):
            for top in np.arange(0, height - side + 1, side / 5):
                for left in np.arange(0, width - side + 1, side / 5):
                    places.append((left, top, side * 0.8, side))
                    seen.append(look(picture, left + side * 0.1, top, side * 0.8, side))
        of_class = model.predict(np.stack(seen), batch_size=512, verbose=0)[:, :classes]
        best_class, score = of_class.argmax(axis=1), of_class.max(axis=1)
        sure = np.flatnonzero(score > 0.15)
        kept = cv2.dnn.NMSBoxesBatched(
            [places[i] for i in sure], [float(score[i]) for i in sure],
            [0] * len(sure), 0.15, 0.3,
        )  # fmt: skip
        found = [
            (*places[sure[i]], float(score[sure[i]]), float(best_class[sure[i]])) for i in kept
        ]
        true = [(*box[:4], 1.0, box[4]) for box in truth.boxes.tolist()]
        notes.append(box_notes(found, true))
    return notes


def _classifier(cuts: np.ndarray, labels: np.ndarray, classes: int) -> Any:
    """A small convolutional network, uint8 [n, 32, 32, 3] to a score a class."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(cuts, labels, epochs=10, batch_size=64, verbose=0)
    return model


def jpeg(frame: np.ndarray, size: int) -> np.ndarray:
    """The picture as JPEG of at least `size` bytes, its tables (600 bytes and more) not counted.

    The best of those of the next size above, with and without colors at half the size.
    """
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    best = None
    for sampling in (0x111111, 0x221111):
        for quality in range(1, 101):
            flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
            data = cv2.imencode(".jpg", bgr, flags)[1].tobytes()
            if len(data) - data.index(b"\xff\xda") >= size:
                made = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
                error = float(np.square(made.astype(np.float32) - bgr).mean())
                if best is None or error < best[0]:
                    best = error, cv2.cvtColor(made, cv2.COLOR_BGR2RGB)
                break
    assert best is not None
    return np.asarray(best[1])
