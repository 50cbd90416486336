"""Loading a delegate out of a shared library, for every module here that is one."""

from __future__ import annotations

import platform

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.elf import check_library, find_library
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import (
    allocate,
    bare_interpreter,
    load_library,
    runtime_version,
)
from edgecrnn.runtime.session import InterpreterSession, operator_details


def check_file(library: str) -> str:
    """Why the loader will not take the file, and the mend; '' where its header is right."""
    try:
        return check_library(find_library(library), platform.machine())
    except EdgecrnnError as error:
        return str(error)


def load_with(model: bytes, library: str, terms: Terms) -> InterpreterSession:
    """The model on a fresh interpreter with the delegate that the library makes.

    What it leaves runs on XNNPACK, which chooses when the tensors are allocated. So what stands
    in the interpreter before is the library's alone.
    """
    reason = check_file(library)
    if reason:
        raise EdgecrnnError(reason)
    path = str(find_library(library))
    delegate = load_library(path, terms.options, terms.package)
    interpreter = bare_interpreter(model, terms.threads, terms.package, [delegate])
    before = operator_details(interpreter)
    allocate(interpreter)
    return InterpreterSession(interpreter, before, path, runtime_version(terms.package))


def described(library: str, terms: Terms) -> str:
    """The file, and the runtime that loads it."""
    return f"{find_library(library)} in {runtime_version(terms.package)}"
