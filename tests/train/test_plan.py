"""A network that cannot be built of these frames is refused, in one sentence that says the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journey import write_clips, write_pictures

from edgecrnn import cli
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings, check_blocks
from edgecrnn.train.plan import CHECKPOINT, PLAN, read_plan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {
        "clips": write_clips(folder / "clips", per_class=6, frames=4),
        "pictures": write_pictures(folder / "pictures", per_class=6),
    }


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        (
            "pictures",
            "--size 16x16 --sequence patches --blocks 3",
            "blocks: expected a number that divides the frame's 16x16 pixels, got 3; "
            "change --blocks or --size",
        ),
        (
            "pictures",
            "--size 30x32 --sequence patches --blocks 4",
            "blocks: expected a number that divides the frame's 32x30 pixels, got 4",
        ),
        (
            "pictures",
            "--size 16x16 --sequence patches --blocks 4",
            "encoder: light expected frames of at least 8 pixels a side, got 4x4; "
            "use larger frames or fewer blocks",
        ),
        (
            "clips",
            "--size 64x16 --window 4 --warmup 1 --encoder mobilenet_v3_small",
            "encoder: mobilenet_v3_small expected frames of at least 32 pixels a side, got 16x64",
        ),
        ("clips", "--size 4x64 --window 4", "width: expected at least 8 pixels, got 4"),
        ("clips", "--encoder lihgt", "encoder: expected one of anywhere, document, "),
        ("clips", "--encoder lihgt", "got 'lihgt' (did you mean 'light'?)"),
        ("clips", "--encoder _backbone", "encoder: expected one of anywhere, document, "),
        ("clips", "--encoder ../light", "encoder: expected one of anywhere, document, "),
        ("clips", "--sequence patches", "sequence: expected time for a folder of clips"),
        ("pictures", "--sequence time", "sequence: expected columns or patches for a folder"),
        ("clips", "--readout mean", "readout: expected last for clips"),
    ],
)
def test_one_sentence_and_no_run(
    kind: str,
    words: str,
    said: str,
    data: dict[str, Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    assert cli.main(["train", str(data[kind]), "--out", str(out), *words.split()]) == 2
    # Before it stands what the data holds, once that has been read.
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("edgecrnn: ") and said in last
    assert list(tmp_path.iterdir()) == []


@given(blocks=st.integers(2, 16), height=st.integers(8, 200), width=st.integers(8, 200))
def test_blocks_are_equal_or_refused(blocks: int, height: int, width: int) -> None:
    chosen = NetworkSettings(sequence="patches", blocks=blocks)
    if height % blocks or width % blocks:
        with pytest.raises(EdgecrnnError, match="expected a number that divides"):
            check_blocks(chosen, height, width)
    else:
        check_blocks(chosen, height, width)


@settings(max_examples=20)
@given(
    sequence=st.sampled_from(["time", "columns", "patches"]),
    encoder=st.sampled_from(["light", "document", "plain"]),
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    blocks=st.integers(2, 4),
)
def test_every_frame_makes_a_network_or_a_sentence(
    sequence: str, encoder: str, height: int, width: int, blocks: int
) -> None:
    """No size brings an error of Keras's: sides that the encoder does not divide are fine."""
    chosen = NetworkSettings(sequence, encoder, units=2, layers=1, width=0.1, blocks=blocks)
    try:
        network = build_network(chosen, (height, width, 3), 2)
    except EdgecrnnError:
        least = 16 if encoder == "plain" else 8
        smallest = min(height, width) // (blocks if sequence == "patches" else 1)
        uneven = sequence == "patches" and (height % blocks or width % blocks)
        assert uneven or smallest < least
    else:
        shape = (height, width) if sequence != "patches" else (height // blocks, width // blocks)
        assert network.encoder.input_shape[1:3] == shape
        assert all(min(output.shape[1:]) >= 1 for output in network.encoder.outputs)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"train": {"epochs": 0}}'])
def test_a_damaged_plan_is_not_resumed(text: str, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"")
    (tmp_path / PLAN).write_text(text)
    with pytest.raises(EdgecrnnError, match=r"plan.json: expected the settings of a run.*--force"):
        read_plan(tmp_path, Path("data"))
