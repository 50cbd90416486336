"""What was found, as plain text: short, the most important first."""

from __future__ import annotations

import textwrap
from collections import Counter

from edgecrnn.train.data.check.check import Checked
from edgecrnn.train.data.check.finding import Entry, Finding, counted
from edgecrnn.train.evaluation.text import shown, table

_SHOWN = 3  # entries of a finding
_FILES = 2  # files of an entry
_WIDTH = 100
_INDENT = " " * 9
_LETTERS = 60  # of a file's name
_CLASSES = 40  # rows of the table


def check_text(checked: Checked) -> str:
    """The counts, the findings and a last line, ending in a newline."""
    parts = [f"{headline(checked)}\n", _counts(checked)]
    parts += [_finding_text(finding) for finding in checked.findings]
    parts.append(f"{verdict(checked)}\n")
    return "\n".join(parts)


def headline(checked: Checked) -> str:
    """What the folder holds, in one line."""
    layout = checked.layout
    one = layout.kind.removesuffix("s")
    what = "classes" if layout.task == "classify" else "labels"
    rate = f" at {checked.frame_rate:g} frames a second" if checked.frame_rate else ""
    size = f"{counted(len(layout.items), one)} of {len(layout.labels)} {what}{rate}"
    return f"{shown(str(layout.root), 1000)}: {size}, read in {checked.seconds:.1f} s"


def verdict(checked: Checked) -> str:
    """How much was found, in one line."""
    if not checked.findings:
        return "Nothing was found that speaks against training on it."
    counts = checked.severities
    said = [
        f"{counts['serious']} serious",
        counted(counts["warning"], "warning"),
        counted(counts["note"], "note"),
    ]
    return ", ".join(said) + ("" if checked.serious else ": nothing serious")


def entry_text(entry: Entry) -> str:
    """The files of an entry, and what is said of them."""
    names = [shown(name, _LETTERS) for name in entry.files[:_FILES]]
    more = f" and {len(entry.files) - _FILES} more" if len(entry.files) > _FILES else ""
    sign = " = " if entry.said == "identical" else " ~ "
    said = f" ({entry.said})" if entry.said and entry.said != "identical" else ""
    return f"{sign.join(names)}{more}{said}"


def _counts(checked: Checked) -> str:
    splits = list(checked.counts)
    labels = checked.layout.labels[:_CLASSES]
    head = ["class" if checked.layout.task == "classify" else "label", *splits]
    rows = [head]
    rows += [[shown(name), *(f"{checked.counts[s][name]:,}" for s in splits)] for name in labels]
    if checked.layout.task != "classify":
        held = Counter(r.item.split for r in checked.readings if not r.error)
        rows.append([f"all {checked.layout.kind}", *(f"{held[split]:,}" for split in splits)])
    more = len(checked.layout.labels) - len(labels)
    return table(rows) + (f"and {more} more\n" if more else "")


def _finding_text(finding: Finding) -> str:
    lines = _wrapped(f"{finding.severity:<9}", finding.title)
    lines += [f"{_INDENT}  {entry_text(entry)}" for entry in finding.entries[:_SHOWN]]
    more = len(finding.entries) - _SHOWN
    if more > 0:
        lines.append(f"{_INDENT}  and {more:,} more")
    return "\n".join([*lines, *_wrapped(f"{_INDENT}→ ", finding.remedy)]) + "\n"


def _wrapped(start: str, text: str) -> list[str]:
    safe = shown(text, 2000)
    return textwrap.wrap(
        safe, _WIDTH, initial_indent=start, subsequent_indent=" " * len(start),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
