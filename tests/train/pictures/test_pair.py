"""Two tasks over one encoder: what they cost, and how much each has to say in what they share."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import tensorflow as tf

from edgecrnn.train.network.cost import model_multiply_adds
from edgecrnn.train.network.heads.picture import cheap_levels
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.pictures.network import build_picture_model
from edgecrnn.train.pictures.pair import Pair
from edgecrnn.train.tasks import _label, picture_task

# A pair of each kind: who mends, makes or names, and who of them writes pixels.
KINDS = [
    "denoise+segment", "denoise+detect", "denoise+classify", "denoise+boundary",
    "reconstruct+quality", "segment+quality", "boundary+detect", "detect+quality",
    "generate+segment", "generate+detect", "generate+classify",
]  # fmt: skip


@cache
def cost(name: str, width: float, size: int, channels: int) -> int:
    task: Any = _label if name == "classify" else picture_task(name)
    network = NetworkSettings(sequence="patches", width=width).filled()
    shape = (size, size, channels)
    return model_multiply_adds(build_picture_model(task, task.Settings(), network, shape, 11))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("built", [(1.0, 96, 3), (0.5, 32, 1)])
def test_two_tasks_over_one_encoder_cost_less_than_two_models(
    name: str, built: tuple[float, int, int]
) -> None:
    first, second = name.split("+")
    assert cost(name, *built) < 0.7 * (cost(first, *built) + cost(second, *built))


@pytest.mark.parametrize(
    ("writers", "cheap"),
    [
        ((), {"one": (), "change": ()}),
        (("one",), {"one": (2,)}),
        (("change",), {"change": (2,)}),
        (("change", "one"), {"change": (1, 2), "one": ()}),
        (("each", "holes"), {"each": (), "holes": (1, 2)}),
        (("pixels", "one"), {"pixels": (), "one": (1, 2)}),
    ],
)
def test_who_needs_its_decoder_most_keeps_all_of_it(
    writers: tuple[str, ...], cheap: dict[str, tuple[int, ...]]
) -> None:
    assert {form: cheap_levels(writers, form) for form in cheap} == cheap


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("denoise+segment", (0.1, 1.0)),
        ("segment+reconstruct", (1.0, 0.1)),
        ("boundary+detect", (1.0, 1.0)),
        ("generate+segment", (1.0, 0.3)),
        ("generate+classify", (1.0, 0.3)),
    ],
)
def test_who_mends_or_reads_beside_generating_has_less_say(
    name: str, says: tuple[float, float]
) -> None:
    pair = picture_task(name)
    assert isinstance(pair, Pair) and pair.says == says


def test_each_answer_is_asked_for_what_its_task_asks_times_its_say() -> None:
    """The gradient that reaches each head is its own task's, by its say and its cost."""
    pair = picture_task("denoise+segment")
    assert isinstance(pair, Pair)
    rng, settings = np.random.default_rng(0), pair.Settings()
    answers = (
        tf.Variable(rng.uniform(0, 255, (2, 16, 16, 3)).astype(np.float32)),
        tf.Variable(rng.dirichlet(np.ones(4), (2, 16, 16)).astype(np.float32)),
    )
    targets = (
        rng.uniform(0, 255, (2, 16, 16, 3)).astype(np.float32),
        rng.integers(0, 4, (2, 16, 16)).astype(np.float32),
    )
    with tf.GradientTape(persistent=True) as tape:
        values = tuple(each.value() for each in answers)
        loss = pair.loss(settings, values, targets)
        own = [
            task.loss(one, value, target) * say / task.COST
            for (task, one), value, target, say in zip(
                pair.each(settings), values, targets, (0.1, 1.0), strict=True
            )
        ]
    for answer, alone in zip(answers, own, strict=True):
        asked = tape.gradient(loss, answer)
        assert np.any(asked)
        np.testing.assert_allclose(asked, tape.gradient(alone, answer))


def test_what_is_made_of_noise_does_not_read_single_pixels_beside_another_task() -> None:
    task = picture_task("generate+segment")
    network = NetworkSettings(sequence="patches", width=0.5).filled()
    model = build_picture_model(task, task.Settings(), network, (32, 32, 1), 11)

    def read_from(name: str) -> str:
        return str(model.get_layer(name).input._keras_history.operation.name)

    for form, cheap in (("pixels", "write"), ("one", "smooth")):
        before = [read_from(f"{kind}_{n}_{form}") for n, kind in ((0, "write"), (1, cheap))]
        added = [name.startswith("add") for name in before]
        assert added == [form == "one"] * 2
        assert form == "one" or before == ["enlarge_0_pixels", "enlarge_1_pixels"]
