"""What every page shares: the templates, the style, and how values are said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from edgecrnn.train.evaluation.text import count_said, percent

_FOLDER = Path(__file__).parent
_STYLES = ("report.css", "certificate.css", "diagram.css", "compare.css")


def render(template: str, **values: Any) -> str:
    """A template of this folder, filled in; names in `values` are escaped, markup is not."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["count"] = count_said
    environment.filters["bytes"] = bytes_said
    environment.filters["setting"] = setting_said
    return environment.get_template(template).render(**values)


def style() -> Markup:
    """The style sheet of all pages."""
    return Markup("\n".join((_FOLDER / name).read_text("utf-8") for name in _STYLES))


def bytes_said(size: float) -> str:
    """'71 kB' or '3.4 MB'."""
    if size < 1000:
        return f"{size:.0f} B"
    return f"{size / 1e3:,.0f} kB" if size < 999_500 else f"{size / 1e6:,.1f} MB"


def setting_said(value: Any) -> str:
    """A setting's value as a person writes it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {setting_said(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(setting_said, value)) or "none"
    return str(value) if value != "" else "not set"


def share_said(share: float | None) -> str:
    """'99.92 %', '100 %' only where nothing is missing, or - for 0/0."""
    if share is None:
        return "-"
    if share >= 1:
        return "100 %"
    return f"{min(99.99, 100 * share):.2f} %"
