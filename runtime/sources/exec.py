"""Any program that writes frames to its standard output."""

from __future__ import annotations

import re
import shlex
import shutil

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import SourceSettings, parse_size
from edgecrnn.runtime.sources import has_scheme
from edgecrnn.runtime.sources._child import Child
from edgecrnn.runtime.sources._split import FORMATS, Jpegs, Raw, Split

WHAT = "exec:COMMAND"
_RAW = re.compile(r"([A-Za-z0-9_]+):([^:\s]*):(.*)", re.DOTALL)
_MEND = "try the command by itself, or raise --timeout"


def matches(spec: str) -> bool:
    """`exec:` and a command line."""
    return has_scheme(spec, "exec")


def open_source(spec: str, settings: SourceSettings) -> Child:
    """Start the command and wait for a first frame.

    `exec:COMMAND` writes JPEGs one after another, `exec:rgb24:640x480:COMMAND` bare pixels.

    Raises:
        EdgecrnnError: the line is none, there is no such program, or it gives no frame.
    """
    line = spec.removeprefix("exec:")
    split: Split = Jpegs()
    if match := _RAW.fullmatch(line):
        pixels, size, rest = match.groups()
        # A program's name may have a colon in it, but hardly a size behind it.
        if pixels in FORMATS or parse_size(size):
            wanted = parse_size(size)
            if wanted is None:
                raise EdgecrnnError(
                    f"source: expected exec:{pixels}:WIDTHxHEIGHT:COMMAND, for example "
                    f"exec:{pixels}:640x480:COMMAND, got the size {size!r}"
                )
            split, line = Raw(pixels, wanted), rest
    elif line.partition(":")[0] in FORMATS and ":" in line:
        pixels = line.partition(":")[0]
        raise EdgecrnnError(
            f"source: expected exec:{pixels}:WIDTHxHEIGHT:COMMAND, got no size; write it"
        )
    words = command_words(line, "exec:COMMAND")
    # Arguments may hold passwords: only the program is named.
    return Child(f"exec:{words[0]}", words, split, settings.timeout, _MEND)


def command_words(line: str, form: str) -> list[str]:
    """Program and arguments as a shell would split them; nothing else that a shell does.

    Raises:
        EdgecrnnError: an open quote, no command, or no such program.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise EdgecrnnError(
            f"source: expected {form}, got a line with {str(error).lower()}; close it"
        ) from error
    if not words:
        raise EdgecrnnError(f"source: expected {form}, got no command; name one")
    if "\0" in line or shutil.which(words[0]) is None:
        raise EdgecrnnError(
            f"source: expected a program that can be run, got {words[0]!r}; check its name and "
            "whether it is executable"
        )
    return words
