"""`edgecrnn replay BUNDLE CLIP`: decide a recorded clip again, frame for frame."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError

if TYPE_CHECKING:
    from edgecrnn.runtime.replay import Replayed

_DIFFERS = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="what convert wrote")
    parser.add_argument(
        "clip", type=Path, metavar="CLIP", help="a folder that record: or --review wrote"
    )
    parser.add_argument("--variant", help="of the bundle; without it the one that decided live")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the model")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="X",
        help="how far scores may be apart; another board's kernels round otherwise (default 0)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a frame")


def execute(args: argparse.Namespace) -> int:
    """Print every frame's two decisions; 0 where all agree, 1 where any differs."""
    from edgecrnn.runtime.bundle import open_bundle
    from edgecrnn.runtime.choice import MOST_THREADS
    from edgecrnn.runtime.clip import read_clip
    from edgecrnn.runtime.engine import load_engine
    from edgecrnn.runtime.replay import replay, same_model

    if not 1 <= args.threads <= MOST_THREADS:
        raise EdgecrnnError(f"--threads: expected 1 to {MOST_THREADS}, got {args.threads}")
    if not 0.0 <= args.tolerance <= 1.0:
        raise EdgecrnnError(f"--tolerance: expected 0 to 1, got {args.tolerance:g}")
    bundle = open_bundle(args.bundle)
    clip = read_clip(args.clip)
    names = [variant.name for variant in bundle.manifest.variants]
    variant = args.variant or (clip.head.variant if clip.head.variant in names else None)
    engine = load_engine(bundle, variant, args.threads)
    if not same_model(bundle, engine.variant, clip):
        live = f"{clip.head.bundle} ({clip.head.variant})"
        _say(f"note: the clip was decided by another model, {live}; this one begins with no memory")
    width = max(len(label) for label in (*clip.head.labels, "unknown"))
    total = agreed = 0
    apart = 0.0
    for each in replay(bundle, engine, clip):
        same = each.agrees(args.tolerance)
        total, agreed, apart = total + 1, agreed + same, max(apart, each.apart)
        print(_json(each, same) if args.json else _row(each, same, width))
    _say(f"{agreed} of {total} frames agree; scores at most {apart:.2g} apart")
    return 0 if agreed == total else _DIFFERS


def _row(each: Replayed, same: bool, width: int) -> str:
    from edgecrnn.runtime.printable import printable

    live = each.moment
    return (
        f"{live.frame:7d} {live.time:14.3f}  "
        f"{printable(live.label):<{width}} {live.score:6.4f}  "
        f"{printable(each.label):<{width}} {each.score:6.4f}{'' if same else '  differs'}"
    )


def _json(each: Replayed, same: bool) -> str:
    live = each.moment
    return json.dumps(
        {
            "frame": live.frame,
            "time": live.time,
            "live": {"label": live.label, "score": live.score, "scores": live.scores},
            "now": {"label": each.label, "score": each.score, "scores": each.scores},
            "agrees": same,
        }
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
