"""Pictures to small files and back, and pictures of noise: the commands as a person gives them."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.cli.test_picture_tasks import TRAIN, edgecrnn

pytest.importorskip("tensorflow")

from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.compressing import DECODER, ENCODER, TABLES, Decoder, Encoder
from edgecrnn.runtime.engine import load_engine
from edgecrnn.runtime.pictures import read_picture
from edgecrnn.train.demo.scenes import SceneSettings, export_scenes

pytestmark = pytest.mark.slow

CONVERT = ("--device", "linux-x86_64", "--calibration-frames", "16", "--check", "16")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes, the same by class, a bundle of compress and one of generate."""
    folder = tmp_path_factory.mktemp("made")
    export_scenes(folder / "data", SceneSettings(train=48, val=16, test=16, size=32))
    for split in ("train", "val", "test"):
        for number, file in enumerate(sorted((folder / "data" / split / "pictures").iterdir())):
            target = folder / "classes" / split / ("even", "odd")[number % 2]
            target.mkdir(parents=True, exist_ok=True)
            (target / file.name).write_bytes(file.read_bytes())
    for task, data, flags in (
        ("compress", "data", ("--set", "numbers=4", "--set", "bits=0.2")),
        ("generate", "classes", ("--adversarial", "0.1")),
    ):
        run, bundle = folder / f"{task}.run", folder / f"{task}.edgecrnn"
        edgecrnn("train", folder / data, "--task", task, *flags, "--out", run, *TRAIN)
        edgecrnn("convert", run, "--out", bundle, *CONVERT)
    return folder


def test_a_picture_becomes_a_small_file_and_comes_back(made: Path, tmp_path: Path) -> None:
    bundle, source = made / "compress.edgecrnn", made / "data/test/pictures"
    names = sorted(source.iterdir())[:3]
    printed, _ = edgecrnn("compress", bundle, *names, "--out", tmp_path / "small", "--json")
    lines = [json.loads(line) for line in printed.splitlines()]
    for line, name in zip(lines, names, strict=True):
        file = tmp_path / "small" / f"{name.stem}.ecrn"
        assert line["file"] == str(file) and line["bytes"] == file.stat().st_size
        # 21 bytes around it, and at most 12 bits for each 8x8 pixels where nothing is learned.
        assert line["bytes"] <= 21 + 16 * 4 * 8 // 8
    files = sorted((tmp_path / "small").iterdir())
    edgecrnn("decompress", bundle, *files, "--out", tmp_path / "back")
    engine = load_engine(open_bundle(bundle))
    for name in names:
        pixels = cv2.cvtColor(
            read_picture(tmp_path / "back" / f"{name.stem}.png"), cv2.COLOR_BGR2RGB
        )
        frame = cv2.cvtColor(read_picture(name), cv2.COLOR_BGR2RGB)
        # What the whole model answers is what the file holds.
        answer = engine.parts(engine.step(frame, {})[0])["picture"]
        assert np.abs(pixels - np.clip(np.rint(answer), 0, 255)).max() <= 1


@pytest.mark.parametrize("size", [(32, 32), (33, 70), (5, 3)])
def test_a_picture_of_any_size_keeps_it(made: Path, size: tuple[int, int]) -> None:
    bundle = open_bundle(made / "compress.edgecrnn")
    picture = np.full((*size, 3), 120, np.uint8)
    data = Encoder(bundle)(picture)
    assert Decoder(bundle)(data, "x").shape == picture.shape


def test_the_halves_are_smaller_than_the_whole(made: Path) -> None:
    bundle = open_bundle(made / "compress.edgecrnn")
    whole = len(bundle.read(bundle.variant().file))
    halves = [len(bundle.read(name)) for name in (ENCODER, DECODER)]
    assert max(halves) < whole and sum(halves) < 1.2 * whole
    assert bundle.read(TABLES)


def test_files_and_bundles_that_do_not_belong_together(made: Path, tmp_path: Path) -> None:
    bundle = made / "compress.edgecrnn"
    picture = sorted((made / "data/test/pictures").iterdir())[0]
    edgecrnn("compress", bundle, picture, "--out", tmp_path)
    file = tmp_path / f"{picture.stem}.ecrn"

    _, error = edgecrnn("compress", bundle, picture, "--out", tmp_path, code=2)
    assert "expected a path that does not exist yet" in error
    _, error = edgecrnn("compress", bundle, picture, picture, "--out", tmp_path / "b", code=2)
    assert "expected files of different names" in error
    _, error = edgecrnn("compress", made / "generate.edgecrnn", picture, "--out", tmp_path, code=2)
    assert "expected a path that does not exist yet" in error
    _, error = edgecrnn(
        "compress", made / "generate.edgecrnn", picture, "--out", tmp_path / "d", code=2
    )
    assert "expected a bundle of the task compress, got one for generate" in error
    _, error = edgecrnn("decompress", bundle, picture, "--out", tmp_path / "c", code=2)
    assert "expected a file that edgecrnn compress wrote" in error
    _, error = edgecrnn("decompress", bundle, tmp_path / "none", "--out", tmp_path / "c", code=2)
    assert "got no such file or directory" in error
    assert not (tmp_path / "c").exists()

    data = bytearray(file.read_bytes())
    data[5] ^= 1
    file.write_bytes(bytes(data))
    _, error = edgecrnn("decompress", bundle, file, "--out", tmp_path / "c", code=2)
    assert "its check sum is wrong" in error

    data[17:21] = zlib.crc32(bytes(data[:17]) + bytes(4) + data[21:]).to_bytes(4, "little")
    file.write_bytes(bytes(data))
    _, error = edgecrnn("decompress", bundle, file, "--out", tmp_path / "c", code=2)
    assert "got one made with another model" in error


def test_pictures_are_made_class_by_class(made: Path, tmp_path: Path) -> None:
    bundle = made / "generate.edgecrnn"
    printed, _ = edgecrnn("generate", bundle, "--count", "3", "--out", tmp_path / "all")
    assert "6 pictures of 2 classes" in printed
    files = sorted((tmp_path / "all").glob("*/*.png"))
    assert [f"{file.parent.name}/{file.name}" for file in files] == [
        f"{label}/{n:04d}.png" for label in ("even", "odd") for n in range(3)
    ]
    pixels = [read_picture(file) for file in files]
    assert {each.shape for each in pixels} == {(32, 32, 3)}
    assert len({each.tobytes() for each in pixels}) == 6

    edgecrnn("generate", bundle, "--count", "3", "--label", "odd", "--out", tmp_path / "odd")
    again = [read_picture(file) for file in sorted((tmp_path / "odd/odd").iterdir())]
    assert np.array_equal(np.stack(again), np.stack(pixels[3:]))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--label", "evn"), "expected one of even, odd, got 'evn' (did you mean 'even'?)"),
        (("--count", "0"), "expected at least 1 and 0, got 0 and 0"),
    ],
)
def test_what_cannot_be_made(made: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    _, error = edgecrnn(
        "generate", made / "generate.edgecrnn", "--out", tmp_path / "out", *words, code=2
    )
    assert said in error and not (tmp_path / "out").exists()


def test_noise_is_a_source_for_it(made: Path) -> None:
    printed, _ = edgecrnn(
        "run", made / "generate.edgecrnn", "--source", "noise:32x32?classes=2", "--rate", "50",
        "--max-frames", "4",
    )  # fmt: skip
    assert len(printed.splitlines()) == 4


def test_a_bundle_carries_only_what_its_task_needs(made: Path) -> None:
    with zipfile.ZipFile(made / "generate.edgecrnn") as archive:
        assert not {ENCODER, DECODER, TABLES} & set(archive.namelist())


def test_a_discriminator_is_for_tasks_that_make_pictures(made: Path, tmp_path: Path) -> None:
    for data, task in (("data", "boundary"), ("classes", "retrieve"), ("classes", "classify")):
        _, error = edgecrnn(
            "train", made / data, "--task", task, "--adversarial", "1", "--out", tmp_path / "x",
            "--size", "32x32", code=2,
        )  # fmt: skip
        assert "adversarial: expected" in error.splitlines()[-1]
        assert not (tmp_path / "x").exists()
