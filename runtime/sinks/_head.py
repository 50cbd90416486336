"""What a recorded clip says of where it comes from."""

from __future__ import annotations

import datetime

from edgecrnn.runtime.clip import FORMAT, Head
from edgecrnn.runtime.sinks._sink import Stream


def a_head(stream: Stream, why: str, said: str) -> Head:
    """The head of a clip that is recorded now."""
    made = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return Head(
        format=FORMAT,
        bundle=stream.bundle,
        variant=stream.variant,
        model=stream.model,
        labels=stream.labels,
        decision=stream.decision,
        source=stream.source,
        why=why,
        said=said,
        made=made,
    )
