"""`edgecrnn compress` and `decompress`: a picture of any size to a small file, and back."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.coded_file import Code, Head, Tables, read, read_head, written
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.interpreter import make_interpreter
from edgecrnn.runtime.preprocess import Preprocessing, to_color

# The two halves of the preferred variant, and its prefix codes, as files of the bundle.
ENCODER, DECODER, TABLES = "encoder.tflite", "decoder.tflite", "code.json"
SUFFIX = ".ecrn"
Image = npt.NDArray[np.uint8]
_LARGEST = 65535


class Half:
    """A model with one input and one output."""

    def __init__(self, model: bytes):
        self._interpreter = make_interpreter(model)
        (source,) = self._interpreter.get_input_details()
        (answer,) = self._interpreter.get_output_details()
        self._source, self._answer = source, answer
        self.given, self.made = (tuple(int(n) for n in d["shape"][1:]) for d in (source, answer))

    def __call__(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Without a batch, in and out, in the numbers that the tensors stand for."""
        kind, (scale, zero) = self._source["dtype"], self._source["quantization"]
        if kind is not np.float32:
            limits = np.iinfo(kind)
            values = np.clip(np.rint(values / scale) + zero, limits.min, limits.max)
        self._interpreter.set_tensor(self._source["index"], values.astype(kind)[None])
        self._interpreter.invoke()
        made = self._interpreter.get_tensor(self._answer["index"])[0].astype(np.float32)
        scale, zero = self._answer["quantization"]
        if scale != 0.0:
            made = (made - np.float32(zero)) * np.float32(scale)
        return np.asarray(made, np.float32)


class Encoder:
    """From pixels to a file.

    Raises:
        EdgecrnnError: the bundle is of another task.
    """

    def __init__(self, bundle: Bundle):
        self._preprocessing = _checked(bundle)
        self._half = Half(bundle.read(ENCODER))
        self._tables = Tables.from_json(bundle.read(TABLES))
        self._model = model_of(bundle)

    def code(self, tile: Image) -> Code:
        """Whole numbers of pixels as large as the model's frame."""
        return code_of(self._half(tile.astype(np.float32)), self._tables.levels)

    def __call__(self, picture: Image) -> bytes:
        """The file of a picture, uint8 [height, width, 3] BGR or [height, width] gray."""
        height, width = picture.shape[:2]
        if max(height, width) > _LARGEST:
            raise EdgecrnnError(
                f"picture: expected at most {_LARGEST} pixels a side, got {width}x{height}"
            )
        pixels = to_color(picture, self._preprocessing.color)
        down, across = (self._preprocessing.height, self._preprocessing.width)
        more = ((0, -height % down), (0, -width % across), (0, 0))
        whole = np.pad(pixels, more, mode="edge")
        codes = [
            self.code(whole[y : y + down, x : x + across])
            for y in range(0, height, down)
            for x in range(0, width, across)
        ]
        return written(Head(self._model, width, height), codes, self._tables)


class Decoder:
    """From a file to pixels.

    Raises:
        EdgecrnnError: the bundle is of another task.
    """

    def __init__(self, bundle: Bundle):
        self._preprocessing = _checked(bundle)
        self._half = Half(bundle.read(DECODER))
        self._tables = Tables.from_json(bundle.read(TABLES))
        self._bundle = bundle

    def pixels(self, code: Code) -> Image:
        """What a code stands for, RGB or gray, as large as the model's frame."""
        return np.clip(np.rint(self._half(code.astype(np.float32))), 0, 255).astype(np.uint8)

    def __call__(self, data: bytes, where: str) -> Image:
        """The picture of a file, uint8 [height, width, channels] RGB or gray.

        Raises:
            EdgecrnnError: it is damaged, no such file, or of another model.
        """
        head = read_head(data, where)
        if head.model != model_of(self._bundle):
            raise EdgecrnnError(
                f"{where}: expected a file made with {self._bundle.path.name}, got one made with "
                "another model; take the bundle that it was made with"
            )
        shape = self._half.given
        tile = (self._preprocessing.height, self._preprocessing.width)
        codes = read(data, where, self._tables, (shape[0], shape[1]), tile)
        across = math.ceil(head.width / tile[1])
        rows = [
            np.hstack([self.pixels(code) for code in itertools.islice(codes, across)])
            for _ in range(math.ceil(head.height / tile[0]))
        ]
        return np.vstack(rows)[: head.height, : head.width]


def code_of(answer: npt.NDArray[np.float32], levels: int) -> Code:
    """Whole numbers of what an encoder answered."""
    return np.clip(np.rint(answer), 0, levels - 1).astype(np.uint8)


def model_of(bundle: Bundle) -> bytes:
    """Which model made a file: what has to be the same to read it again."""
    together = "".join(bundle.manifest.files[name] for name in (ENCODER, DECODER, TABLES))
    return bytes.fromhex(sha256(together.encode()))[:8]


def _checked(bundle: Bundle) -> Preprocessing:
    if not {ENCODER, DECODER, TABLES} <= bundle.manifest.files.keys():
        raise EdgecrnnError(
            f"{bundle.path}: expected a bundle of the task compress, got one for "
            f"{bundle.manifest.task}; train with --task compress"
        )
    return bundle.manifest.preprocessing
