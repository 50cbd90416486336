"""The one exception that reaches a person as a sentence instead of a traceback."""

from __future__ import annotations


class EdgecrnnError(Exception):
    """A mistake that the person can mend.

    The message is one sentence: what was expected, what came, what to do. The command line
    prints it and exits with code 2; every other exception is a defect of edgecrnn.
    """
