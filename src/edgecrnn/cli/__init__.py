"""The command line: a table of commands, and what a person sees when one fails."""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import select
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from edgecrnn import __version__
from edgecrnn.cli.memory import is_lack_of_memory, limit_note
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.printable import printable
from edgecrnn.runtime.settings import nearest

# In the order in which a person needs them; each is a module of this package, imported when called.
COMMANDS = {
    "train": "train a CRNN from a folder of pictures or clips",
    "convert": "turn a run or any Keras classifier into a certified int8 bundle",
    "run": "classify live from a camera, a video, a folder or a network stream",
    "sources": "list the cameras and programs here that run --source can read",
    "demo": "the whole way on data that comes with the package",
    "data": "look through a data folder before training on it",
    "evaluate": "judge a run or a bundle on clips and on endless streams",
    "replay": "decide a recorded clip again, beside what was decided live",
    "crossval": "train and judge on several splits: how much of a score is luck",
    "compare": "set several runs side by side, with what is more than chance",
    "explain": "show where and when a model saw what it decided by",
    "index": "make a folder of pictures searchable by likeness",
    "search": "find the pictures of an index that are most like one",
    "compress": "turn pictures into small files, with a bundle of the task compress",
    "decompress": "turn those files into pictures again",
    "generate": "make new pictures of noise, with a bundle of the task generate",
    "bench": "measure the time of a frame and the cost of the live loop",
    "flash": "bring a bundle onto a board: signed, proven there, else taken back",
    "status": "which release runs on a board, and how it does",
    "rollback": "go back to the release that ran on a board before",
    "logs": "show what the run on a board printed",
    "keys": "make and show signing keys, and have a board trust one",
    "devices": "list, show and check device profiles, and ask a board what it is",
}

_MISTAKE = 2
_INTERRUPTED = 130
# Modules that an install may lack: what a person calls them, and what brings them.
_INSTALLS = {
    "ai_edge_litert": ("ai-edge-litert", "edgecrnn"),
    "ai_edge_quantizer": ("ai-edge-quantizer", "edgecrnn[train]"),
    "cryptography": ("cryptography", "edgecrnn[flash]"),
    "cv2": ("OpenCV", "edgecrnn"),
    "gevent": ("pyinfra", "edgecrnn[fleet]"),
    "jinja2": ("Jinja2", "edgecrnn[train]"),
    "keras": ("Keras", "edgecrnn[train]"),
    "markupsafe": ("MarkupSafe", "edgecrnn[train]"),
    "numpy": ("NumPy", "edgecrnn"),
    "pyinfra": ("pyinfra", "edgecrnn[fleet]"),
    "tensorflow": ("TensorFlow", "edgecrnn[train]"),
    "voyager": ("voyager", "edgecrnn[search]"),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, as every other error of a person's making."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; a flag that is none gets the nearest one named."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            flag = next((each for each in unknown if each.startswith("--")), "")
            meant = nearest(flag.partition("=")[0], _flags(self)) if flag else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")
        return parsed

    def error(self, message: str) -> NoReturn:
        raise EdgecrnnError(f"{message}; see {self.prog} --help")


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    """Every --flag of a parser and of the actions below it."""
    below = [
        each
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for each in action.choices.values()
    ]
    own = [flag for flag in parser._option_string_actions if flag.startswith("--")]
    return own + [flag for each in below for flag in _flags(each)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 a mistake that the person can mend, 130 interrupted.

    Every other exception is a defect of edgecrnn: exit code 1, with its traceback.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    rest = given[: given.index("--")] if "--" in given else given
    debug = "--debug" in rest
    arguments = [a for a in rest if a != "--debug"] + given[len(rest) :]
    command = "edgecrnn"
    _have_streams()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A file's name that is no UTF-8 leaves as it came.
        sys.stdout.reconfigure(errors="surrogateescape")
    try:
        if not arguments or arguments[0].startswith("-"):
            return _general(arguments)
        if arguments[0] not in COMMANDS:
            raise EdgecrnnError(_unknown(arguments[0]))
        command = f"edgecrnn {arguments[0]}"
        code = _run(arguments[0], arguments[1:])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_left():
            return 0
        sentence = _sentence(error, command)
        if sentence is None:
            raise
        if debug:
            traceback.print_exc()
        # A board's last words may stand in it, or a label.
        told = "\n".join(map(printable, sentence.split("\n")))
        print(f"edgecrnn: {told}", file=sys.stderr)
        return _MISTAKE


def _have_streams() -> None:
    """Have standard input, output and error, where whoever started this process closed some.

    The next file that is opened would take their numbers, and what libraries print go into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest number that is free, which is its own.
            nothing = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nothing, True)
            setattr(sys, name, os.fdopen(nothing, "w" if number else "r"))


def command_parser(name: str) -> argparse.ArgumentParser:
    """The parser of one command, with all its flags."""
    parser = _Parser(
        prog=f"edgecrnn {name}",
        description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
        allow_abbrev=False,
    )
    importlib.import_module(f"edgecrnn.cli.{name}").configure(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _run(name: str, arguments: list[str]) -> int:
    if note := limit_note():
        print(f"edgecrnn: {note}", file=sys.stderr, flush=True)
    module = importlib.import_module(f"edgecrnn.cli.{name}")
    rest: list[str] = []
    if getattr(module, "TAKES_REST", False) and "--" in arguments:
        cut = arguments.index("--")
        arguments, rest = arguments[:cut], arguments[cut + 1 :]
    args = command_parser(name).parse_args(arguments)
    args.rest = rest
    code: int = module.execute(args)
    return code


def _general(arguments: list[str]) -> int:
    parser = _Parser(
        prog="edgecrnn",
        usage="edgecrnn COMMAND ...",
        description="Train a CRNN, convert it to int8, classify live on a small Linux board.",
        epilog=_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"edgecrnn {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.parse_args(arguments)
    parser.print_help()
    return 0


def _table() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    return f"commands:\n{rows}\n\nedgecrnn COMMAND --help tells the rest."


def _reader_left() -> bool:
    """Whether standard output's reader (head, less) closed it; then nothing more is written."""
    try:
        output = sys.stdout.fileno()
    except OSError:
        return False
    poll = select.poll()
    poll.register(output, 0)
    if not any(events & select.POLLERR for _, events in poll.poll(0)):
        return False
    # Python flushes once more at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


def _unknown(name: str) -> str:
    known = tuple(COMMANDS)
    return f"expected a command ({', '.join(known)}), got {name!r}{nearest(name, known)}"


def _sentence(error: Exception, command: str) -> str | None:
    """What to tell the person, or None where the exception is a defect."""
    if isinstance(error, EdgecrnnError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        missing = (error.name or "").partition(".")[0]
        if missing in _INSTALLS:
            known, install = _INSTALLS[missing]
            return f'{command} needs {known}, which is not installed; pip install "{install}"'
    if is_lack_of_memory(error):
        return "expected memory, got none left; stop other programs, or raise the limit (ulimit -v)"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}expected space left on the disk, got none; free some and start again"
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return "expected a folder with room for temporary files, got none; name one in TMPDIR"
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        # pathlib's word for a user without one, as containers make them.
        return "expected a home folder of this user, got none; name one in HOME"
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename}: expected to be allowed in there, got permission denied"
    if isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.EROFS):
        return f"{error.filename}: {error.strerror}; choose another path"
    return None
