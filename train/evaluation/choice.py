"""Which clips of a data folder are judged: those that the model has not been trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.settings import nearest
from edgecrnn.train.data.store import Data, FrameStore
from edgecrnn.train.evaluation.streams import Clips


@dataclass(frozen=True)
class TrainedOn:
    """The data that a model was trained on."""

    hash: str  # SHA-256 over the files' names and contents, hexadecimal
    made_split: bool  # training made the split that the folder does not have
    seed: int  # of that split
    part_of: str = ""  # hash of the data of which it is a fold without test, "" where it is whole


@dataclass(frozen=True)
class Chosen:
    """What is judged, and one line that says which it is."""

    clips: Clips
    split: str  # train, val, test or all
    said: str
    unseen: bool = True  # neither trained on nor what the decision's rule was chosen on


@dataclass(frozen=True)
class JoinedStores:
    """Several splits as one, without reading them into memory."""

    stores: tuple[FrameStore, ...]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32]
    names: tuple[str, ...]
    places: tuple[tuple[int, int], ...]  # per clip: which store, which clip of it

    def __len__(self) -> int:
        return len(self.places)

    def clip(self, i: int) -> npt.NDArray[np.uint8]:
        """The frames of clip `i`, uint8 [T, H, W, C]."""
        store, index = self.places[i]
        return self.stores[store].clip(index)


def join_stores(stores: Sequence[FrameStore]) -> JoinedStores:
    """All clips of `stores`, one store after the other; at least one store."""
    lengths = np.concatenate([np.diff(store.starts) for store in stores])
    return JoinedStores(
        stores=tuple(stores),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        labels=np.concatenate([store.labels for store in stores]),
        targets=np.concatenate([store.targets for store in stores]),
        names=tuple(name for store in stores for name in store.names),
        places=tuple((s, i) for s, store in enumerate(stores) for i in range(len(store))),
    )


def choose_clips(data: Data, asked: str | None, trained: TrainedOn | None) -> Chosen:
    """The split asked for, or else the best there is for an honest number.

    Without a wish: test; where training made the split, the same test clips again; where other
    data has no splits, all of it; where there is no test, val.

    Args:
        data: the loaded folder.
        asked: train, val, test, or None.
        trained: what the model was trained on, None where that is not known.

    Raises:
        EdgecrnnError: there is no such split, or it has no clips.
    """
    splits = {name: store for name, store in data.splits.items() if len(store)}
    if not splits:
        raise EdgecrnnError("data: expected clips or pictures to judge, got none that can be used")
    same = trained is not None and data.hash in (trained.hash, trained.part_of)
    if asked is not None:
        if asked not in splits:
            names = sorted(splits)
            raise EdgecrnnError(
                f"split: expected one of {', '.join(names)}, got {asked!r}{nearest(asked, names)}"
            )
        return Chosen(
            splits[asked], asked, f"the {asked} split", unseen=not same or asked == "test"
        )
    if data.made_split and not same:
        said = "all of it: it has no splits"
        if trained is None:
            said += " (whether the model was trained on part of it is not known)"
        else:
            said += " and is not the data trained on"
        return Chosen(join_stores(list(splits.values())), "all", said)
    if "test" in splits:
        said = "the test split"
        if same and trained is not None and trained.made_split:
            said += f" that training made (seed {trained.seed})"
        elif not all(name.lower().startswith("test/") for name in splits["test"].names):
            return Chosen(splits["test"], "all", "all of it: it has no splits")
        return Chosen(splits["test"], "test", said)
    if "val" in splits:
        return Chosen(splits["val"], "val", "the val split: there is no test split", not same)
    said = "the train split: there is no other; the model may know it"
    return Chosen(splits["train"], "train", said, not same)
