"""A bundle's certificate as a section of the report, and as a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from edgecrnn.runtime.files import write_file
from edgecrnn.train.report.drift import drift_chart
from edgecrnn.train.report.page import bytes_said, render, share_said, style
from edgecrnn.train.report.places import counts_said, place, value_said


@dataclass(frozen=True)
class Row:
    """One variant in words. Empty: not known."""

    name: str
    decodes: str
    verdict: str  # "ships first", "ships", "refused"
    reason: str
    accuracy: str
    change: str  # of accuracy
    agreement: str
    agreement_tflite: str
    worst: str
    drop: str  # of that class
    mean: str
    largest: str
    size: str
    smaller: str
    time: str
    runtimes: tuple[str, ...]  # package and least version


def certificate_section(certificate: Mapping[str, Any], diagrams: Mapping[str, str]) -> Markup:
    """The section. Whatever a certificate does not say is left out.

    Args:
        certificate: a bundle's `certificate.json`, parsed.
        diagrams: SVGs of converted graphs, by their headings; they are put in as they are.
    """
    findings = certificate.get("variants", ())
    stream = certificate.get("sequence") in (None, "time")
    bounds = certificate.get("bounds", {})
    refused = [one["variant"] for one in findings if one.get("refused")]
    of = "the stream" if stream else "the pictures"
    drifts = {one["variant"]: one.get("drift", ()) for one in findings}
    keras = certificate.get("keras", {}).get("accuracy")
    made = rows(certificate)
    html = render(
        "certificate.html.j2",
        outcome=outcome(certificate),
        rows=made,
        runtimes=any(row.runtimes for row in made),
        keras="" if keras is None else share_said(keras),
        chart=drift_chart(drifts, bounds.get("agreement"), refused, of),
        stream=stream,
        bounds=bounds_said(bounds),
        facts=_facts(certificate, stream),
        timed=_timed(certificate),
        places=[place(one) for one in certificate.get("deployments", ())],
        names=[one["variant"] for one in findings],
        operators=operators(findings),
        sums=_sums(findings),
        diagrams={heading: Markup(drawing) for heading, drawing in diagrams.items()},
    )
    return Markup(html)


def write_certificate_page(
    path: Path, certificate: Mapping[str, Any], diagrams: Mapping[str, str], title: str
) -> None:
    """Write the section as a page of its own, whole or not at all."""
    section = certificate_section(certificate, diagrams)
    page = render("certificate_page.html.j2", title=title, style=style(), section=section)
    write_file(path, page.encode("utf-8", "replace"))


def outcome(certificate: Mapping[str, Any]) -> str:
    """What came of it, in a sentence or two."""
    findings = {one["variant"]: one for one in certificate.get("variants", ())}
    device = certificate.get("device", "the device")
    ships = _shipped(certificate)
    ranked = " first" if "shipped" in certificate else ""
    refused = [name for name, one in findings.items() if one.get("refused")]
    if not ships:
        return f"Nothing ships for {device}: every variant is out of bounds."
    first = findings[ships[0]]
    frames, counted = certificate.get("frames", 0), certificate.get("counted")
    if certificate.get("sequence") == "time":
        judged = f"{frames:,} frames that follow each other without a reset"
        if counted not in (None, frames):
            judged = f"{counted:,} counted of {judged}"
    elif "sequence" in certificate:
        judged = f"{frames:,} held-out pictures"
    else:
        judged = f"{frames:,} held-out frames"
    said = f"{ships[0]} ships{ranked} for {device}: it agrees with the trained model on "
    said += f"{share_said(first.get('agreement'))} of {judged}"
    smaller = _smaller(first, findings.values())
    said += f", and is {smaller}." if smaller else "."
    if refused:
        verb = "is" if len(refused) == 1 else "are"
        said += f" {_listed(refused)} {verb} refused."
    return said


def rows(certificate: Mapping[str, Any]) -> list[Row]:
    """The variants in the order that they were tried."""
    findings = certificate.get("variants", ())
    ships = _shipped(certificate)
    keras = certificate.get("keras", {}).get("accuracy")
    return [_row(one, findings, ships, "shipped" in certificate, keras) for one in findings]


def operators(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Each operator, and for each variant how many of which version: "4 x v3"."""
    found: dict[str, list[str]] = {}
    for column, one in enumerate(findings):
        for said, count in one.get("operators", {}).items():
            name, _, version = said.rpartition(" ")
            cells = found.setdefault(name or said, [""] * len(findings))
            more = f"{count} \N{MULTIPLICATION SIGN} {version}"
            cells[column] = f"{cells[column]}, {more}" if cells[column] else more
    return list(found.items())


def bounds_said(bounds: Mapping[str, Any]) -> str:
    """The rule that refuses, in a sentence; empty where there is none."""
    rules = []
    drop = bounds.get("accuracy_drop")
    if drop is not None:
        rules.append(f"loses at most {drop:g} point{'s' if drop != 1 else ''} of accuracy")
    if "agreement" in bounds:
        rules.append(f"agrees on at least {100 * bounds['agreement']:g} % of what counts")
    return f"A variant ships where it {' and '.join(rules)}." if rules else ""


def _row(
    one: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    ships: list[str],
    ranked: bool,
    keras: float | None,
) -> Row:
    name, reason = one["variant"], one.get("refused", "")
    first = "ships first" if [name] == ships[:1] and ranked else "ships"
    verdict = first if name in ships else "refused"
    accuracy, drop = one.get("accuracy"), one.get("worst_drop", 0.0)
    change = ""
    if accuracy is not None and keras is not None:
        points = 100 * (accuracy - keras)
        change = "as trained" if abs(points) < 0.005 else f"{_signed(points)} points"
    lost = drop > 0.005
    worst = one.get("worst_class", "") if lost or "worst_drop" not in one else "no class lost"
    runtimes = one.get("runtimes") or one.get("runtime") or {}
    milliseconds = one.get("milliseconds")
    beside = share_said(one.get("agreement_tflite", one.get("agreement")))
    beside = "the same" if beside == share_said(one.get("agreement")) else beside
    beside = f"{beside} to float32" if "agreement_tflite" in one else ""
    return Row(
        name=name,
        decodes=one.get("decodes", ""),
        verdict=verdict,
        reason=reason,
        accuracy=share_said(accuracy),
        change=change,
        agreement=share_said(one.get("agreement")),
        agreement_tflite=beside,
        worst=worst,
        drop=f"{_signed(-drop)} points" if lost else "",
        mean=_difference(one.get("mean_difference")),
        largest=_difference(one.get("largest_difference")),
        size=bytes_said(one["bytes"]) if "bytes" in one else "",
        smaller=_smaller(one, findings),
        time="" if milliseconds is None else f"{milliseconds:.{3 if milliseconds < 1 else 1}f} ms",
        runtimes=tuple(f"{package} {least}" for package, least in runtimes.items()),
    )


def _shipped(certificate: Mapping[str, Any]) -> list[str]:
    """Variants that ship, the preferred first, or the smallest where no order is told.

    What a compiler made of them is not among them.
    """
    within = [one for one in certificate.get("variants", ()) if not one.get("refused")]
    names = [one["variant"] for one in sorted(within, key=lambda one: one.get("bytes", 0))]
    return [name for name in certificate.get("shipped", names) if name in names]


def _smaller(one: Mapping[str, Any], findings: Any) -> str:
    largest = max((other.get("bytes", 0) for other in findings), default=0)
    times = largest / one["bytes"] if one.get("bytes") else 1.0
    return f"{times:.1f} times smaller" if times >= 1.05 else ""


def _sums(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Below the operators: how many there are, and who runs them on the CPU."""
    counts = [str(sum(one.get("operators", {}).values())) for one in findings]
    lines = [("all", counts)]
    if any("delegated" in one for one in findings):
        lines.append(("run by XNNPACK", [str(one.get("delegated", "")) for one in findings]))
        lines.append(("in pieces", [str(one.get("partitions", "")) for one in findings]))
    if any("left" in one for one in findings):
        left = [counts_said(one.get("left", {})) or "none" for one in findings]
        lines.append(("left to the built-in kernels", left))
    if any(one.get("operator") for one in findings):
        lines.append(("asks for the newest runtime", [one.get("operator", "") for one in findings]))
    return lines


def _facts(certificate: Mapping[str, Any], stream: bool) -> list[tuple[str, str]]:
    data = certificate.get("data", {})
    facts = {
        f"held-out {'frames' if stream else 'pictures'}": certificate.get("frames"),
        "of them counted": certificate.get("counted"),
        "split": data.get("split", certificate.get("split")),
        "runtime of the device": certificate.get("device_runtime"),
        "compared with": certificate.get("runtime"),
        "data": str(data.get("hash", ""))[:12],
    }
    return [(name, value_said(value)) for name, value in facts.items() if value not in (None, "")]


def _timed(certificate: Mapping[str, Any]) -> str:
    """Where the times come from."""
    said = ", ".join(certificate[key] for key in ("machine", "runtime") if certificate.get(key))
    note = certificate.get("machine_note", "")
    parts = (f"Times: {said}." if said else "", f"{note[:1].upper()}{note[1:]}." if note else "")
    return " ".join(part for part in parts if part)


def _difference(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0e}" if 0 < value < 0.0001 else f"{value:.4f}"


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
