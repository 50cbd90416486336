"""`edgecrnn explain RUN CLIP`: where and when a model saw what it decided by, and if that is so."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.files import check_output, write_file

if TYPE_CHECKING:
    from edgecrnn.train.explain.explanation import Explained

_SUFFIXES = (".png", ".mp4")
# Frames named on the terminal; the picture has all of them.
_NAMED = 3
# A loss that prints as nothing is nothing.
_LEAST = 0.0005


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a trained model")
    parser.add_argument(
        "clip", type=Path, nargs="?", metavar="CLIP",
        help="a video, a folder of frames, or a picture",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="picture (.png) or film (.mp4) to write (default explain.png)",
    )  # fmt: skip
    parser.add_argument("--label", help="class to explain; without it the one decided on")
    parser.add_argument(
        "--method", choices=("layer-cam", "grad-cam"), default="layer-cam",
        help="how the heat is made (default layer-cam)",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="replace the --out file")
    group = parser.add_argument_group("the check that the heat is true")
    group.add_argument(
        "--check", action="store_true",
        help="hide the hottest fifth of each test clip, then random fifths, and compare",
    )  # fmt: skip
    group.add_argument("--data", type=Path, metavar="DIR", help="without it the run's own")
    group.add_argument("--clips", type=int, metavar="N", help="so many, drawn; without it all")
    group.add_argument("--draws", type=int, metavar="N", help="random masks a clip (default 5)")
    group.add_argument("--seed", type=int, metavar="N", help="of all that is random (default 0)")
    group.add_argument("--cache", default="", metavar="DIR", help="folder for decoded frames")


def execute(args: argparse.Namespace) -> int:
    """Explain a clip, or check the heat."""
    if args.check:
        return _check(args)
    if args.clip is None:
        raise EdgecrnnError(
            "CLIP: expected a clip or a picture to explain, or --check, got neither; give one"
        )
    for name in ("data", "clips", "draws", "seed"):
        if getattr(args, name) is not None:
            raise EdgecrnnError(
                f"--{name}: expected --check with it, got a clip to explain; leave it out"
            )
    return _explain(args)


def _explain(args: argparse.Namespace) -> int:
    from edgecrnn.train.explain.drawing import film, film_rate, png
    from edgecrnn.train.explain.explanation import explain, label_number, open_explainer
    from edgecrnn.train.explain.film import write_film
    from edgecrnn.train.explain.subject_file import read_subject

    out = args.out or Path("explain.png")
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise EdgecrnnError(
            f"--out: expected a name that ends in .png or .mp4, got {str(out)!r}; rename it"
        )
    check_output(out, args.force, ())
    explainer = open_explainer(args.run)
    label = label_number(explainer.record, args.label) if args.label is not None else None
    frames = read_subject(args.clip, explainer.record)
    if suffix == ".mp4" and not explainer.reads_clips:
        raise EdgecrnnError(
            f"--out: expected a name that ends in .png for a picture, got {str(out)!r}; "
            "a picture has no time to film"
        )
    explained = explain(explainer, frames, args.clip.name, label, args.method)
    if suffix == ".png":
        write_file(out, png(explained))
    else:
        write_film(out, lambda: film(explained), film_rate(explained))
    print(_told(explained), end="")
    print(f"wrote {out}")
    return 0


def _told(explained: Explained) -> str:
    """The explanation in a few lines."""
    decided = float(explained.answer[explained.decided])
    lines = [f"decided    {explained.labels[explained.decided]}, score {decided:.3f}"]
    if explained.label != explained.decided:
        lines.append(f"explained  {explained.labels[explained.label]}, score {explained.score:.3f}")
    if not explained.heat.max() > 0:
        lines.append("where      no place in the frames speaks for this class")
    if explained.importance is not None:
        order = (-explained.importance).argsort()[:_NAMED].tolist()
        rate = explained.frame_rate
        named = [
            f"{index / rate:.1f} s" if rate else f"frame {index}"
            for index in order
            if explained.importance[index] >= _LEAST
        ]
        lost = float(explained.importance.max())
        lines.append(
            f"when       {', '.join(named)} (without the first of them the score falls "
            f"by {lost:.3f})"
            if named
            else "when       no frame alone: leaving out any one hardly changes the score"
        )
    return "".join(f"{line}\n" for line in lines)


def _check(args: argparse.Namespace) -> int:
    from edgecrnn.train.evaluation.choice import choose_clips
    from edgecrnn.train.explain.check import CheckSettings, check_by_masking, check_text
    from edgecrnn.train.explain.explanation import open_explainer
    from edgecrnn.train.subject import load_for, open_subject

    for name in ("clip", "out", "label"):
        if getattr(args, name) is not None:
            what = "a clip" if name == "clip" else f"--{name}"
            raise EdgecrnnError(
                f"--check: expected only a run, for it takes the test clips, got {what} too; "
                "leave one of them out"
            )
    if args.clips is not None and args.clips < 1:
        raise EdgecrnnError(f"--clips: expected 1 or more, got {args.clips}; leave it out for all")
    given = {name: getattr(args, name) for name in ("clips", "draws", "seed")}
    settings = CheckSettings(
        method=args.method, **{name: value for name, value in given.items() if value is not None}
    )
    explainer = open_explainer(args.run)
    subject = open_subject(args.run)
    root = args.data or Path(explainer.record.data.root)
    if not root.exists():
        raise EdgecrnnError(
            f"{root}: expected the data that the run was trained on, got no such folder; "
            "say with --data where it is"
        )
    data = load_for(subject, root, args.cache, _progress("decoding"))
    chosen = choose_clips(data, None, subject.trained)
    result = check_by_masking(explainer, chosen.clips, settings, _progress("checking"))
    print(f"{args.run} on {root}: {chosen.said}")
    print(check_text(result, data.kind), end="")
    return 0


def _progress(what: str) -> Callable[[int, int], None] | None:
    """A line on standard error that counts up, where a person sits before it."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "\r\x1b[K" if done >= total else ""
        print(f"\r{what} {done}/{total}{end}", end="", file=sys.stderr, flush=True)

    return show
