"""What a report shows of why a run decides so, from real (untrained) runs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edgecrnn.train.data.store import Data, DataSettings, load
from edgecrnn.train.explain.answers import scores_of
from edgecrnn.train.explain.check import CheckSettings, check_by_masking
from edgecrnn.train.explain.explanation import open_explainer
from edgecrnn.train.explain.for_report import explanations_for_report
from edgecrnn.train.explain.kept import KEPT, keep, kept
from edgecrnn.train.judge import explain_run, judge_run, report_run
from edgecrnn.train.network.network import build_network
from edgecrnn.train.network.settings import NetworkSettings
from edgecrnn.train.report.explained import check_said, explained_section
from edgecrnn.train.run_folder import MODEL, REPORT, read_record


def opened(run: Path, data: Path, tmp_path: Path) -> Data:
    """The same files stand in every split: nothing is trained here."""
    for split in ("train", "val", "test"):
        shutil.copytree(data / "test", tmp_path / "data" / split)
    settings = DataSettings(shortest=4, cache=str(tmp_path / "cache"), allow_shared=True)
    return load(tmp_path / "data", read_record(run).preprocessing, settings)


@pytest.mark.parametrize("kind", ["clip", "picture"])
def test_a_report_shows_what_was_looked_at(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(request.getfixturevalue(f"{kind}_run"), run)
    data = opened(run, request.getfixturevalue(f"{kind}_data"), tmp_path)
    record = read_record(run)
    judged = judge_run(run, record, data)
    report_run(run, record, judged)
    assert "What it looked at" not in (run / REPORT).read_text()
    explain_run(run, judged)
    report_run(run, record, judged)
    page = (run / REPORT).read_text()
    assert "What it looked at" in page and page.count("data:image/webp") == 4
    told = json.loads((run / KEPT).read_text())
    assert len(told["pictures"]) == 4
    assert told["check"]["clips"] == told["check"]["of"] == len(judged.chosen.clips)
    # Two of each verdict where there are so many.
    wrong = int((judged.evaluation.detail.predicted != judged.chosen.clips.labels).sum())
    assert sum(not each["right"] for each in told["pictures"]) == max(min(2, wrong), wrong - 2)
    assert {each["name"].split("/")[1] for each in told["pictures"]} == set(record.labels)


def test_explanations_are_of_one_model_and_its_clips(
    clip_run: Path, clip_data: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(clip_run, run)
    data = opened(run, clip_data, tmp_path)
    judged = judge_run(run, read_record(run), data)
    made = explanations_for_report(
        open_explainer(run), judged.chosen.clips, judged.evaluation, 1, CheckSettings(clips=2)
    )
    assert kept(run, "the test split") is None
    keep(run, "the test split", made)
    assert kept(run, "the test split") == made
    assert kept(run, "the val split") is None
    with (run / MODEL).open("ab") as file:
        file.write(b"trained anew")
    assert kept(run, "the test split") is None


def test_what_is_damaged_is_not_shown(clip_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(clip_run, run)
    for text in ("{", "{}", "[1]", '{"model": 1}'):
        (run / KEPT).write_text(text)
        assert kept(run, "the test split") is None


def test_the_check_ends_in_time(clip_run: Path, clip_data: Path, tmp_path: Path) -> None:
    judged = judge_run(clip_run, read_record(clip_run), opened(clip_run, clip_data, tmp_path))
    settings = CheckSettings(draws=1, seconds=1e-6)
    check = check_by_masking(open_explainer(clip_run), judged.chosen.clips, settings)
    assert check.clips == 1 and f"(mean over 1 of {check.of}; 95 %" in check_said(check)


def test_heat_that_is_no_better_than_chance_is_said(
    clip_run: Path, clip_data: Path, tmp_path: Path
) -> None:
    judged = judge_run(clip_run, read_record(clip_run), opened(clip_run, clip_data, tmp_path))
    explained = explanations_for_report(
        open_explainer(clip_run), judged.chosen.clips, judged.evaluation, 1, CheckSettings(clips=2)
    )
    better = dataclasses.replace(explained.check, difference=(0.1, 0.2))
    assert check_said(better).endswith("the heat shows what the network looks at.")
    chance = dataclasses.replace(explained.check, difference=(-0.1, 0.2))
    assert "NOT better than chance" in check_said(chance)
    (shown,) = explained_section(explained).pictures
    assert shown.decided.startswith(explained.pictures[0].decided)
    assert np.frombuffer(explained.pictures[0].webp[:4], np.uint8).tobytes() == b"RIFF"


def test_several_labels_are_not_made_to_exclude_each_other() -> None:
    settings = NetworkSettings(units=4, width=0.25, task="multilabel")
    network = build_network(settings, (16, 16, 3), 3)
    scores = scores_of(network, np.array([[4.0, 4.0, -4.0]], np.float32))
    assert scores == pytest.approx(np.array([[0.982, 0.982, 0.018]]), abs=1e-3)
