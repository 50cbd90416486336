"""A file of settings means what the flags mean; a flag given wins."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from edgecrnn.cli import command_parser
from edgecrnn.cli.config import add_config
from edgecrnn.cli.train import _SETTINGS, plan_of
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.plan import Plan, settings_text


def planned(*flags: str, config: Path | None = None, kind: str = "clips") -> Plan:
    args = command_parser("train").parse_args(["DATA", "--out", "RUN", *flags])
    if config is not None:
        add_config(args, config, _SETTINGS, ("size",), ("height", "shortest"))
    return plan_of(args, kind)


def written(folder: Path, text: str, name: str = "settings.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_file_and_flags_mean_the_same(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'size = "80x60"\nepochs = 7\nlearning-rate = 0.01\nbalanced = true\ncolor = "gray"\n'
        "units = 32\nnoise = 1.5\n",
    )
    flags = ("--size", "80x60", "--epochs", "7", "--learning-rate", "0.01", "--balanced",
             "--color", "gray", "--units", "32", "--noise", "1.5")  # fmt: skip
    assert planned(config=file) == planned(*flags)


def test_a_flag_wins(tmp_path: Path) -> None:
    file = written(tmp_path, 'epochs = 7\nsize = "80x60"\n')
    plan = planned("--epochs", "3", "--size", "32x32", config=file)
    assert (plan.train.epochs, plan.preprocessing.width) == (3, 32)


def test_pictures_are_cropped_further_unless_somebody_says_so(tmp_path: Path) -> None:
    clips, pictures = planned(), planned(kind="pictures")
    assert clips.augmentation.crop < pictures.augmentation.crop
    file = written(tmp_path, "crop = 0.1\n")
    assert planned(config=file, kind="pictures").augmentation.crop == 0.1


def test_settings_that_need_each_other_may_stand_in_either(tmp_path: Path) -> None:
    both = planned("--flip", "horizontal", "--swaps", "left=right")
    lines = {"flip": 'flip = "horizontal"\n', "swaps": 'swaps = ["left=right"]\n'}
    assert planned(config=written(tmp_path, lines["swaps"] + lines["flip"])) == both
    file = written(tmp_path, lines["swaps"])
    assert planned("--flip", "horizontal", config=file) == both
    with pytest.raises(EdgecrnnError, match=r"settings.toml: swaps: expected --flip horizontal"):
        planned(config=file)
    with pytest.raises(EdgecrnnError, match=r"^--crop: expected 0 to 0.5 .*, got 0.9"):
        planned("--crop", "0.9", config=written(tmp_path, lines["flip"]))


def test_what_a_run_writes_gives_the_same_plan_again(tmp_path: Path) -> None:
    plan = planned(
        "--epochs",
        "3",
        "--size",
        "32x24",
        "--motion",
        "--dropout",
        "0.1",
        "--seed",
        "4",
        "--flip",
        "horizontal",
        "--swaps",
        "left=right",
        "up=down",
    )
    assert planned(config=written(tmp_path, settings_text(plan))) == plan


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("pictures", "--window 4", "--window: expected clips, which it is for, got pictures"),
        ("pictures", "--frame-rate 5", "--frame-rate: expected clips"),
        ("pictures", "--no-motion", "--motion: expected clips"),
        ("pictures", "--blocks 2", "--blocks: expected --sequence patches beside it, got columns"),
        ("clips", "--blocks 2", "--blocks: expected --sequence patches beside it, got time"),
        ("clips", "--temperature 3", "--temperature: expected --teacher beside it, got none"),
        ("clips", "--quantization-epochs 2", "expected --quantization-aware beside it, got none"),
    ],
)
def test_a_flag_that_nothing_would_come_of_is_refused(
    kind: str, words: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        planned(*words.split(), kind=kind)
    assert said in str(caught.value)
    # A file may be that of another training.
    lines = "window = 4\nblocks = 2\ntemperature = 3.0\nquantization_epochs = 2\nmotion = false"
    planned(config=written(tmp_path, lines), kind=kind)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", "got 'epoch' (did you mean 'epochs'?)"),
        ("epochs = 0", "epochs: expected at least 1"),
        ('epochs = "3"', "epochs: expected int, got '3'"),
        ("size = 64", "size: expected a text, got 64"),
        ("height = 64", "got 'height'"),
        ("[train]\nepochs = 3", "expected settings one a line, got the table [train]"),
        ("epochs = ", "expected TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        planned(config=written(tmp_path, text))
    assert said in str(caught.value)
    assert "settings.toml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EdgecrnnError, match=r"expected a file of settings .*, got No such file"):
        add_config(argparse.Namespace(), tmp_path / "no.toml", _SETTINGS)


def test_yaml_means_the_same(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    text = "size: 80x60\nepochs: 7\nlearning-rate: 0.01\nbalanced: true\nflip: none\nswaps: []\n"
    toml = text.replace("80x60", '"80x60"').replace("none", '"none"').replace(":", " =")
    planned_by = [
        planned(config=written(tmp_path, text, "settings.yaml")),
        planned(config=written(tmp_path, toml)),
    ]
    assert planned_by[0] == planned_by[1] and planned_by[0].train.epochs == 7
    plan = planned(config=written(tmp_path, "learning_rate: 2e-3", "settings.yaml"))
    assert plan.train.learning_rate == 0.002


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch: 3", "got 'epoch' (did you mean 'epochs'?)"),
        ("epochs: three", "epochs: expected int, got 'three'"),
        ("epochs: [3", "expected YAML, got"),
        ("- epochs", "expected YAML of 'name: value' lines, got ['epochs']"),
        ("", "expected YAML of 'name: value' lines, got None"),
        ("!!python/object/apply:os.system [exit]", "expected YAML, got"),
    ],
)
def test_wrong_yaml_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(EdgecrnnError) as caught:
        planned(config=written(tmp_path, text, "settings.yml"))
    assert said in str(caught.value) and "settings.yml" in str(caught.value)


def test_yaml_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(EdgecrnnError, match="pip install pyyaml, or write the settings as TOML"):
        planned(config=written(tmp_path, "epochs: 3", "settings.yaml"))
