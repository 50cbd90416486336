"""Lies on a card's boot volume, and runs on the board at each boot: brings what lies beside it.

Every step may be repeated: where the power was cut, the next boot goes on. Nothing but the standard
library of Python 3.10, run as root (under systemd) or as whoever is to run edgecrnn.
"""

import contextlib
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PAYLOAD = "payload.json"
LOG = "edgecrnn-first-boot.txt"
# Holds the id of what was brought last; for a service where root alone may write.
MARK = "first-boot"
SYSTEM_MARK = "/var/lib/edgecrnn-first-boot"
UNITS = "/etc/systemd/system"
SYSUSERS = "/etc/sysusers.d"
# Whom the first person of a system is: adduser(8) begins to count here.
FIRST_USER = 1000
# A slow card: the wheels are some 100 MB, the environment 290 MB.
PATIENCE = 3600.0  # s
GRACE = 180.0  # s


class ProblemError(Exception):
    """A sentence for the person."""


def file_sha256(file: Path) -> str:
    """Hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_payload(folder: Path) -> Any:
    """What is to be brought, held against its own id: cards and FAT lose bits."""
    try:
        payload = json.loads((folder / PAYLOAD).read_bytes())
        said = {name: value for name, value in payload.items() if name != "id"}
        whole = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
        if payload.get("id") != whole:
            raise ValueError("a damaged one")
    except (OSError, ValueError, AttributeError) as error:
        raise ProblemError(
            f"expected {PAYLOAD} in {folder}, got {error}; write the card again"
        ) from error
    return payload


def check(folder: Path, payload: Any) -> None:
    """The card is whole, and made for this system."""
    here = ".".join(map(str, sys.version_info[:2]))
    if here != payload["python"]:
        raise ProblemError(
            f"expected Python {payload['python']}, got {here}; write the card for this image "
            "(edgecrnn flash --boot-volume DIR --image NAME)"
        )
    for name, digest in payload["files"].items():
        file = folder / name
        if not file.is_file() or file_sha256(file) != digest:
            raise ProblemError(
                f"expected {name} as it was written, got it damaged; write the card again"
            )


class Owner:
    """Whose files edgecrnn's folder holds; `drop` where this is root and that is somebody else."""

    def __init__(self, root: Path, service: bool):
        self.uid, self.gid = os.geteuid(), os.getegid()
        current = root / "current"
        if service and os.geteuid() == 0:
            with contextlib.suppress(KeyError):
                known = current.lstat().st_uid if current.is_symlink() else FIRST_USER
                found = pwd.getpwuid(known)
                self.uid, self.gid = found.pw_uid, found.pw_gid
        self.drop = self.uid != os.geteuid()

    @contextlib.contextmanager
    def acting(self) -> Any:
        """As them: a link that they lay in their folder must not lead root's hand elsewhere."""
        if not self.drop:
            yield
            return
        try:
            os.setegid(self.gid)
            os.seteuid(self.uid)
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def run(self, words: Any, stdin: bytes = b"", **environment: str) -> Any:
        """Run a command as them; the JSON of its last line, or a ProblemError with its sentence."""
        who: Any = {}
        if self.drop:
            found = pwd.getpwuid(self.uid)
            groups = os.getgrouplist(found.pw_name, self.gid)
            who = {"user": self.uid, "group": self.gid, "extra_groups": groups}
        done = subprocess.run(
            list(map(str, words)),
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            cwd="/",
            env={
                "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                "LC_ALL": "C.UTF-8",
                **environment,
            },
            **who,
        )
        lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
        try:
            answer = json.loads(lines[-1])
        except (IndexError, ValueError):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            got = (said or [f"exit code {done.returncode}"])[-1]
            raise ProblemError(f"expected an answer of {words[0]}, got {got!r}") from None
        if "error" in answer:
            raise ProblemError(answer["error"])
        return answer


def copy(source: Path, folder: Path) -> None:
    """Bring a file or a folder into `folder`; what a cut left there is written over."""
    folder.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for each in sorted(source.iterdir()):
            copy(each, folder / source.name)
    else:
        shutil.copyfile(str(source), str(folder / source.name))


def make_root(root: Path, owner: Owner) -> None:
    """Have edgecrnn's folder, and have it theirs."""
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    if owner.drop and root.stat().st_uid == 0:
        os.chown(str(root), owner.uid, owner.gid)


def environment(folder: Path, root: Path, payload: Any, owner: Owner) -> None:
    """Make the environment from the card's wheels, by the card's own pip."""
    name = payload["environment"]
    with owner.acting():
        for wheel in payload["wheels"]:
            copy(folder / "wheels" / wheel["name"], root / "incoming/wheels" / name)
        # Ubuntu's images have no ensurepip: a folder of that name holds pip's wheel.
        copy(folder / "ensurepip", root / "incoming/pip")
    script = (folder / "environment.py").read_bytes()
    words = [sys.executable, "-", root, name, json.dumps(payload["wheels"]), "sent"]
    answer = owner.run(words, script, PYTHONPATH=str(root / "incoming/pip"))
    if answer.get("missing"):
        raise ProblemError(
            f"expected {answer['missing'][0]} to be whole, got it damaged on its way"
        )
    with owner.acting():
        shutil.rmtree(str(root / "incoming/pip"), ignore_errors=True)


def install_service(folder: Path, owner: Owner) -> None:
    """Write the units; the one that takes a release back runs as the folder's owner."""
    Path(SYSUSERS).mkdir(exist_ok=True)
    for file in sorted((folder / "units").iterdir()):
        where = UNITS if file.suffix == ".service" else SYSUSERS
        text = file.read_text().replace("\nUser=root\n", f"\nUser={owner.uid}\n")
        beside = Path(where, f".{file.name}")
        beside.write_text(text)
        beside.rename(Path(where, file.name))
    os.sync()
    system("systemd-sysusers")
    system("systemctl", "daemon-reload")
    system("systemctl", "enable", "edgecrnn.service")


def system(*words: str) -> None:
    """A command of the system."""
    done = subprocess.run(words, capture_output=True, timeout=PATIENCE)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ProblemError(f"expected {' '.join(words)} to succeed, got {said!r}")


def bring(folder: Path, step: Any) -> str:
    """Everything, as far as it is not there yet; a line that tells what runs now."""
    payload = read_payload(folder)
    root = Path(payload["root"])
    mark = Path(SYSTEM_MARK) if payload["service"] else root / MARK
    if mark.is_file() and mark.read_text().strip() == payload["id"]:
        return ""
    check(folder, payload)
    owner, name = Owner(root, payload["service"]), payload["release"]
    step("root")
    make_root(root, owner)
    step("environment")
    if not (root / "environments" / payload["environment"] / "complete").is_file():
        environment(folder, root, payload, owner)
    python = root / "environments" / payload["environment"] / "bin/python"
    agent = [python, "-I", "-m", "edgecrnn.runtime.board", "--root", root]
    step("release")
    if not (root / "releases" / name).is_dir():
        with owner.acting():
            for file in sorted((folder / "release").iterdir()):
                copy(file, root / "incoming" / name)
    step("install")
    owner.run([*agent, "install", name, "--pin", payload["key"]])
    step("service")
    owner.run([*agent, "service", "systemd" if payload["service"] else "plain"])
    if payload["service"]:
        install_service(folder, owner)
    step("switch")
    owner.run([*agent, "switch", name, *payload["switch"]])
    step("start")
    if payload["service"]:
        system("systemctl", "--no-block", "start", "edgecrnn.service")
    step("watch")
    found = watched(owner, [*agent, "outcome", name, "--wait", "10"], payload["patience"])
    step("mark")
    beside = mark.with_name(f".{mark.name}")
    beside.write_text(f"{payload['id']}\n")
    beside.rename(mark)
    os.sync()
    step("marked")
    return f"{payload['name']} runs: {found['frames']} frames classified (release {name})"


def watched(owner: Owner, words: Any, patience: float) -> Any:
    """The release is well, or a ProblemError says why not."""
    until = time.monotonic() + patience + GRACE
    while (found := owner.run(words))["outcome"] == "waiting" and time.monotonic() < until:
        time.sleep(1)
    if found["outcome"] != "healthy":
        why = found["reason"] or found["outcome"]
        raise ProblemError(
            f"expected it to classify, but it was taken back: {why}; the next boot tries again"
        )
    return found


def stop_at(name: str) -> None:
    """A stop before each step, for the test that kills it there: EDGECRNN_STOP_AT names one."""
    while name == os.environ.get("EDGECRNN_STOP_AT"):
        print(f"stopped at {name}", flush=True)
        time.sleep(60)


def tell(folder: Path, line: str) -> None:
    """To the journal, and to a file on the card that any computer can read."""
    print(line, flush=True)
    with contextlib.suppress(OSError), (folder.parent / LOG).open("a") as opened:
        opened.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")
        opened.flush()
        os.fsync(opened.fileno())


def main(where: str) -> int:
    """0 done, or nothing to do; 1 with a sentence."""
    folder = Path(where).absolute()
    try:
        said = bring(folder, stop_at)
    except (ProblemError, OSError, subprocess.SubprocessError) as error:
        tell(folder, f"edgecrnn: {error}")
        return 1
    if said:
        tell(folder, f"edgecrnn: {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
