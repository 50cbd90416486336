"""What too little memory looks like, told before and after a library fails for it."""

from __future__ import annotations

import resource

# Addresses, not pages that are used: below it OpenCV, NumPy and the interpreter cannot all be
# loaded. Some of them crash there without a word.
_LEAST_MB = 700
_MB = 1_000_000


def limit_note() -> str:
    """A sentence where this process may have fewer addresses than it takes to start; else ""."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= _LEAST_MB * _MB:
        return ""
    return (
        f"note: processes of this shell may take {limit / _MB:.0f} MB of addresses (ulimit -v), "
        f"edgecrnn takes up to {_LEAST_MB}"
    )


def is_lack_of_memory(error: Exception) -> bool:
    """Whether an exception of Python, the loader of libraries or OpenCV says so."""
    if isinstance(error, MemoryError):
        return True
    said = str(error)
    if isinstance(error, ImportError):
        return "failed to map segment" in said or "cannot allocate memory" in said.lower()
    return type(error).__module__.startswith("cv2") and "Insufficient memory" in said
