"""A delegate library by path: libteflon.so, libvx_delegate.so, libarmnnDelegate.so ..."""

from __future__ import annotations

from edgecrnn.runtime.delegates import Terms
from edgecrnn.runtime.delegates._library import check_file, described, load_with
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.interpreter import RUNTIMES
from edgecrnn.runtime.session import InterpreterSession

TITLE = "Delegate library by path"
# NPUs take all-integer models; the golden frames judge what else one makes of the rest.
VARIANTS = ("int8", "int8-mixed", "float16", "float32")
PACKAGES = RUNTIMES


def check(terms: Terms) -> str:
    """The file is there, is a library, and is for this machine."""
    return check_file(terms.library) if terms.library else _UNNAMED


def load(model: bytes, terms: Terms) -> InterpreterSession:
    """The model with what the library takes of it."""
    if not terms.library:
        raise EdgecrnnError(_UNNAMED)
    return load_with(model, terms.library, terms)


def describe(terms: Terms) -> str:
    """The file."""
    return described(terms.library, terms)


_UNNAMED = (
    "external: expected a library, got none named in the bundle; "
    "give its path: --delegate /usr/lib/libteflon.so"
)
