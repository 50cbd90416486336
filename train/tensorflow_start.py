"""Imports TensorFlow once, without the lines that it writes to standard error as it starts."""

from __future__ import annotations

import os
import sys

from edgecrnn.runtime.quiet import without_chatter


def start_tensorflow() -> None:
    """Import TensorFlow and let it look for devices; a failure is shown as it is."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with without_chatter():
        import tensorflow

        tensorflow.config.list_physical_devices()
