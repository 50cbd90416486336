"""The results as Markdown, for docs/results.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sets import SETS, Set

PEERS = {
    "without-memory": "our encoder without memory",
    "mobilenet": "MobileNetV3Small",
    "convolution": "(2+1)D convolutions",
    "yolo": "yolo11n-cls",
}
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


def written(text: str, folder: Path) -> str:
    """`text` with what is between the marks made anew.

    What `folder` lacks stays: sets as they are, rows of peers with the time that they had then.
    """
    before, _, rest = text.partition(BEGIN)
    between, _, after = rest.partition(END)
    kept = {part.split("\n", 1)[0]: part for part in between.strip().split("### ")[1:]}
    for each in SETS:
        if _has(each, folder):
            earlier = _earlier(kept.get(each.name, ""), folder, each)
            kept[each.name] = _of_set(each, folder).removeprefix("### ") + earlier
    parts = (f"### {kept[each.name].strip()}\n" for each in SETS if each.name in kept)
    return f"{before}{BEGIN}\n\n" + "\n".join(parts) + f"\n{END}{after}"


def _earlier(section: str, folder: Path, chosen: Set) -> str:
    """The rows of peers in an earlier `section` of the set that `folder` has no result of."""
    seconds = re.search(r"(\d+) s of processor time", section)
    titles = {**PEERS, "convolution-pictures": "plain convolutions"}
    rows = []
    for peer, title in titles.items():
        row = re.search(rf"^\| {re.escape(title)}(,[^|]*)? \|.*$", section, re.MULTILINE)
        there = (folder / f"{chosen.name}.{peer.partition('-pictures')[0]}.json").exists()
        if row and seconds and not there:
            then = row[1] or f", earlier, {seconds[1]} s"
            rows.append(row[0].replace(f"{title}{row[1] or ''}", f"{title}{then}", 1) + "\n")
    return "".join(rows)


def table(folder: Path) -> str:
    """Everything that is there."""
    return "\n".join(_of_set(each, folder) for each in SETS if _has(each, folder))


def _has(chosen: Set, folder: Path) -> bool:
    return (folder / f"{chosen.name}.edgecrnn.json").exists()


def _of_set(chosen: Set, folder: Path) -> str:
    ours = json.loads((folder / f"{chosen.name}.edgecrnn.json").read_text())
    clip, kind = ours["evaluation"]["clip"], ours["evaluation"]["kind"]
    several = ours["evaluation"].get("multilabel")
    low, high = clip["interval"]
    rows: list[tuple[str, dict[str, Any]]] = [
        ("**edgecrnn**", {
            **ours, "accuracy": clip["accuracy"], "low": low, "high": high,
            "mean_average_precision": (several or {}).get("mean_average_precision"),
        }),
    ]  # fmt: skip
    for peer, title in PEERS.items():
        path = folder / f"{chosen.name}.{peer}.json"
        if path.exists():
            plain = peer == "convolution" and kind == "pictures"
            rows.append(("plain convolutions" if plain else title, json.loads(path.read_text())))
    precision = " mAP |" if several else ""
    lines = [
        f"### {chosen.name}",
        "",
        f"{clip['count']} {kind}, {ours['seconds']:.0f} s of processor time each;",
        f"`{' '.join(['--size', f'{chosen.size[0]}x{chosen.size[1]}', *chosen.flags])}`",
        "",
        f"| | right | 95 % interval |{precision} epochs | parameters | multiply-adds a frame |",
        "|---|---|---|---|---|---|" + ("---|" if several else ""),
    ]
    for title, it in rows:
        extra = f" {100 * it['mean_average_precision']:.1f} % |" if several else ""
        lines.append(
            f"| {title} | {100 * it['accuracy']:.1f} % | {100 * it['low']:.1f} to "
            f"{100 * it['high']:.1f} |{extra} {it['epochs']:.0f} | {it['parameters']:,.0f} | "
            f"{it['multiply_adds'] / 1e6:.2f} M |"
        )
    return "\n".join([*lines, ""])
