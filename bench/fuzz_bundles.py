"""Is anything that was damaged or forged taken for a release? 10,000 tries on the board's own path.

    python bench/fuzz_bundles.py [--count 10000] [--seed 1]

Each try changes one of the three files that a board is sent and calls what `install` calls before
anything is loaded (runtime/board/trust.py). A changed bundle is also opened as if nobody had asked
for a signature: the second line, whose hashes find damage but no forger. What is the same in other
bytes (a space in a JSON file) may be taken: "the same"; everything else must be refused by a
sentence. Exit code 1 where one was taken, or where something other than a sentence came.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgecrnn.runtime.board.layout import Board
from edgecrnn.runtime.board.release import BUNDLE, RELEASE, SIGNATURE, Release
from edgecrnn.runtime.board.trust import prove, trust
from edgecrnn.runtime.bundle import open_bundle
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import sha256
from edgecrnn.runtime.signature import sign

Change = Callable[[bytes, random.Random], bytes]
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
_VALUES: tuple[Any, ...] = (None, -1, 0, 2**63, 1e400, "", "../../etc/passwd", "a" * 5000, [], {})


def bytes_changed(data: bytes, chance: random.Random) -> bytes:
    """Bits flipped, bytes lost, put in or overwritten, one to eight times."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 8])):
        way, place = chance.randrange(5), chance.randrange(len(changed))
        if way == 0:
            changed[place] ^= 1 << chance.randrange(8)
        elif way == 1:
            del changed[place : place + chance.randrange(1, 64)]
        elif way == 2:
            changed[place:place] = chance.randbytes(chance.randrange(1, 64))
        elif way == 3:
            changed[place : place + 4] = chance.choice(
                [b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"]
            )
        else:
            del changed[chance.randrange(len(changed)) :]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def json_changed(data: bytes, chance: random.Random) -> bytes:
    """A value replaced, a name lost, added or twice; still JSON."""
    fields = json.loads(data)
    name = chance.choice(sorted(fields))
    way = chance.randrange(4)
    if way == 0:
        fields[name] = chance.choice(_VALUES)
    elif way == 1:
        del fields[name]
    elif way == 2:
        fields[chance.choice(["x", name.upper(), f"{name} "])] = chance.choice(_VALUES)
    else:
        text = json.dumps(fields)
        return f'{text[:-1]}, "{name}": {json.dumps(chance.choice(_VALUES))}}}'.encode()
    return json.dumps(fields).encode()


def manifest_changed(data: bytes, chance: random.Random) -> bytes:
    """A whole archive with another manifest: what a forger without the key would send."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "manifest.json":
                content = json_changed(content, chance)
            new.writestr(entry, content)
    return packed.getvalue()


CHANGES: dict[str, tuple[str, Change]] = {
    "bundle, bytes": (BUNDLE, bytes_changed),
    "bundle, another manifest": (BUNDLE, manifest_changed),
    "signature, bytes": (SIGNATURE, bytes_changed),
    "signature, another value": (SIGNATURE, json_changed),
    "release.json, bytes": (RELEASE, bytes_changed),
    "release.json, another value": (RELEASE, json_changed),
}


class Sent:
    """A release as a board is sent it, and the board: one key is trusted there."""

    def __init__(self, folder: Path, bundle: Path):
        self.board = Board(folder / "root")
        trust(self.board, _KEY.public_key().public_bytes_raw().hex())
        release = Release("fuzz", sha256(bundle.read_bytes()), "e" * 16, ("--source", "0"), 40.0)
        self.name, self.folder = release.id, self.board.incoming(release.id)
        self.folder.mkdir(parents=True)
        self.files = {
            BUNDLE: bundle.read_bytes(),
            SIGNATURE: sign(bundle, _KEY),
            RELEASE: release.to_bytes(),
        }
        for name, data in self.files.items():
            (self.folder / name).write_bytes(data)
        self.proof = prove(self.board, self.folder, self.name)

    def tried(self, name: str, data: bytes) -> str:
        """What becomes of it with one file changed."""
        (self.folder / name).write_bytes(data)
        try:
            return _told(lambda: self._same(prove(self.board, self.folder, self.name)))
        finally:
            (self.folder / name).write_bytes(self.files[name])

    def opened(self, data: bytes) -> str:
        """What becomes of a bundle that nobody asked a signature of."""
        (self.folder / BUNDLE).write_bytes(data)
        try:
            return _told(lambda: bool(open_bundle(self.folder / BUNDLE)))
        finally:
            (self.folder / BUNDLE).write_bytes(self.files[BUNDLE])

    def _same(self, proof: object) -> bool:
        return proof == self.proof


def _told(attempt: Callable[[], bool]) -> str:
    try:
        return "the same" if attempt() else "TAKEN"
    except EdgecrnnError as error:
        return "refused" if str(error).count("\n") == 0 else f"NO SENTENCE {error!r:.60}"
    except Exception as error:
        return f"CRASHED {error!r:.60}"


def fuzzed(sent: Sent, count: int, seed: int) -> Counter[tuple[str, str]]:
    """`count` tries, spread over the ways; how many ended how."""
    chance, ends = random.Random(seed), Counter[tuple[str, str]]()
    ways = list(CHANGES.items())
    for number in range(count):
        way, (name, change) = ways[number % len(ways)]
        # Now and then a change changes nothing: an end cut off where there was none.
        while (data := change(sent.files[name], chance)) == sent.files[name]:
            pass
        ends[way, sent.tried(name, data)] += 1
        if name == BUNDLE:
            # Such a bundle may be whole in itself: only its signature tells that it is another.
            came = sent.opened(data).replace("the same", "opened")
            ends["bundle, as if no signature were asked", came] += 1
    ends["bundle signed by a stranger", _by_a_stranger(sent)] += 1
    return ends


def _by_a_stranger(sent: Sent) -> str:
    return sent.tried(SIGNATURE, sign(sent.folder / BUNDLE, _STRANGER))


def failed(ends: Counter[tuple[str, str]]) -> list[str]:
    """What must not have happened: taken, crashed, or no sentence."""
    well = ("refused", "the same", "opened")
    found = [f"{way}: {end} ({count})" for (way, end), count in ends.items() if end not in well]
    # An archive's bytes are not the archive in other bytes.
    bundles = [(way, "the same") for way, (name, _) in CHANGES.items() if name == BUNDLE]
    return found + [f"{way}: taken ({ends[way, end]})" for way, end in bundles if ends[way, end]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bundle", type=Path, help="one of your own; a small one without it")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="edgecrnn-"))
    try:
        began = time.monotonic()
        sent = Sent(folder, args.bundle or _small(folder))
        ends = fuzzed(sent, args.count, args.seed)
        seconds = time.monotonic() - began
    finally:
        shutil.rmtree(folder)
    for (way, end), count in sorted(ends.items()):
        print(f"{way:<40} {end:<10} {count:>6}")
    wrong = failed(ends)
    tries = sum(n for (way, _), n in ends.items() if "no signature" not in way)
    print(f"{tries} tries in {seconds:.0f} s, seed {args.seed}: {len(wrong)} taken or crashed")
    print("\n".join(wrong), end="\n" if wrong else "")
    return int(bool(wrong))


def _small(folder: Path) -> Path:
    # The tests' own: a real model of three kilobytes with golden frames.
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.runtime.conftest import write_bundle

    return write_bundle(folder / "small.edgecrnn")


if __name__ == "__main__":
    sys.exit(main())
