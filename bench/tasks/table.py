"""What was measured, as a table of Markdown, and the pictures beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
from contests import CONTESTS

BEGIN, END = "<!-- bench/tasks begins -->", "<!-- bench/tasks ends -->"
SAID = {
    "as_asked": "as asked", "coverage": "coverage", "accuracy": "accuracy",
    "mean_average_precision": "mean average precision",
    "psnr": "PSNR, dB", "ssim": "SSIM", "f1": "best F1", "mean_iou": "mean IoU",
    "spearman": "Spearman", "recall_at_1": "recall at 1", "recall_at_10": "recall at 10",
    "map_at_50": "mAP at 0.5", "frechet": "Frechet distance (less is better)",
    "taught": "a classifier taught by it alone",
}  # fmt: skip


def results(folder: Path) -> list[dict[str, Any]]:
    """What is there, in the order of the contests."""
    files = [folder / f"{each.title}.json" for each in CONTESTS]
    return [json.loads(file.read_text()) for file in files if file.exists()]


_HEADS = (
    "| task | measure | Keras float | ships | the usual method | more by (95 %) | int8 keeps |",
    "| task | test pictures | parameters | million multiply-adds | ships | trained in |",
)


def table(folder: Path, page: str = "") -> str:
    """Two tables; rows of `page` stay for tasks that were not measured in this folder."""
    parts = []
    for index, (head, make) in enumerate(zip(_HEADS, (_measured, _about), strict=True)):
        rows = _rows(page, head) | {one["task"]: make(one) for one in results(folder)}
        order = [each.title for each in CONTESTS]
        names = sorted(rows, key=lambda name: order.index(name) if name in order else len(order))
        rule = "|" + "---|" * (head.count("|") - 1)
        parts += [*([""] if index else []), head, rule, *(line for n in names for line in rows[n])]
    return "\n".join(parts)


def _rows(page: str, head: str) -> dict[str, list[str]]:
    """The table's lines by task; {} where the page has no such table."""
    rows: dict[str, list[str]] = {}
    lines = iter(page.split("\n"))
    if any(line == head for line in lines):
        next(lines)
        for line in lines:
            if not line.startswith("|"):
                break
            rows.setdefault(line.split("|")[1].strip(), []).append(line)
    return rows


def _measured(one: dict[str, Any]) -> list[str]:
    """A row a measure; what does not win is in bold."""
    lines = []
    for other in one.get("others", ()):
        lines += _measured({**one, **other, "others": ()})
    for name, gain in one["gain"].items():
        ours, keras = one["shipped"][name]["value"], one["keras"][name]["value"]
        usual = one["usual"][name] if isinstance(one["usual"], dict) else one["usual"]
        kept = keras / ours if name == "frechet" else ours / keras
        said = f"{gain['mean']:+.3f} ({gain['low']:.3f} to {gain['high']:.3f})"
        if gain["low"] <= 0:
            said = f"**does not win: {said}**"
        lines.append(
            f"| {one['task']} | {SAID[name]} | {keras:.3f} | {ours:.3f} ({one['variant']}) | "
            f"{one['theirs'][name]['value']:.3f} ({usual}) | {said} | {kept:.1%} |"
        )
    return lines


def _about(one: dict[str, Any]) -> list[str]:
    return [
        f"| {one['task']} | {one['pictures']}, {one['said']} | {one['parameters']:,} | "
        f"{one['million_multiply_adds']:.0f} | {one['bytes'] / 1000:.0f} kB | "
        f"{_time(one['train_seconds'])} |"
    ]


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def written(page: str, folder: Path) -> str:
    """The page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    inside, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(folder, inside)}\n{END}{after}"


def pictures_of(folder: Path, images: Path) -> None:
    """The strips as small files."""
    for one in results(folder):
        strip = cv2.imread(str(folder / f"{one['task']}.png"))
        if strip is None:
            continue  # a task of labels has none
        target = images / f"task-{one['task']}.webp"
        cv2.imwrite(str(target), strip, [cv2.IMWRITE_WEBP_QUALITY, 80])
