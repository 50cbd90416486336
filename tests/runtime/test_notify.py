"""What the service manager is told of several streams, and when the watchdog is fed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.service import Manager

from edgecrnn.runtime.notify import Heartbeat, Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.close()


def fed(manager: Manager, heartbeat: Heartbeat, *progress: int | None) -> bool:
    """Whether the watchdog is fed for this progress, once it is time to."""
    time.sleep(0.04)
    before = len(manager.times("WATCHDOG=1"))
    heartbeat.beat(progress, True, lambda: "well")
    time.sleep(0.05)
    return len(manager.times("WATCHDOG=1")) > before


def test_every_stream_has_to_make_progress(manager: Manager) -> None:
    heartbeat = Heartbeat(Notifier(manager.environment(watchdog=0.1)))
    assert fed(manager, heartbeat, 1, 1)
    assert not fed(manager, heartbeat, 2, 1)
    assert not fed(manager, heartbeat, 9, 1)
    assert fed(manager, heartbeat, 9, 2)
    assert not fed(manager, heartbeat, 9, 2)


def test_one_that_has_ended_or_is_paused_is_not_waited_for(manager: Manager) -> None:
    heartbeat = Heartbeat(Notifier(manager.environment(watchdog=0.1)))
    assert fed(manager, heartbeat, 1, None)
    assert fed(manager, heartbeat, 2, None)
    assert not fed(manager, heartbeat, 2, None)
    assert fed(manager, heartbeat, None, None)


def test_a_stream_that_never_classified_feeds_nothing(manager: Manager) -> None:
    heartbeat = Heartbeat(Notifier(manager.environment(watchdog=0.1)))
    assert not fed(manager, heartbeat, 0)


def test_it_is_said_once_that_it_is_ready(manager: Manager) -> None:
    heartbeat = Heartbeat(Notifier(manager.environment()))
    heartbeat.beat([0], False, lambda: "no")
    for count in range(1, 4):
        heartbeat.beat([count], True, lambda: "8 decisions a second", frames=7)
    heartbeat.stopping(frames=9)
    manager.wait_for("X_EDGECRNN_FRAMES=9")
    said = [line for _, line in manager.lines]
    assert said == [
        *("READY=1", "STATUS=8 decisions a second", "X_EDGECRNN_FRAMES=7"),
        *("STOPPING=1", "X_EDGECRNN_FRAMES=9"),
    ]


def test_a_label_or_a_name_gives_the_manager_no_orders(manager: Manager) -> None:
    Notifier(manager.environment()).send("STATUS=cat\nMAINPID=1", "X_EDGECRNN_FRAMES=1")
    manager.wait_for("X_EDGECRNN_FRAMES=1")
    assert next(line for _, line in manager.lines) == "STATUS=cat?MAINPID=1"
    # A file's name in another encoding, as Python reads it.
    Notifier(manager.environment()).send("STATUS=caf\udce9", "X_EDGECRNN_FRAMES=2")
    manager.wait_for("X_EDGECRNN_FRAMES=2")


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "x"}],
)
def test_no_manager_is_no_harm(environment: dict[str, str]) -> None:
    notifier = Notifier({**environment})
    notifier.send("READY=1")
    assert notifier.watchdog == 0.0


def test_a_watchdog_that_is_another_process_is_left_alone(manager: Manager) -> None:
    given = manager.environment(watchdog=1.0)
    assert Notifier({**given, "WATCHDOG_PID": "1"}).watchdog == 0.0
    assert Notifier(given).watchdog == 1.0
