"""Writes a bundle: one archive with a hash for every file, beside and renamed."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.files import sha256, write_file
from edgecrnn.runtime.manifest import CERTIFICATE, GOLDEN, MANIFEST, Manifest

# A fixed time, so that the same content gives the same bytes.
_TIME = (2020, 1, 1, 0, 0, 0)


def write_bundle(
    path: Path,
    manifest: Manifest,
    models: Mapping[str, bytes],
    certificate: Mapping[str, Any],
    golden: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Write the bundle to `path`, whole.

    Args:
        path: the file.
        manifest: complete but for `files`, which is filled in here.
        models: file name to the bytes of a `.tflite`.
        certificate: what the variants lost, as JSON values.
        golden: `frames` uint8 [n, h, w, channels], and by variant the scores float32 [n, classes]
            expected of them, in this order from a zero state.
    """
    files = dict(models)
    files[CERTIFICATE] = (json.dumps(certificate, indent=1, ensure_ascii=False) + "\n").encode()
    files[GOLDEN] = _npz(golden)
    hashes = {name: sha256(data) for name, data in sorted(files.items())}
    complete = dataclasses.replace(manifest, files=hashes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {MANIFEST: complete.to_json(), **files}.items():
            # Models stay as they are, so that other tools can read them in place.
            kind = zipfile.ZIP_STORED if name.endswith(".tflite") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, compress_type=kind)
    write_file(path, buffer.getvalue())


def _npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
