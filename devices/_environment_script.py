"""Sent to a board on standard input of its python3, and run there: makes a virtual environment.

It is made in place, since a virtual environment cannot be moved, and counts once the file
`complete` is in it. Nothing but the standard library of Python 3.10.
"""

import contextlib
import ensurepip
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# Wheels of 100 MB take a Raspberry Pi 3 about five minutes; a second one waits for the first.
PATIENCE = 1500.0  # s
GLANCE = 0.2  # s
CHUNK = 1 << 20


class ProblemError(Exception):
    """A sentence for the person."""


def file_sha256(file: Path) -> str:
    """Hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def lacking(folder: Path, wheels: Any) -> Any:
    """Names of the wheels that must be sent still; what cannot become one of them is deleted."""
    found = []
    for wheel in wheels:
        file = folder / wheel["name"]
        size = file.stat().st_size if file.is_file() else -1
        if size == wheel["size"] and file_sha256(file) == wheel["sha256"]:
            continue
        found.append(wheel["name"])
        if size >= wheel["size"]:
            file.unlink()
    return found


def install(folder: Path, incoming: Path, wheels: Any, index: bool) -> None:
    """Make the environment from what was sent, and from the board's package index."""
    pip = bundled_pip()
    words = [sys.executable, "-m", "venv", *(["--without-pip"] if pip else []), str(folder)]
    run(words, "python3 to make a virtual environment")
    lines = []
    for wheel in wheels:
        name, version = wheel["name"].split("-")[:2]
        sent = f"{name} @ {(incoming / wheel['name']).as_uri()}"
        what = sent if wheel["sent"] else f"{name}=={version}"
        lines.append(f"{what} --hash=sha256:{wheel['sha256']}")
    listed = folder / "requirements.txt"
    listed.write_text("\n".join([*lines, ""]))
    # Without a cache: on a board it would be the wheels once more.
    words = [str(folder / "bin/python"), *(pip or ["-m", "pip"]), "install", "--quiet"]
    words += [
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--no-deps",
        "--require-hashes",
    ]
    words += ["--only-binary=:all:", *([] if index else ["--no-index"])]
    mend = "pip to install the wheels"
    run([*words, "--requirement", str(listed)], mend)


def bundled_pip() -> Any:
    """Words that run the pip that Python brings for ensurepip; to install it first takes 10 s."""
    found = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    return [str(found[-1] / "pip")] if found else []


def run(words: Any, wanted: str) -> None:
    """Run a command, or a ProblemError with its last line."""
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=english)
    if done.returncode == 0:
        return
    text = (done.stderr + done.stdout).decode("utf-8", "replace")
    if re.search(r"No space left on device|Disk quota exceeded", text):
        raise ProblemError("expected room for the environment, got a full disk; free 800 MB there")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line[7:] for line in lines if line.startswith("ERROR: ")]
    got = (errors or lines[-1:] or [f"exit code {done.returncode}"])[-1]
    more = "; see that the board reaches its package index, or send the wheels with --offline"
    raise ProblemError(f"expected {wanted}, got {got!r}{'' if 'venv' in words else more}")


def make(root: Path, name: str, wheels: Any, index: bool, patience: float) -> Any:
    """Answer whether it was made, or which wheels must be sent before it can be."""
    folder, incoming = root / "environments" / name, root / "incoming" / "wheels" / name
    if (folder / "complete").is_file():
        return {"made": False}
    incoming.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.parent / f"{name}.lock", patience):
        # Somebody else may have made it meanwhile.
        if (folder / "complete").is_file():
            return {"made": False}
        missing = lacking(incoming, [wheel for wheel in wheels if wheel["sent"]])
        if missing:
            return {"missing": missing}
        # What a kill or a power cut left is no environment.
        shutil.rmtree(str(folder), ignore_errors=True)
        try:
            install(folder, incoming, wheels, index)
            shutil.rmtree(str(incoming), ignore_errors=True)
            # One call for its thousands of files: to sync each takes an SD card minutes.
            os.sync()
            finish(folder)
        except BaseException:
            shutil.rmtree(str(folder), ignore_errors=True)
            raise
    return {"made": True}


def finish(folder: Path) -> None:
    """Write `complete`, and have it on the disk."""
    beside = folder / ".complete"
    with beside.open("w") as opened:
        opened.flush()
        os.fsync(opened.fileno())
    beside.rename(folder / "complete")
    for each in (folder, folder.parent):
        descriptor = os.open(str(each), os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


@contextlib.contextmanager
def locked(file: Path, patience: float) -> Any:
    """Alone with one environment; the lock ends with its process."""
    until = time.monotonic() + patience
    descriptor = os.open(str(file), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise ProblemError(
                        "expected to make the environment, got somebody else who has been at it "
                        f"for {patience:g} s; wait until that has ended"
                    ) from error
                time.sleep(GLANCE)
        yield
    finally:
        os.close(descriptor)


def main(root: str, name: str, wheels: str, network: str, patience: str = "") -> None:
    """Print one line of JSON: {"made": bool}, {"missing": [names]} or {"error": sentence}."""
    try:
        where = Path(root).expanduser().absolute()
        listed, wait = json.loads(wheels), float(patience or PATIENCE)
        answer = make(where, name, listed, network == "index", wait)
    except ProblemError as error:
        answer = {"error": str(error)}
    except OSError as error:
        # What fails while wheels are looked at or folders made: a full disk, a read-only one.
        answer = {"error": f"expected to write into {root}, got {error.strerror}"}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
