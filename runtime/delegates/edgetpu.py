"""Google's Edge TPU (Coral), through libedgetpu.

It runs models that edgetpu_compiler made; what was compiled is one operator, which no CPU has a
kernel for. Unproven: no Edge TPU was at hand.
"""

from __future__ import annotations

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.delegates._library import check_file, described, load_with
from edgecrnn.runtime.interpreter import RUNTIMES
from edgecrnn.runtime.session import InterpreterSession

TITLE = "Coral Edge TPU"
VARIANTS = ("int8.edgetpu",)
PACKAGES = RUNTIMES
# The name that the interpreter loads (coral.ai/docs/edgetpu/tflite-python).
_LIBRARY = "libedgetpu.so.1"


def check(terms: Terms) -> str:
    """Libedgetpu is there, for this machine."""
    return check_file(terms.library or _LIBRARY)


def load(model: bytes, terms: Terms) -> InterpreterSession:
    """The compiled model on the stick or the module."""
    return load_with(model, terms.library or _LIBRARY, terms)


def describe(terms: Terms) -> str:
    """The library."""
    return described(terms.library or _LIBRARY, terms)
