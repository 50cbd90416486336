"""Labels beside the files: what a table may look like, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing
from edgecrnn.train.data.labels_file import read_table
from edgecrnn.train.data.layout import read_layout
from edgecrnn.train.data.store import DataSettings, load

Write = Callable[..., object]


def table(folder: Path, text: str, name: str = "labels.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for picture in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / picture).touch()
    (folder / name).write_text(text)
    return folder / name


SAME = {
    "a.jpg": frozenset({"wagon", "indoor"}),
    "b.jpg": frozenset({"wagon"}),
    "c.jpg": frozenset(),
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file,indoor,wagon\na.jpg,1,1\nb.jpg,0,1\nc.jpg,0,0\n"),
        ("labels.csv", "\ufefffile, indoor, wagon\r\na.jpg, 1, 1\r\nb.jpg,0,1\r\n\r\nc.jpg,0,0"),
        ("labels.csv", "\n,,\nfile,indoor,wagon\na.jpg,1,1\nb.jpg,0,1\nc.jpg,0,0\n"),
        ("labels.csv", "path,labels\na.jpg,indoor|wagon\nb.jpg,wagon\nc.jpg,\n"),
        ("labels.json", '{"a.jpg": ["wagon", "indoor"], "b.jpg": ["wagon"], "c.jpg": []}'),
    ],
)
def test_three_forms_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    read = read_table(table(tmp_path, text, name))
    assert read.labels == SAME and read.names == ("indoor", "wagon")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a line for each file"),
        ("file\na.jpg\n", "got the first line 'file'"),
        ("file,wagon,wagon\n", "got the first line 'file,wagon,wagon'"),
        ("file,wagon\n", "got no file"),
        ("file,wagon\na.jpg,2\n", "expected 0 or 1 for 'wagon' in line 2, got '2'"),
        ("\nfile,wagon\n\na.jpg,2\n", "in line 4, got '2'"),
        ("file,wagon\na.jpg,yes\n", "got 'yes'"),
        ("file,wagon\na.jpg,1,0\n", "expected 2 values in line 2, got 3"),
        ("file,wagon\na.jpg,1\na.jpg,0\n", "expected each file once, got 'a.jpg' twice"),
        ("file,wagon\nd.jpg,1\ne.jpg,1\n", "but d.jpg, e.jpg are not there"),
        ("file,wagon\n../a.jpg,1\n", "expected files below its folder, got '../a.jpg'"),
        ("file,wagon\n/etc/passwd,1\n", "expected files below its folder"),
        ('file,wagon\n"a.jpg,1\n', "expected CSV"),
    ],
)
def test_a_table_that_is_none(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError) as raised:
        read_table(table(tmp_path, text))
    assert said in str(raised.value) and str(tmp_path / "labels.csv") in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected JSON"),
        ("[1]", "expected an object of lists"),
        ('"a"', "expected an object of lists"),
        ('{"a.jpg": "wagon"}', "got 'wagon' for 'a.jpg'"),
        ('{"a.jpg": [], "a.jpg": []}', "got 'a.jpg' twice"),
    ],
)
def test_json_that_is_no_table(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError) as raised:
        read_table(table(tmp_path, text, "labels.json"))
    assert said in str(raised.value)


def labelled(folder: Path, write_picture: Write, count: int = 24, seed: int = 0) -> Path:
    """Pictures of which every second is dark and every third is wet."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,dark,wet"]
    for i in range(count):
        write_picture(folder / f"{i}.png", seed=seed + i)
        lines.append(f"{i}.png,{int(i % 2 == 0)},{int(i % 3 == 0)}")
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder


def test_one_table_for_all_gets_a_split(tmp_path: Path, write_picture: Write) -> None:
    layout = read_layout(labelled(tmp_path / "data", write_picture))
    assert (layout.task, layout.kind, layout.labels) == ("multilabel", "pictures", ("dark", "wet"))
    assert layout.made_split and {item.split for item in layout.items} == {"train", "val", "test"}
    assert {layout.said(item.label) for item in layout.items} == {"none", "dark", "wet", "dark+wet"}


def test_targets_are_what_the_table_says(tmp_path: Path, write_picture: Write) -> None:
    for split, seed in (("train", 0), ("val", 100), ("test", 200)):
        labelled(tmp_path / "data" / split, write_picture, 12, seed)
    data = load(tmp_path / "data", Preprocessing(8, 8), DataSettings(cache=str(tmp_path / "cache")))
    assert data.task == "multilabel" and not data.made_split
    for store in data.splits.values():
        for name, row in zip(store.names, store.targets, strict=True):
            number = int(Path(name).stem)
            assert row.tolist() == [number % 2 == 0, number % 3 == 0]
        same = np.unique(store.targets, axis=0, return_inverse=True)[1].reshape(-1)
        assert len(set(zip(same.tolist(), store.labels.tolist(), strict=True))) == 4


def test_bad_data_sets(tmp_path: Path, write_picture: Write) -> None:
    root = labelled(tmp_path / "always", write_picture)
    text = (root / "labels.csv").read_text()
    (root / "labels.csv").write_text(text.replace(",0\n", ",1\n").replace(",0", ",1"))
    with pytest.raises(EdgecrnnError, match=r"expected 'dark' to be true of some training files"):
        read_layout(root)
    for split in ("train", "val"):
        labelled(tmp_path / "other" / split, write_picture, 12, hash(split) % 100)
    other = tmp_path / "other" / "val" / "labels.csv"
    other.write_text(other.read_text().replace("wet", "wte", 1))
    with pytest.raises(EdgecrnnError, match=r"got 'wte' \(did you mean 'wet'\?\)"):
        read_layout(tmp_path / "other")
    other.unlink()
    with pytest.raises(EdgecrnnError, match=r"expected labels.csv or labels.json as in the other"):
        read_layout(tmp_path / "other")
    (root / "labels.json").write_text(json.dumps({"0.png": []}))
    with pytest.raises(EdgecrnnError, match=r"expected one file of labels, got labels.csv and"):
        read_layout(root)
    (root / "labels.json").unlink()
    with pytest.raises(EdgecrnnError, match=r"expected the model's labels sunny, got 'dark'"):
        read_layout(root, labels=("sunny",))
