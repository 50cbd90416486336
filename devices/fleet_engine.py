"""pyinfra's part in a fleet: its inventory merges settings, its pool and state run a wave.

pyinfra brings gevent, so this module is imported by a fleet's run alone. gevent's patches are never
applied: each board's flash runs in a thread of its own, with the usual processes and sockets.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gevent.threadpool import ThreadPool
from pyinfra.api import Config, FunctionCommand, Host, Inventory, State, operation
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import add_op
from pyinfra.api.operations import run_ops

from edgecrnn.devices.fleet_file import FleetFile

Work = Callable[[str], bool]
# Groups are keywords of Inventory beside its own; a person may call one "self".
_GROUP = "group:"


def merged(file: FleetFile, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of each host: what is given wins over its own, its groups', those of all."""
    groups = {
        f"{_GROUP}{name}": ([each.host for each in file.hosts if name in each.groups], dict(values))
        for name, values in file.groups.items()
    }
    hosts = [(each.host, dict(each.settings)) for each in file.hosts]
    found = Inventory((hosts, dict(file.everywhere)), override_data=dict(given), **groups)
    return {host.name: host.data.dict() for host in found}


def run_wave(hosts: Sequence[str], work: Work) -> set[str]:
    """Run `work` for every host, at once as far as pyinfra's pool goes (20 for each core).

    Args:
        hosts: at least one.
        work: called in a thread with a host; it must not raise.

    Returns:
        the hosts for which it was not True.
    """
    state = State(Inventory((list(hosts), {})), Config(), check_for_changes=False)
    for host in state.inventory:
        # Not connected by pyinfra: its paramiko trusts host keys never seen ("accept-new") and
        # reads only part of an ssh configuration; a flash uses the person's own ssh.
        state.activate_host(host)
    with _threads(state.config.PARALLEL) as threads, _silent():
        add_op(state, operation()(_flashes), threads, work)
        # Raised where every host of the wave failed, which the result tells.
        with contextlib.suppress(PyinfraError):
            run_ops(state)
    return {host.name for host in state.failed_hosts}


def _flashes(threads: ThreadPool, work: Work) -> Iterator[FunctionCommand]:
    yield FunctionCommand(_in_a_thread, (threads, work), {})


def _in_a_thread(state: State, host: Host, threads: ThreadPool, work: Work) -> bool:
    """By its arguments' names pyinfra knows what to pass."""
    done: bool = threads.apply(_shielded, (work, host.name))
    return done


def _shielded(work: Work, host: str) -> bool:
    # Ctrl-C reaches every process of the terminal; ssh and pip inherit this and end their step.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return work(host)


@contextlib.contextmanager
def _threads(most: int) -> Iterator[ThreadPool]:
    threads = ThreadPool(most)
    try:
        yield threads
    finally:
        threads.join()
        threads.kill()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What pyinfra logs of a host is told by the report."""
    log = logging.getLogger("pyinfra")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
