"""Where commands put files that they make of other files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output


def beside_each_other(
    sources: Sequence[Path], folder: Path, suffix: str, force: bool
) -> list[Path]:
    """A file of the same stem in `folder` for each source.

    Raises:
        EdgecrnnError: two would have one name, or one is there and `force` is not given.
    """
    targets = [folder / f"{source.stem}{suffix}" for source in sources]
    for index, target in enumerate(targets):
        if target in targets[:index]:
            first = sources[targets.index(target)]
            raise EdgecrnnError(
                f"{sources[index]}: expected files of different names, got one that would be "
                f"{target} as {first} would; name another --out for it"
            )
        check_output(target, force, ())
    return targets
