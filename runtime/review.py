"""The review loop: uncertain and corrected clips, in the very layout that `edgecrnn train` reads.

    FOLDER/LABEL/000012-20260102T030405Z-corrected/000000.png ...   what a person said
    FOLDER/__unsorted/000013-20260102T030512Z-cat/000000.png ...    what a person is to say

`train` leaves out folders whose names begin with two underscores, so nothing unsorted is ever
taken for a class. Sorting is moving: a clip goes from `__unsorted` into a label's folder.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecrnn.runtime.answers import LABELS
from edgecrnn.runtime.classifier import Result
from edgecrnn.runtime.clip import ClipWriter, as_png
from edgecrnn.runtime.decision import UNKNOWN
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.frame import Frame
from edgecrnn.runtime.settings import check, nearest, setting
from edgecrnn.runtime.shelf import Shelf
from edgecrnn.runtime.sinks import Bounded, Stream
from edgecrnn.runtime.sinks._head import a_head
from edgecrnn.runtime.sinks._names import slug

UNSORTED = "__unsorted"
_SHORTEST = 16  # frames of a clip that train does not leave out
_NOTE = """Each of these clips is one that the model was not sure of. Look at its pictures, then
move it into the folder of its class beside this one (or delete it). `edgecrnn train` reads the
classes' folders and leaves this one out.
"""


@dataclass(frozen=True)
class ReviewSettings:
    """Which clips are put aside for a person."""

    review: str = setting("", "folder for uncertain and corrected clips, as train reads them")
    review_cap: float = setting(
        500.0, "what they may take together; the oldest uncertain ones leave first", unit="MB",
        least=0.1,
    )  # fmt: skip
    review_seconds: float = setting(
        5.0, "how much of the stream a clip holds", unit="s", least=0.1, most=60.0
    )
    review_margin: float = setting(
        0.1,
        "uncertain is who is unknown or whose best two scores are closer than this",
        least=0.0,
        most=1.0,
    )
    review_lasting: float = setting(
        1.0, "how long that has to last", unit="s", least=0.0, most=60.0
    )
    review_pause: float = setting(
        60.0, "time between two uncertain clips at least", unit="s", least=0.0
    )
    review_free: float = setting(
        100.0, "what must be free on the disk for a clip to be written", unit="MB", least=0.0
    )

    def __post_init__(self) -> None:
        check(self)


def open_review(
    settings: ReviewSettings, stream: Stream, warn: Callable[[str], None] = lambda sentence: None
) -> tuple[Review, Bounded] | None:
    """The review loop of a stream, and it as a sink for the loop; None where none is asked for.

    Raises:
        EdgecrnnError: the folder cannot be written.
    """
    if not settings.review:
        return None
    if stream.answer != LABELS:
        raise EdgecrnnError(
            f"--review: expected a model that decides on labels, got one that answers with "
            f"{stream.answer}; leave it out"
        )
    review = Review(settings, stream)
    return review, Bounded(review, f"review:{settings.review}", "results", not stream.live, warn)


class Review:
    """A sink that remembers the last seconds as the model saw them.

    `hold` and `correct` may be called by any thread. A model of pictures gets pictures, not clips.
    """

    def __init__(self, settings: ReviewSettings, stream: Stream):
        folder = Path(settings.review)
        self._shelf = Shelf(folder, settings.review_cap, settings.review_free, first=UNSORTED)
        self._settings, self._stream = settings, stream
        self._pictures = stream.rate is None
        self._ring: deque[tuple[float, Result]] = deque()
        self._since: float | None = None
        self._saved = float("-inf")
        self._last: tuple[Path, int] | None = None
        self._held: tuple[int, list[tuple[float, Result]]] = 0, []
        self._lock = threading.Lock()
        self.uncertain = self.corrected = 0

    def write(self, result: Result, frame: Frame) -> None:
        """Remember the frame; write a clip where the model has been uncertain for a while.

        Raises:
            EdgecrnnError, OSError: the clip could not be written; nothing is left of it.
        """
        with self._lock:
            if self._ring and frame.time < self._ring[-1][0]:
                self._ring.clear()
                self._since, self._saved = None, float("-inf")
            self._ring.append((frame.time, result))
            while self._ring[0][0] < frame.time - self._settings.review_seconds:
                self._ring.popleft()
            if not self._unsure(result):
                self._since = None
                return
            if self._since is None:
                self._since = frame.time
            lasted = frame.time - self._since >= self._settings.review_lasting
            rested = frame.time - self._saved >= self._settings.review_pause
            enough = self._pictures or len(self._ring) >= _SHORTEST
            if lasted and rested and enough:
                # Even where it fails: a full disk is not asked again for every frame.
                self._saved = frame.time
                path = self._save(self._ring, UNSORTED, slug(result.label), "uncertain", "")
                self._last = (path, _number(result))
                self.uncertain += 1

    def hold(self) -> int:
        """Keep the last seconds while a person chooses their label; a number for `correct`."""
        with self._lock:
            self._held = self._held[0] + 1, list(self._ring)
            return self._held[0]

    def correct(self, label: str, held: int | None = None) -> Path:
        """Write the last seconds as a clip of `label`: "this was wrong, it is ...".

        Args:
            label: of the bundle.
            held: what `hold` gave, for the seconds before it; None for those before now.

        Returns:
            Where it lies.

        Raises:
            EdgecrnnError: there is no such label, nothing was seen yet, others were held since, or
                the disk is full.
        """
        if label not in self._stream.labels:
            labels = self._stream.labels
            raise EdgecrnnError(
                f"review: expected a label among {', '.join(labels)}, "
                f"got {label!r:.100}{nearest(label, labels)}"
            )
        if label.startswith((".", "__")) or "/" in label or "\0" in label:
            raise EdgecrnnError(
                f"review: expected a label that can be a folder's name, got {label!r:.100}; "
                "rename the class"
            )
        with self._lock:
            number, frames = self._held if held is not None else (held, list(self._ring))
            if number != held:
                raise EdgecrnnError("review: expected what was held last, got older; ask again")
            if not frames:
                raise EdgecrnnError("review: expected frames to put aside, got none yet; wait")
            try:
                path = self._save(frames, label, "corrected", "corrected", label)
            except OSError as error:
                raise EdgecrnnError(
                    f"{self._shelf.folder}: the clip could not be written ({error.strerror})"
                ) from error
            first, last = _number(frames[0][1]), _number(frames[-1][1])
            if self._last is not None and first <= self._last[1] <= last:
                # The same frames, not to be sorted any more.
                self._shelf.remove(self._last[0])
                self._last = None
            # Nor to be put aside once more.
            while self._ring and _number(self._ring[0][1]) <= last:
                self._ring.popleft()
            self._held = self._held[0], []
            self.corrected += 1
        return path

    def close(self) -> None:
        """Nothing is held."""

    def _unsure(self, result: Result) -> bool:
        if result.seen is not None:
            read = result.seen.before.decision.frames
            if read < self._stream.decision.warmup:
                return False
        if result.label == UNKNOWN:
            return True
        best = sorted(result.scores)[-2:]
        return len(best) == 2 and best[1] - best[0] < self._settings.review_margin

    def _save(
        self, frames: Sequence[tuple[float, Result]], under: str, what: str, why: str, said: str
    ) -> Path:
        """Write them into a hidden folder and give it its name."""
        with self._shelf.writing() as place:
            if self._pictures:
                seen = frames[-1][1].seen
                assert seen is not None
                written = place / "picture.png"
                written.write_bytes(as_png(seen.prepared))
            else:
                written = place / "clip"
                written.mkdir()
                clip = ClipWriter(written, a_head(self._stream, why, said))
                for _, result in frames:
                    clip.add(result)
                clip.close()
            path = self._shelf.keep(written, under, what)
        if under == UNSORTED:
            with contextlib.suppress(OSError):
                (path.parent / "README.txt").write_text(_NOTE)
        return path


def _number(result: Result) -> int:
    return result.seen.number if result.seen is not None else -1
