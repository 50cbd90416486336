"""What a person sees of the command line itself."""

from __future__ import annotations

import errno
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from edgecrnn import __version__, cli
from edgecrnn.runtime.errors import EdgecrnnError


def edgecrnn(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real program."""
    return subprocess.run(
        [sys.executable, "-m", "edgecrnn", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=source_environment(),
    )


def source_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`edgecrnn devices` replaced by a command that raises `failing.error`."""
    holder = SimpleNamespace(error=None)

    def execute(args: object) -> int:
        raise holder.error

    module = ModuleType("edgecrnn.cli.devices")
    module.__dict__.update(configure=lambda parser: None, execute=execute)
    monkeypatch.setitem(sys.modules, "edgecrnn.cli.devices", module)
    return holder


def no_home() -> Exception:
    """What pathlib raises for a user without one."""
    with pytest.raises(RuntimeError) as raised:
        Path("~nobody-of-that-name").expanduser()
    return raised.value


def test_help_tells_the_way_in_order() -> None:
    done = edgecrnn("--help")
    listed = re.findall(r"^  ([a-z]+) ", done.stdout.partition("commands:")[2], re.MULTILINE)
    assert done.returncode == 0 and not done.stderr
    assert listed == list(cli.COMMANDS) and listed[:3] == ["train", "convert", "run"]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert edgecrnn().stdout == done.stdout


def test_a_name_that_is_no_utf8_is_printed_as_it_is(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    done = subprocess.run(
        [sys.executable, "-m", "edgecrnn", "keys", "list"],
        capture_output=True,
        timeout=60,
        env={
            **source_environment(),
            "PYTHONIOENCODING": "utf-8:strict",
            "XDG_CONFIG_HOME": os.fsdecode(folder),
        },
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert folder in done.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_where_standard_streams_are_closed_it_does_the_same(tmp_path: Path, closed: str) -> None:
    words = shlex.join(
        [sys.executable, "-m", "edgecrnn", "run", str(tmp_path / "none"), "--source"]
    )
    line = f"exec {words} 0 {closed}"
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=60, env=source_environment()
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert ("expected a bundle" in done.stderr) == ("2>" not in closed)


def test_what_stands_in_a_sentence_steers_no_terminal(
    failing: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = EdgecrnnError("pi@door: its last words: \x1b]0;mine\x07\r\x1b[2J")
    assert cli.main(["devices"]) == 2
    assert capsys.readouterr().err == "edgecrnn: pi@door: its last words: ?]0;mine???[2J\n"


def test_version() -> None:
    done = edgecrnn("--version")
    assert (done.returncode, done.stdout) == (0, f"edgecrnn {__version__}\n")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    text = cli.command_parser(name).format_help()
    assert text.startswith(f"usage: edgecrnn {name} ") and "--debug" in text
    # argparse prints None and empty defaults as they are where a help text asks for them.
    assert "(default: None)" not in text and "%(" not in text


def test_the_frame_imports_nothing_heavy() -> None:
    code = "import edgecrnn.cli, sys; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=source_environment()
    ).stdout
    assert {"numpy", "cv2", "ai_edge_litert", "tensorflow"}.isdisjoint(out.split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["trian"], "got 'trian' (did you mean 'train'?)"),
        (["xyzzy"], "expected a command (train, convert, run, "),
        (
            ["--verison"],
            "unrecognized arguments: --verison (did you mean '--version'?); see edgecrnn --help",
        ),
        (
            ["train", "d", "--out", "r", "--epocs=3"],
            "unrecognized arguments: --epocs=3 (did you mean '--epochs'?); see edgecrnn train",
        ),
        (
            ["data", "check", "d", "--windo", "3"],
            "unrecognized arguments: --windo 3 (did you mean '--window'?); see edgecrnn data",
        ),
        (["devices", "shw"], "invalid choice: 'shw'"),
        (["devices", "show"], "required: NAME; see edgecrnn devices show --help"),
        (["devices", "show", "raspbery-pi-5"], "(did you mean 'raspberry-pi-5'?)"),
    ],
)
def test_a_mistake_is_one_sentence(given: list[str], said: str) -> None:
    done = edgecrnn(*given)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("edgecrnn: ") and said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("given", [["--debug", "devices", "show", "x"], ["devices", "show", "x"]])
def test_debug_shows_the_traceback_before_or_after(given: list[str]) -> None:
    after = edgecrnn(*given) if given[0] == "--debug" else edgecrnn(*given, "--debug")
    assert after.returncode == 2 and "Traceback" in after.stderr
    assert after.stderr.splitlines()[-1].startswith("edgecrnn: device: expected one of")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("tensorflow", 'needs TensorFlow, which is not installed; pip install "edgecrnn[train]"'),
        ("keras.ops", 'needs Keras, which is not installed; pip install "edgecrnn[train]"'),
        ("cv2", 'needs OpenCV, which is not installed; pip install "edgecrnn"'),
    ],
)
def test_a_missing_package_names_its_install(
    failing: SimpleNamespace, capsys: pytest.CaptureFixture[str], module: str, said: str
) -> None:
    failing.error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert cli.main(["devices"]) == 2
    assert capsys.readouterr().err == f"edgecrnn: edgecrnn devices {said}\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EdgecrnnError("expected a, got b"), "expected a, got b"),
        (OSError(errno.ENOSPC, "full", "/x/y"), "/x/y: expected space left on the disk, got none"),
        (OSError(errno.ENOSPC, "full"), "expected space left on the disk, got none"),
        (PermissionError(errno.EACCES, "no", "/x"), "/x: expected to be allowed in there"),
        (no_home(), "expected a home folder of this user, got none"),
    ],
)
def test_what_a_person_can_mend(
    failing: SimpleNamespace, capsys: pytest.CaptureFixture[str], error: Exception, said: str
) -> None:
    failing.error = error
    assert cli.main(["devices"]) == 2
    assert capsys.readouterr().err.startswith(f"edgecrnn: {said}")


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), ModuleNotFoundError("x", name="edgecrnn.cli.gone"), BrokenPipeError()],
)
def test_a_defect_keeps_its_traceback(failing: SimpleNamespace, error: Exception) -> None:
    failing.error = error
    with pytest.raises(type(error)):
        cli.main(["devices"])


def test_an_interrupt_is_quiet(
    failing: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = KeyboardInterrupt()
    assert cli.main(["devices"]) == 130
    assert capsys.readouterr() == ("", "")


def program(body: str) -> list[str]:
    """A program whose `devices` command runs `body`."""
    return [
        sys.executable,
        "-c",
        "import sys, time; from types import ModuleType; from edgecrnn import cli\n"
        "def execute(args):\n"
        f"    {body}\n"
        "made = ModuleType('made'); made.configure = lambda p: None; made.execute = execute\n"
        "sys.modules['edgecrnn.cli.devices'] = made\n"
        "sys.exit(cli.main(['devices']))",
    ]


def test_a_reader_that_leaves_early_is_no_error() -> None:
    body = "[print('line', n) for n in range(100000)]; return 0"
    writer = subprocess.Popen(
        program(body),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=source_environment(),
    )
    assert writer.stdout is not None and writer.stderr is not None
    assert writer.stdout.readline() == b"line 0\n"
    writer.stdout.close()
    assert (writer.wait(30), writer.stderr.read()) == (0, b"")
    writer.stderr.close()


def test_ctrl_c_in_a_real_process() -> None:
    body = "print('here', flush=True); time.sleep(60)"
    running = subprocess.Popen(
        program(body),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=source_environment(),
    )
    assert running.stdout is not None and running.stdout.readline() == b"here\n"
    time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (130, b"")
