"""What the page keeps of a stream, and which frames become pictures."""

from __future__ import annotations

import time

import cv2
import numpy as np

from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.decision import DecisionSettings
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.page.pictures import Pictures, jpeg, snapshot
from edgecrnn.runtime.page.watched import RATE, WINDOW, Watched
from edgecrnn.runtime.sinks import Stream


def stream_of(labels: tuple[str, ...] = ("a", "b")) -> Stream:
    decision = DecisionSettings(threshold=0.25)
    return Stream("camera", labels, 10.0, True, "things", decision, "int8", "0" * 64, False)


def result(number: int, time_: float, labels: int = 2) -> Result:
    return Result(time_, number, "a", 0.5, (0.5,) * labels, 1.0)


def frame(number: int = 0, height: int = 48, width: int = 64) -> Frame:
    image = np.full((height, width, 3), number % 256, np.uint8)
    return Frame(image, number, float(number), 0.0)


def test_points_are_kept_at_a_rate_that_a_chart_can_show() -> None:
    watched = Watched(stream_of(), None, lambda: None)
    for number in range(20_000):
        watched.write(result(number, number / 100), frame())
    points = watched.about()["points"]
    assert len(points) <= WINDOW * RATE
    steps = np.diff([point[0] for point in points])
    assert steps.min() > 0.5 / RATE and points[-1][0] > 199
    assert watched.newest is not None and watched.newest.number == 20_000


def test_many_labels_take_no_more_room() -> None:
    labels = tuple(map(str, range(1000)))
    watched = Watched(stream_of(labels), None, lambda: None)
    for number in range(1000):
        watched.write(result(number, number / 10, 1000), frame())
    assert len(watched.about()["points"]) == 20


def test_a_time_that_goes_back_is_kept() -> None:
    watched = Watched(stream_of(), None, lambda: None)
    for moment in (5.0, 5.1, 0.0, 0.1):
        watched.write(result(0, moment), frame())
    assert [point[0] for point in watched.about()["points"]] == [5.0, 5.1, 0.0, 0.1]


def test_another_model_begins_anew() -> None:
    watched = Watched(stream_of(), None, lambda: None)
    watched.write(result(0, 1.0), frame())
    watched.close()
    watched.go_on_with(stream_of(("c", "d", "e")), None)
    about = watched.about()
    assert about["labels"] == ("c", "d", "e") and about["thresholds"] == (0.25,) * 3
    assert about["points"] == [] and watched.newest is None and about["generation"] == 1


def test_only_who_waits_is_rung() -> None:
    rung: list[int] = []
    watched = Watched(stream_of(), None, lambda: rung.append(0))
    watched.write(result(0, 0.0), frame())
    assert rung == []
    watched.awaited = True
    watched.write(result(1, 0.1), frame())
    watched.write(result(2, 0.2), frame())
    assert rung == [0]


def test_pictures_are_made_only_while_somebody_looks() -> None:
    made: list[tuple[int, bytes]] = []
    streams: list[Watched] = []
    pictures = Pictures(streams, lambda number, data: made.append((number, data)))
    streams += [Watched(stream_of(), None, pictures.ring) for _ in range(2)]
    pictures.start()
    try:
        streams[0].write(result(0, 0.0), frame())
        time.sleep(0.1)
        assert made == []
        # Who comes sees the newest at once, though no new one comes.
        pictures.watch(0, 1)
        wait_for(made, 1)
        streams[0].write(result(1, 0.1), frame(1))
        streams[1].write(result(1, 0.1), frame(1))
        wait_for(made, 2)
        pictures.watch(0, -1)
        streams[0].write(result(2, 0.2), frame(2))
        time.sleep(0.1)
        assert [number for number, _ in made] == [0, 0]
    finally:
        pictures.stop()


def wait_for(made: list[tuple[int, bytes]], count: int) -> None:
    deadline = time.monotonic() + 30
    while len(made) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_large_picture_is_shown_smaller_and_kept_whole_in_a_snapshot() -> None:
    large = frame(7, 1080, 1920)
    for data, width in ((jpeg(large), 1280), (snapshot(large), 1920)):
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (width * 9 // 16, width, 3)
