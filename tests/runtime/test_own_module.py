"""A module of one's own is started from any folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.bundle import Bundle
from edgecrnn.runtime.candidates import candidate
from edgecrnn.runtime.own_module import WITHOUT_FOLDER, module_words
from edgecrnn.runtime.trial import try_candidate

FORMS = {
    "this Python": module_words("json.tool", "--help"),
    "3.10": [sys.executable, "-c", WITHOUT_FOLDER, "json.tool", "--help"],
}


@pytest.mark.parametrize("words", FORMS.values(), ids=FORMS)
def test_what_lies_in_the_folder_is_not_imported(tmp_path: Path, words: list[str]) -> None:
    for name in ("argparse", "json", "runpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('from the folder')\n")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")


def test_an_engine_is_tried_from_a_folder_with_a_numpy_of_its_own(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('from the folder')\n")
    monkeypatch.chdir(tmp_path)
    frame = np.zeros(bundle.manifest.preprocessing.frame_shape, np.uint8)
    assert try_candidate(bundle, candidate(bundle, "cpu"), 1, [frame], 0.0).refused == ""
