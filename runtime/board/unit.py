"""The systemd units of a board: texts alone; who has the rights for it writes them there.

systemd.exec(5), systemd.service(5) and systemd.resource-control(5) tell what each line does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from edgecrnn.runtime.errors import EdgecrnnError

SERVICE = "edgecrnn.service"
ROLLBACK = "edgecrnn-rollback.service"
SYSUSERS = "edgecrnn.conf"
USER = "edgecrnn"

# What a run may need of /dev, by what it is for; a class that the kernel has not is passed over.
DEVICES: Mapping[str, tuple[str, ...]] = {
    "camera": ("char-video4linux", "char-media", "char-dma_heap"),
    "gpu": ("char-drm", "char-dma_heap"),
    "usb": ("char-usb_device",),
    "npu": ("char-accel", "char-drm", "/dev/galcore", "/dev/ethosu0", "char-dma_heap"),
}
# Of a delegate's name; of a library's path nothing is known but that it is some accelerator's.
_DEVICE_OF: Mapping[str, str] = {"cpu": "camera", "gpu": "gpu", "edgetpu": "usb"}
# Debian and Ubuntu give their devices to these groups; a group that is not there is made.
_GROUPS = ("video", "render", "plugdev")

# Every line with its reason. Nothing here keeps a run from its camera, its network or its state.
_HARDENING = (
    ("NoNewPrivileges=yes", "a set-uid program gives nothing"),
    ("CapabilityBoundingSet=", "none of root's powers, ever"),
    ("AmbientCapabilities=", "and none to begin with"),
    ("ProtectSystem=strict", "the whole system is read-only, the releases too"),
    ("ProtectHome=yes", "no home can be seen"),
    ("PrivateTmp=yes", "a /tmp of its own"),
    ("PrivateMounts=yes", "what is mounted here is seen here alone"),
    ("DevicePolicy=closed", "no device but those below, and /dev/null and its like"),
    ("ProtectClock=yes", "the clock stays as it is"),
    ("ProtectHostname=yes", "the name too"),
    ("ProtectKernelTunables=yes", "/proc/sys and /sys are read-only"),
    ("ProtectKernelModules=yes", "no module is loaded"),
    ("ProtectKernelLogs=yes", "the kernel's log stays closed"),
    ("ProtectControlGroups=yes", "limits cannot be lifted"),
    ("ProtectProc=invisible", "no other user's process is seen"),
    # Not ProcSubset=pid: the interpreter reads /proc/cpuinfo to choose its kernels.
    ("ProcSubset=all", "the interpreter looks at /proc/cpuinfo"),
    ("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK", "udev speaks netlink"),
    ("RestrictNamespaces=yes", "no containers"),
    ("RestrictRealtime=yes", "it cannot starve the board"),
    ("RestrictSUIDSGID=yes", "no set-uid file is made"),
    ("LockPersonality=yes", "no other kernel's habits"),
    ("RemoveIPC=yes", "no shared memory stays behind"),
    ("KeyringMode=private", "no other's keys in the kernel"),
    ("SystemCallArchitectures=native", "no second set of system calls"),
    ("SystemCallFilter=@system-service", "what services call"),
    ("SystemCallFilter=~@privileged @resources", "but nothing that only root needs"),
    ("SystemCallErrorNumber=EPERM", "refused, not killed: libraries try and go on"),
)
_WRITE_EXECUTE = ("MemoryDenyWriteExecute=yes", "no code is written at run time")

_ROOT = re.compile(r"/[A-Za-z0-9._+@-]+(/[A-Za-z0-9._+@-]+)*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
# ProtectHome and PrivateTmp hide these from the service.
_HIDDEN = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/dev", "/proc", "/sys")
# A run may load for 180 s, after a pause of 60 s; the supervisor itself looks every 30 s.
_WATCHDOG = 300  # s
# From SIGTERM: a run that hangs is killed by the supervisor after 10 s.
_STOP = 30  # s
_RESTART = 5  # s
# A supervisor that says nothing for so long hangs; one that waits for a camera says so.
_START = 90  # s
# A supervisor that cannot even start is given up after so many times, and its release taken back.
_STARTS = 5
_WITHIN = 900  # s: more than five starts that hang
_TAKE_BACK = 75


def service_unit(root: str, user: str = USER, devices: Sequence[str] = ("camera",)) -> str:
    """The service that keeps the current release running; its name is to be `SERVICE`.

    Args:
        root: edgecrnn's folder, absolute and in no home; the service's user can read it, no more.
        user: that the service runs as; `sysusers` makes it.
        devices: what a run needs: some of `DEVICES`.

    Raises:
        EdgecrnnError: one of them cannot stand in a unit, or the service could not see it.
    """
    where, who = checked_root(root), _checked_user(user)
    allowed = _allowed(devices)
    # GPU drivers write code at run time: shaders, and LLVM where a CPU stands in.
    jit = {"gpu", "npu"} & set(devices)
    hardening = [*_HARDENING, *([] if jit else [_WRITE_EXECUTE])]
    lines = [
        "[Unit]",
        "Description=edgecrnn: classifies what its camera sees",
        "After=network.target time-sync.target",
        f"ConditionPathExists={where}/current",
        f"OnFailure={ROLLBACK}",
        *_noted(f"StartLimitBurst={_STARTS}", "a supervisor that never starts has failed"),
        f"StartLimitIntervalSec={_WITHIN}",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"User={who}",
        f"ExecStart={_agent(where, 'current')} supervise --state /var/lib/edgecrnn",
        "ExecReload=/bin/kill -HUP $MAINPID",
        *_noted(f"TimeoutStartSec={_START}", "longer where the supervisor says that it waits"),
        *_noted(f"WatchdogSec={_WATCHDOG}", "hears of the supervisor once a run is ready"),
        "WatchdogSignal=SIGABRT",
        *_noted("Restart=on-failure", "a film that has ended does not start again"),
        f"RestartSec={_RESTART}",
        *_noted(f"RestartPreventExitStatus={_TAKE_BACK}", f"{ROLLBACK} takes the release back"),
        *_noted("KillMode=mixed", "the supervisor ends its run gently"),
        f"TimeoutStopSec={_STOP}",
        "StateDirectory=edgecrnn",
        *_noted("StateDirectoryMode=0755", "who logs in reads the log and the health"),
        *_noted("UMask=0022", "the same"),
        "",
        *(line for option, why in hardening for line in _noted(option, why)),
        *(f"DeviceAllow={name} rw" for name in allowed),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ]
    return "\n".join(lines)


def rollback_unit(root: str, owner: str) -> str:
    """The unit that takes a release back where its trial failed; its name is to be `ROLLBACK`.

    Args:
        root: edgecrnn's folder.
        owner: whose files are in it.

    Raises:
        EdgecrnnError: one of them cannot stand in a unit.
    """
    where, who = checked_root(root), _checked_user(owner)
    lines = [
        "[Unit]",
        "Description=edgecrnn: takes back a release that failed its trial",
        "",
        "[Service]",
        "Type=oneshot",
        f"User={who}",
        # The failed release's own environment may be what is broken. A second call does nothing.
        *(
            f"ExecStart=-{_agent(where, link)} rollback --failed"
            for link in ("previous", "current")
        ),
        *_noted("ExecStart=+-/bin/systemctl reset-failed edgecrnn.service", "counts from 0 again"),
        f"ExecStart=+-/bin/systemctl --no-block start {SERVICE}",
        "TimeoutStartSec=120",
        "UMask=0022",
        "",
        *(line for option, why in _HARDENING for line in _noted(option, why)),
        *_noted("PrivateDevices=yes", "it needs no camera"),
        *_noted("PrivateNetwork=yes", "and no network"),
        *_noted("MemoryDenyWriteExecute=yes", "no code is written at run time"),
        f"ReadWritePaths={where}",
        "",
    ]
    return "\n".join(lines)


def sysusers(user: str = USER) -> str:
    """A sysusers.d(5) text that makes the service's user, and puts it into the devices' groups.

    Raises:
        EdgecrnnError: it cannot be a user's name.
    """
    who = _checked_user(user)
    lines = [f'u {who} - "edgecrnn" /var/lib/edgecrnn', *(f"m {who} {g}" for g in _GROUPS)]
    return "\n".join([*lines, ""])


def checked_root(root: str) -> str:
    """`root`, if a service can live in it and it can stand in a unit as it is.

    Raises:
        EdgecrnnError: it cannot.
    """
    if not _ROOT.fullmatch(root) or {".", ".."} & set(root.split("/")):
        raise EdgecrnnError(
            f"root: expected an absolute path of letters, digits and ._+@- for a service, got "
            f"{root!r:.80}; take /opt/edgecrnn"
        )
    if any(root == hidden or root.startswith(f"{hidden}/") for hidden in _HIDDEN):
        raise EdgecrnnError(
            f"root: expected a folder that the service's user can see, got {root!r}; "
            "take /opt/edgecrnn"
        )
    return root


def _checked_user(user: str) -> str:
    if not _USER.fullmatch(user):
        raise EdgecrnnError(
            f"user: expected a name of small letters, digits, dash and underscore, got {user!r:.60}"
        )
    return user


def _allowed(devices: Sequence[str]) -> list[str]:
    for name in devices:
        if name not in DEVICES:
            raise EdgecrnnError(f"devices: expected some of {', '.join(DEVICES)}, got {name!r:.60}")
    return sorted({node for name in devices for node in DEVICES[name]})


def _agent(root: str, link: str) -> str:
    python = f"{root}/{link}/environment/bin/python"
    return f"{python} -I -m edgecrnn.runtime.board --root {root}"


def _noted(option: str, why: str) -> tuple[str, str]:
    """A unit's comments stand in lines of their own."""
    return f"# {why}", option


def devices_for(delegates: Sequence[str]) -> tuple[str, ...]:
    """What of `DEVICES` a run on these delegates needs, beside its camera."""
    found = {_DEVICE_OF.get(name, "npu") for name in delegates}
    return ("camera", *sorted(found - {"camera"}))
