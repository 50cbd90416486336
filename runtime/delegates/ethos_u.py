"""Arm's Ethos-U on Linux, through the delegate library that the board's vendor brings.

It runs models that vela compiled; what was compiled is one operator `ethos-u`, which no CPU has a
kernel for. Unproven: no board with an Ethos-U was at hand.
"""

from __future__ import annotations

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.delegates._library import check_file, described, load_with
from edgecrnn.runtime.interpreter import RUNTIMES
from edgecrnn.runtime.session import InterpreterSession

TITLE = "Arm Ethos-U NPU"
VARIANTS = ("int8.ethos-u",)
PACKAGES = RUNTIMES
# NXP's name for it (github.com/nxp-imx/tflite-ethosu-delegate-imx).
_LIBRARY = "libethosu_delegate.so"


def check(terms: Terms) -> str:
    """The library is there, for this machine."""
    return check_file(terms.library or _LIBRARY)


def load(model: bytes, terms: Terms) -> InterpreterSession:
    """The compiled model on the NPU."""
    return load_with(model, terms.library or _LIBRARY, terms)


def describe(terms: Terms) -> str:
    """The library."""
    return described(terms.library or _LIBRARY, terms)
