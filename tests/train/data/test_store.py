from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.preprocess import Preprocessing, prepare
from edgecrnn.train.data.decode import read_clip
from edgecrnn.train.data.store import Data, DataSettings, class_counts, load


def cache_folders(settings: DataSettings) -> list[Path]:
    return list(Path(settings.cache).glob("frames/*"))


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """As a process that writes into the folder holds it; a kill would end that."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def same(one: Data, other: Data) -> bool:
    return all(
        np.array_equal(a.frames, b.frames)
        and np.array_equal(a.starts, b.starts)
        and np.array_equal(a.labels, b.labels)
        and a.names == b.names
        for a, b in zip(one.splits.values(), other.splits.values(), strict=True)
    )


def test_pictures(picture_set: Path, small: Preprocessing, settings: DataSettings) -> None:
    calls: list[tuple[int, int]] = []
    data = load(picture_set, small, settings, progress=lambda *c: calls.append(c))
    assert (data.kind, data.frame_rate, data.skipped, data.notes) == ("pictures", None, (), ())
    assert {k: len(v) for k, v in data.splits.items()} == {"train": 28, "val": 6, "test": 6}
    assert calls == [(i, 40) for i in range(1, 41)]
    for store in data.splits.values():
        assert store.frames.dtype == np.uint8 and not store.frames.flags.writeable
        for i, name in enumerate(store.names):
            picture = prepare(cv2.imread(str(picture_set / name)), small)
            assert np.array_equal(store.clip(i), picture[None])
            assert data.labels[store.labels[i]] == name.split("/")[0]
    assert class_counts(data.splits["val"], data.labels) == {"cat": 3, "dog": 3}


def test_clips(clip_set: Path, small: Preprocessing, settings: DataSettings) -> None:
    data = load(clip_set, small, settings)
    assert (data.kind, data.frame_rate) == ("clips", 10.0)
    for store in data.splits.values():
        for i, name in enumerate(store.names):
            decoded = np.stack(list(read_clip(clip_set / name, small, 10.0)))
            assert np.array_equal(store.clip(i), decoded)


def test_the_second_time_nothing_is_decoded(clip_set, small, settings) -> None:
    first = load(clip_set, small, settings)
    calls: list[tuple[int, int]] = []
    again = load(clip_set, small, settings, progress=lambda *c: calls.append(c))
    assert same(first, again) and calls == []
    moved = clip_set.with_name("moved")
    clip_set.rename(moved)
    assert same(first, load(moved, small, settings, progress=lambda *c: calls.append(c)))
    assert calls == [] and len(cache_folders(settings)) == 1


def test_the_rate_that_the_clips_have_is_not_decoded_again(clip_set, small, settings) -> None:
    """A run says the rate that it was trained at: judging and converting it ask for that."""
    first = load(clip_set, small, settings)
    calls: list[tuple[int, int]] = []
    asked = dataclasses.replace(settings, frame_rate=first.frame_rate)
    again = load(clip_set, small, asked, progress=lambda *c: calls.append(c))
    assert same(first, again) and calls == [] and len(cache_folders(settings)) == 1


def test_other_choices_are_decoded_anew(clip_set, small, settings) -> None:
    first = load(clip_set, small, settings)
    load(clip_set, dataclasses.replace(small, color="gray"), settings)
    slow = load(clip_set, small, dataclasses.replace(settings, frame_rate=5))
    assert slow.frame_rate == 5 and slow.hash == first.hash
    assert len(slow.splits["train"].clip(0)) == 4
    assert len(cache_folders(settings)) == 3


def test_the_hash_follows_names_and_contents(clip_set, write_clip, small, settings) -> None:
    first = load(clip_set, small, settings)
    (clip_set / "notes.txt").write_text("ignored")
    assert load(clip_set, small, settings).hash == first.hash
    write_clip(clip_set / "up" / "5.avi", seed=77)
    changed = load(clip_set, small, settings)
    assert changed.hash != first.hash
    (clip_set / "up" / "5.avi").rename(clip_set / "up" / "6.avi")
    assert load(clip_set, small, settings).hash not in (first.hash, changed.hash)


def damage_length(folder: Path) -> None:
    file = folder / "train.npy"
    file.write_bytes(file.read_bytes()[:-10])


def damage_all(folder: Path) -> None:
    (folder / "train.npy").write_bytes(b"")


def damage_header(folder: Path) -> None:
    file = folder / "train.npy"
    file.write_bytes(b"\0" * 64 + file.read_bytes()[64:])


def damage_frames(folder: Path) -> None:
    file = folder / "train.npy"
    data = bytearray(file.read_bytes())
    data[-3] ^= 255
    file.write_bytes(bytes(data))


def damage_index(folder: Path) -> None:
    (folder / "index.json").write_text('{"splits": {"train": {"starts": []}}}')


def damage_index_text(folder: Path) -> None:
    (folder / "index.json").write_text("[")


def damage_missing(folder: Path) -> None:
    (folder / "val.npy").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        damage_length,
        damage_all,
        damage_header,
        damage_frames,
        damage_index,
        damage_index_text,
        damage_missing,
        shutil.rmtree,
    ],
)
def test_a_damaged_cache_is_rebuilt(clip_set, small, settings, damage) -> None:
    first = load(clip_set, small, settings)
    frames = {k: np.array(v.frames) for k, v in first.splits.items()}
    damage(cache_folders(settings)[0])
    again = load(clip_set, small, settings)
    assert all(np.array_equal(frames[k], v.frames) for k, v in again.splits.items())


def test_a_failed_build_leaves_nothing(clip_set, small, settings) -> None:
    def fail(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(clip_set, small, settings, progress=fail)
    assert cache_folders(settings) == []


def test_what_a_killed_build_left_is_swept(clip_set, small, settings) -> None:
    load(clip_set, small, settings)
    folder = cache_folders(settings)[0]
    left = folder.with_name(f".{folder.name}.0123abcd")
    folder.rename(left)
    with at_work(left):
        load(clip_set, small, settings)
    assert left.exists()
    shutil.rmtree(folder)
    load(clip_set, small, settings)
    assert not left.exists() and folder.exists()


def test_a_cache_that_cannot_be_written(clip_set, small, tmp_path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(EdgecrnnError, match="choose another folder with --cache"):
        load(clip_set, small, DataSettings(cache=str(file), shortest=4))


def test_a_few_bad_files_are_skipped(picture_set, small, settings) -> None:
    bad = picture_set / "cat" / "3.png"
    bad.write_bytes(bad.read_bytes()[:500])
    data = load(picture_set, small, settings)
    assert [(s.path, s.reason) for s in data.skipped] == [(bad, "truncated")]
    assert sum(len(v) for v in data.splits.values()) == 39
    assert load(picture_set, small, settings).skipped == data.skipped


def test_many_bad_files_stop_it(picture_set, small, settings) -> None:
    for i in range(5):
        (picture_set / "dog" / f"{i}.png").write_bytes(b"")
    with pytest.raises(EdgecrnnError) as caught:
        load(picture_set, small, settings)
    message = str(caught.value)
    assert "expected at most 5% bad files, got 5 of 40" in message
    assert message.count("dog/") == 3 and "(empty file) and 2 more" in message
    assert cache_folders(settings) == []
    lenient = dataclasses.replace(settings, max_bad=0.2)
    taken = load(picture_set, small, lenient)
    assert len(taken.skipped) == 5
    with pytest.raises(EdgecrnnError, match="got 5 of 40"):
        load(picture_set, small, settings, accepted="another's")
    # Where a training took just these files, judging and converting its run does too.
    shutil.rmtree(settings.cache)
    assert load(picture_set, small, settings, accepted=taken.hash).skipped == taken.skipped


def test_a_class_without_a_usable_file_stops_it(tmp_path, write_picture, small, settings) -> None:
    for c, count in (("cat", 60), ("dog", 2)):
        for i in range(count):
            write_picture(tmp_path / "d" / c / f"{i}.png", seed=100 * ord(c[0]) + i)
    for i in range(2):
        file = tmp_path / "d" / "dog" / f"{i}.png"
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(EdgecrnnError, match="got none of 'dog'"):
        load(tmp_path / "d", small, settings)


def test_short_clips(clip_set, write_clip, small, settings) -> None:
    longer = dataclasses.replace(settings, shortest=9)
    with pytest.raises(EdgecrnnError, match="got 12 of 12 that are shorter; use --window 8 or"):
        load(clip_set, small, longer)
    for i in range(12):
        write_clip(clip_set / "up" / f"long{i}.avi", frames=12, seed=200 + i)
    short = write_clip(clip_set / "up" / "short.avi", frames=3, seed=300)
    data = load(clip_set, small, settings)
    assert [(s.path, s.reason) for s in data.skipped] == [(short, "short: 3 frames")]


def test_another_window_decodes_anew_only_where_it_matters(
    clip_set, write_clip, small, settings
) -> None:
    for i in range(20):
        write_clip(clip_set / "up" / f"long{i}.avi", frames=12, seed=200 + i)
    short = write_clip(clip_set / "up" / "short.avi", frames=6, seed=300)
    calls: list[tuple[int, int]] = []

    def again(shortest: int) -> int:
        calls.clear()
        less = dataclasses.replace(settings, shortest=shortest)
        data = load(clip_set, small, less, progress=lambda *c: calls.append(c))
        assert [s.path for s in data.skipped] == ([short] if shortest > 6 else [])
        return len(calls)

    assert [again(n) for n in (4, 6, 3, 7, 8, 6)] == [33, 0, 0, 33, 0, 33]
    with pytest.raises(EdgecrnnError, match="use --window 8"):
        again(9)
    # A limit on bad files holds for what the cache says too.
    again(8)
    with pytest.raises(EdgecrnnError, match="expected clips of at least 8 frames"):
        load(clip_set, small, dataclasses.replace(settings, shortest=8, max_bad=0))


def test_the_same_file_in_two_places_is_noted(picture_set, small, settings) -> None:
    shutil.copy(picture_set / "cat" / "1.png", picture_set / "dog" / "x.png")
    notes = load(picture_set, small, settings).notes
    assert notes == ("once the same file stands under two classes: cat/1.png = dog/x.png",)


def test_a_split_that_shares_a_file_is_noted(tmp_path, picture_set, small, settings) -> None:
    root = tmp_path / "split"
    for split in ("train", "val", "test"):
        shutil.copytree(picture_set, root / split)
    assert "40 times the same file stands in two splits" in load(root, small, settings).notes[0]


def test_a_clip_larger_than_memory(clip_set, write_clip, tmp_path: Path) -> None:
    """A process that may have 160 MB for data decodes, opens and reads 307 MB of frames."""
    write_clip(clip_set / "up" / "long.avi", frames=400)
    code = (
        "import re, resource\n"
        "from pathlib import Path\n"
        "from edgecrnn.train.data.augment import Augmentation\n"
        "from edgecrnn.train.data.batches import stream_windows\n"
        "from edgecrnn.train.data.store import DataSettings, load\n"
        "from edgecrnn.runtime.preprocess import Preprocessing\n"
        "held = int(re.search(r'VmData:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "resource.setrlimit(resource.RLIMIT_DATA, ((held << 10) + (160 << 20),) * 2)\n"
        f"settings = DataSettings(cache={str(tmp_path / 'cache')!r}, shortest=4, seed=1)\n"
        f"data = load(Path({str(clip_set)!r}), Preprocessing(512, 512), settings)\n"
        "store = max(data.splits.values(), key=lambda each: each.frames.nbytes)\n"
        "assert store.frames.nbytes > 300 << 20, store.frames.nbytes\n"
        "seen = sum(w.weights.size for w in stream_windows(store, 2, 4, 0, 0, 0, 8.0, "
        "Augmentation()))\n"
        "assert seen >= len(store.frames)\n"
    )
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_loading_imports_no_tensorflow(picture_set: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from edgecrnn.train.data.batches import stream_windows\n"
        "from edgecrnn.train.data.store import DataSettings, load\n"
        "from edgecrnn.runtime.preprocess import Preprocessing\n"
        f"load(Path({str(picture_set)!r}), Preprocessing(16, 16),"
        f" DataSettings(cache={str(tmp_path / 'c')!r}))\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=paths)
