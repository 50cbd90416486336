"""The steps of a flash, in their order: each looks at what is known and does what is missing."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgecrnn.devices import flash_service, keys
from edgecrnn.devices.agent import Agent
from edgecrnn.devices.environment import make_environment
from edgecrnn.devices.flash_facts import Known, came_signed
from edgecrnn.devices.flash_settings import FlashSettings
from edgecrnn.devices.transfer import send
from edgecrnn.runtime.board.release import BUNDLE, FILES, RELEASE, SIGNATURE
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import file_sha256
from edgecrnn.runtime.signature import claimed, key_id, sign

# One answer of the board while it watches a release; its link may be slow.
_GLANCE = 10.0  # s
# The board gives up on its own after this much more than the patience it was told.
_GRACE = 120.0  # s
_ROUNDS = 3
_INSTALLS = 600.0  # s: a self-test on a slow board, a delegate that compiles


@dataclass(frozen=True)
class Did:
    """What a step came to: a line for the person, and facts for the report."""

    said: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: of it.
        said: what is there already, or what it would do.
        commands: what the board is told by it.
        do: does it; None where nothing is missing.
    """

    name: str
    said: str
    commands: tuple[str, ...] = ()
    do: Callable[[], Did] | None = None


def steps(known: Known, settings: FlashSettings) -> list[Step]:
    """Everything between what is known and the release running well.

    Raises:
        EdgecrnnError: a signature came with the bundle that does not hold.
    """
    name, agent = known.release.id, _agent(known)
    if known.runs_already:
        words = ("environment", "sign", "send", "receive-check", "install", "switch", "watch")
        return [*(Step(word, "nothing to do") for word in words), Step("prune", "nothing to do")]
    there = known.has("releases", name)
    found = [_folder(known)] if settings.service else []
    found.append(_environment(known, settings))
    if there:
        found += [Step(word, "the board has it") for word in ("sign", "send", "receive-check")]
    else:
        found += [_sign(known, settings), _send(known), _receive_check(known, agent)]
    return [
        *found,
        _install(known, settings, agent, there),
        *([_service(known, settings, agent)] if settings.service else ()),
        _switch(known, settings, agent),
        _watch(known, settings, agent),
        _prune(agent),
    ]


def _agent(known: Known) -> Agent:
    """The one that comes with what is new."""
    return Agent(known.shell, known.root, f"environments/{known.environment}")


def _environment(known: Known, settings: FlashSettings) -> Step:
    name = known.environment
    if known.has("environments", name):
        return Step("environment", f"{name} is there")

    def do() -> Did:
        made = make_environment(known.shell, known.root, name, known.wheels, settings.offline)
        said = f"{name} was made" if made.made else f"{name} is there"
        return Did(said, {"sent": made.sent})

    where = "sent from here" if settings.offline else "fetched by the board"
    mode = "sent" if settings.offline else "index"
    return Step(
        "environment",
        f"{name}, {len(known.wheels)} wheels {where}",
        (
            f"rsync {_what_is_sent(known, settings)} {known.root}/incoming/wheels/{name}/",
            shlex.join(["python3", "-", known.root, name, "WHEELS", mode]),
        ),
        do,
    )


def _what_is_sent(known: Known, settings: FlashSettings) -> str:
    own = [name for name in known.wheels if settings.offline or name.startswith("edgecrnn-")]
    return " ".join(own) if len(own) == 1 else f"{len(own)} wheels"


def _sign(known: Known, settings: FlashSettings) -> Step:
    if came_signed(known, settings):
        data = (known.outbox / SIGNATURE).read_bytes()
        return Step("sign", f"came signed by {key_id(claimed(data, SIGNATURE).key)}")
    wanted = settings.key or keys.DEFAULT
    new = not settings.key and not (keys.keys_folder() / f"{wanted}.key").exists()

    def do() -> Did:
        if new:
            keys.new_key(wanted)
        key, private = keys.load_key(wanted)
        (known.outbox / SIGNATURE).write_bytes(sign(known.outbox / BUNDLE, private))
        made = f", which was made now: keep a copy of {key.file}" if new else ""
        identity = key_id(key.public)
        return Did(f"with the key {wanted} ({identity}){made}", {"key_id": identity})

    return Step("sign", f"with the key {wanted}{', which is made' if new else ''}", (), do)


def _send(known: Known) -> Step:
    folder = f"{known.root}/incoming/{known.release.id}"

    def do() -> Did:
        (known.outbox / RELEASE).write_bytes(known.release.to_bytes())
        agent, sent = _agent(known), 0
        lacking = _lacking(known, agent)
        for _ in range(_ROUNDS):
            if not lacking:
                return Did(f"{sent / 1e6:.1f} MB", {"sent": sent})
            sent += send(known.shell, [known.outbox / name for name in lacking], folder)
            # A file of the same size and other content was there; it has been deleted now.
            lacking = _lacking(known, agent)
        raise EdgecrnnError(
            f"{known.shell.name}: expected the files to arrive as they are, got "
            f"{', '.join(lacking)} changed on the way {_ROUNDS} times; start again"
        )

    size = (known.outbox / BUNDLE).stat().st_size
    return Step(
        "send", f"{size / 1e6:.1f} MB to {folder}", (f"rsync {' '.join(FILES)} {folder}/",), do
    )


def _lacking(known: Known, agent: Agent) -> list[str]:
    """Names of the files that the board has not got whole."""
    listed = {
        name: {
            "sha256": file_sha256(known.outbox / name),
            "size": (known.outbox / name).stat().st_size,
        }
        for name in FILES
    }
    asked = json.dumps({"files": listed}).encode()
    answer = agent.call("receive-check", known.release.id, stdin=asked)
    return sorted({*answer["missing"], *answer["partial"], *answer["wrong"]})


def _receive_check(known: Known, agent: Agent) -> Step:
    def do() -> Did:
        if lacking := _lacking(known, agent):
            raise EdgecrnnError(
                f"{known.shell.name}: expected the files to stay as they were sent, got "
                f"{', '.join(lacking)} missing; see that nobody else flashes the board"
            )
        return Did(f"{len(FILES)} files as they were sent")

    command = agent.text("receive-check", known.release.id)
    return Step("receive-check", "hashes of what was sent", (command,), do)


def _install(known: Known, settings: FlashSettings, agent: Agent, there: bool) -> Step:
    words = ["install", known.release.id]
    words += ["--allow-downgrade"] if settings.allow_downgrade else []

    def do() -> Did:
        pin: list[str] = []
        if not there:
            signature = (known.outbox / SIGNATURE).read_bytes()
            pin = ["--pin", claimed(signature, SIGNATURE).key]
        answer = agent.call(*words, *pin, seconds=_INSTALLS)
        facts = {"selftest": answer["selftest"], "key_id": answer["key_id"]}
        return Did(_proven(answer), facts)

    shown = agent.text(*words, *([] if there else ["--pin", "KEY"]))
    return Step("install", "signature, golden frames and time of a step", (shown,), do)


def _proven(answer: Mapping[str, Any]) -> str:
    tested = answer["selftest"]
    first = f"its key {answer['key_id']} is trusted from now on; " if answer["pinned"] else ""
    if tested is None:
        return f"{first}the board has it"
    off, most = tested["golden_difference"], tested["tolerance"]
    golden = "no golden frames" if off is None else f"golden frames off by {off:.2g} of {most:.2g}"
    return (
        f"{first}signature holds; {golden}; a step takes {tested['p95_ms']:.2f} ms "
        f"({tested['variant']} on {tested['delegate']})"
    )


def _folder(known: Known) -> Step:
    flash_service.check_owner(known.shell, known.root, known.facts.user)
    if known.facts.writable:
        return Step("folder", f"{known.root} is there")
    command = flash_service.folder_command(known.root, known.facts.user)

    def do() -> Did:
        flash_service.sudo(known.shell, command)
        return Did(f"{known.root}, which belongs to {known.facts.user}")

    return Step("folder", known.root, (shlex.join(command),), do)


def _service(known: Known, settings: FlashSettings, agent: Agent) -> Step:
    delegates = [settings.delegate] if settings.delegate else []
    wanted = flash_service.wanted_service(known.root, known.facts.user, delegates)
    differ = flash_service.differing(known.shell, wanted)
    if not differ and known.status is not None and known.status.get("service") == "systemd":
        return Step("service", "is as it should be")

    def do() -> Did:
        return Did(flash_service.take_over(known.shell, wanted, differ, agent))

    told = flash_service.commands(wanted, differ)
    return Step("service", "a systemd service", tuple(map(shlex.join, told)), do)


def _switch(known: Known, settings: FlashSettings, agent: Agent) -> Step:
    words = ["switch", known.release.id, "--patience", str(settings.patience)]
    words += ["--frames", str(settings.frames)]

    def do() -> Did:
        answer = agent.call(*words)
        if settings.service:
            flash_service.sudo(known.shell, flash_service.start_command())
        return Did("begun; the board watches it" if answer["switching"] else answer["why"])

    before = known.current or "nothing"
    said = f"from {before} to {known.release.id}"
    if known.current == known.release.id:
        said = f"start {known.release.id} again"
    told = [agent.text(*words)]
    told += [shlex.join(flash_service.start_command())] if settings.service else []
    return Step("switch", said, tuple(told), do)


def _watch(known: Known, settings: FlashSettings, agent: Agent) -> Step:
    words = ["outcome", known.release.id, "--wait", f"{_GLANCE:g}"]

    def do() -> Did:
        until = time.monotonic() + settings.patience + _GRACE
        while True:
            answer = agent.call(*words)
            if answer["outcome"] == "healthy":
                return Did(f"healthy: {answer['frames']} frames classified", dict(answer))
            if answer["outcome"] == "rolled back":
                return Did(f"taken back: {answer['reason']}", dict(answer))
            if answer["outcome"] == "none" or time.monotonic() > until:
                raise EdgecrnnError(
                    f"{known.shell.name}: expected {known.release.id} to be watched by the board, "
                    f"got {answer['outcome']}; see edgecrnn logs {known.shell.name} --flash"
                )

    said = f"until {settings.frames} frames are classified, {settings.patience} s at most"
    return Step("watch", said, (agent.text(*words),), do)


def _prune(agent: Agent) -> Step:
    def do() -> Did:
        removed = agent.call("prune")["removed"]
        return Did(f"removed {', '.join(removed)}" if removed else "nothing to remove")

    return Step("prune", "all but the newest two releases", (agent.text("prune"),), do)
