"""Starting a module in a process of its own, whatever lies in the current folder."""

from __future__ import annotations

import sys

# What Python 3.11 has as -P.
WITHOUT_FOLDER = """import sys
if sys.path[0] == "":
    del sys.path[0]
import runpy
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


def module_words(name: str, *words: str) -> list[str]:
    """What runs a module with this Python.

    `python -m` alone looks for every import in the current folder first: a person's numpy.py or
    signal.py there, or a stranger's, would be run in the place of the real one.

    Args:
        name: of the module.
        words: its arguments.
    """
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", name, *words]
    else:
        return [sys.executable, "-c", WITHOUT_FOLDER, name, *words]
