"""The CPU: the interpreter, whose XNNPACK delegate takes what it has kernels for."""

from __future__ import annotations

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.interpreter import RUNTIMES, make_interpreter, runtime_version
from edgecrnn.runtime.session import InterpreterSession

TITLE = "CPU, XNNPACK"
VARIANTS: tuple[str, ...] = ()
PACKAGES = RUNTIMES


def check(terms: Terms) -> str:
    """Nothing but options that it does not have."""
    if terms.library or terms.options:
        return "cpu: expected no library and no options, got some; name another delegate"
    return ""


def load(model: bytes, terms: Terms) -> InterpreterSession:
    """The model in the interpreter. What XNNPACK leaves runs on the interpreter's own kernels."""
    interpreter = make_interpreter(model, terms.threads, terms.package)
    return InterpreterSession(interpreter, None, "XNNPACK", runtime_version(terms.package))


def describe(terms: Terms) -> str:
    """The runtime that carries XNNPACK."""
    return f"XNNPACK of {runtime_version(terms.package)}"
