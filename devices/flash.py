"""Bringing a release onto a board: ask, refuse or plan, then step by step until it runs well."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from edgecrnn.devices.flash_facts import Known, Resolve, ask, resolve
from edgecrnn.devices.flash_settings import Flashed, FlashSettings, Outcome, Stepped
from edgecrnn.devices.flash_steps import Did, Step, steps
from edgecrnn.devices.ssh import SshShell, connect
from edgecrnn.runtime.errors import EdgecrnnError

Say = Callable[[str], None]


def flash(
    settings: FlashSettings,
    host: str,
    say: Say = lambda line: None,
    resolved: Resolve = resolve,
) -> Flashed:
    """Have a bundle run on a board; where it does, nothing is done.

    Whatever is killed meanwhile, the board runs the release before or the new one, whole, and the
    next call goes on from there.

    Args:
        settings: what, and how.
        host: USER@HOST, as ssh takes it.
        say: is told each step once it is done, "NAME: what it came to".
        resolved: gives the wheels for the board; a fleet asks once for many.

    Raises:
        EdgecrnnError: a step was refused or failed; the sentence says the mend.
    """
    with (
        tempfile.TemporaryDirectory(prefix="edgecrnn-") as outbox,
        connect(host, settings.ssh) as shell,
    ):
        if not isinstance(shell, SshShell):
            raise EdgecrnnError(
                f"HOST: expected a board to reach by ssh, got {host!r}; give USER@HOST"
            )
        known = ask(shell, settings, Path(outbox), say, resolved)
        planned = steps(known, settings)
        if settings.dry_run:
            return _planned(known, host, planned, say)
        return _taken(known, host, planned, say)


def _planned(known: Known, host: str, planned: Iterable[Step], say: Say) -> Flashed:
    """Tell what would be done."""
    told = []
    for step in planned:
        told.append(Stepped(step.name, step.do is not None, step.said, step.commands))
        would = "" if step.do is None else "would: "
        say(f"{step.name}: {would}{step.said}")
        for command in step.commands if step.do else ():
            say(f"    {command}")
    outcome: Outcome = "planned" if any(step.changed for step in told) else "unchanged"
    return _flashed(known, host, outcome, told, {})


def _taken(known: Known, host: str, planned: Iterable[Step], say: Say) -> Flashed:
    """Do what is missing."""
    done: list[Stepped] = []
    facts: dict[str, Any] = {}
    for stepped, did in _each(planned):
        say(f"{stepped.name}: {stepped.said}")
        done.append(stepped)
        sent = facts.get("sent", 0) + did.facts.get("sent", 0)
        facts = {**facts, **did.facts, "sent": sent}
        if facts.get("outcome") == "rolled back":
            break
    changed = any(step.changed for step in done)
    outcome: Outcome = facts.get("outcome", "healthy") if changed else "unchanged"
    return _flashed(known, host, outcome, done, facts)


def _each(planned: Iterable[Step]) -> Iterator[tuple[Stepped, Did]]:
    for step in planned:
        began = time.monotonic()
        did = Did(step.said) if step.do is None else step.do()
        seconds = round(time.monotonic() - began, 3)
        changed = step.do is not None
        yield Stepped(step.name, changed, did.said, step.commands, seconds), did


def _flashed(
    known: Known, host: str, outcome: Outcome, done: list[Stepped], facts: dict[str, Any]
) -> Flashed:
    kept = {field.name for field in dataclasses.fields(Flashed)} - {"outcome"}
    found = {name: value for name, value in facts.items() if name in kept}
    found["log"] = tuple(found.get("log", ()))
    before = known.current
    return Flashed(
        host=host,
        outcome=outcome,
        release=known.release.id,
        environment=known.environment,
        profile=known.profile.name,
        previous=before,
        steps=tuple(done),
        notes=known.notes,
        running=known.release.id if outcome == "healthy" else before,
        **found,
    )
