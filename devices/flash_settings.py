"""What a flash is told, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgecrnn.devices.ssh import SshSettings
from edgecrnn.runtime.settings import check, setting

Outcome = Literal["unchanged", "planned", "healthy", "rolled back"]


@dataclass(frozen=True)
class FlashSettings:
    """What is brought onto a board, and how it runs there."""

    bundle: str = setting("", "file that convert wrote")
    camera: str = setting("0", "what is classified: the --source of edgecrnn run on the board")
    run: tuple[str, ...] = setting((), "further arguments of edgecrnn run")
    delegate: str = setting("", "what computes there: cpu, gpu, edgetpu ...; the bundle's choice")
    budget: float | None = setting(
        None,
        "most that a step may take there (95th percentile); the time between two frames of the "
        "bundle's frame rate",
        unit="ms",
        least=0.001,
    )
    service: bool = setting(False, "run it as a systemd service, from the next boot on too")
    offline: bool = setting(False, "send all wheels; without it the board fetches them itself")
    allow_downgrade: bool = setting(False, "take a bundle that is older than the one that runs")
    dry_run: bool = setting(False, "tell every step and command, and change nothing there")
    profile: str = setting("", "of the board; the one that fits what it says of itself")
    key: str = setting("", "name of the key that signs; default, made at its first use")
    root: str = setting(
        "", "edgecrnn's folder there; ~/.local/share/edgecrnn, or /opt/edgecrnn for a service"
    )
    patience: int = setting(60, "until it must classify", unit="s", least=1, most=3600)
    frames: int = setting(30, "that it must classify to be kept", least=1, most=100_000)
    ssh: SshSettings = field(default_factory=SshSettings)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Stepped:
    """A step that was taken, or was not needed; commands are what the board was told."""

    name: str
    changed: bool
    said: str
    commands: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Flashed:
    """What a flash came to; `--json` prints exactly this.

    Attributes:
        host: as it was given.
        outcome: "unchanged" where that very release ran already, "planned" in a dry run,
            "rolled back" where the board took the release back.
        release: its id.
        environment: id of its environment.
        profile: name of the board's profile.
        previous: id of the release that ran before; None where there was none.
        steps: all of them in their order.
        notes: what is worth knowing and hinders nothing.
        sent: bytes that went to the board as files.
        key_id: of the key that signed; empty where nothing was signed.
        selftest: what the golden frames on the board came to; None where they were not run.
        frames: classified by the release when it was found healthy.
        reason: why it was taken back.
        log: its last lines then.
        running: id of the release that runs now.
    """

    host: str
    outcome: Outcome
    release: str
    environment: str
    profile: str
    previous: str | None
    steps: tuple[Stepped, ...]
    notes: tuple[str, ...] = ()
    sent: int = 0
    key_id: str = ""
    selftest: Mapping[str, Any] | None = None
    frames: int = 0
    reason: str = ""
    log: tuple[str, ...] = ()
    running: str | None = None
