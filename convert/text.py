"""What a conversion found, as a table for the terminal."""

from __future__ import annotations

from edgecrnn.convert.backends import Deployment
from edgecrnn.convert.conversion import Converted
from edgecrnn.train.evaluation.text import percent, table


def certificate_text(converted: Converted, device: str) -> str:
    """One row a variant; what is not shipped says why."""
    rows = [("variant", "accuracy", "agrees", "size", "smaller", "ms a frame", "")]
    largest = max(finding.bytes for finding in converted.findings)
    rows.append(("Keras float32", percent(converted.keras_accuracy), "", "", "", "", ""))
    for finding in converted.findings:
        shipped = finding.variant in converted.shipped
        said = "refused"
        if shipped:
            place = converted.shipped.index(finding.variant)
            said = "preferred" if place == 0 else "shipped"
        rows.append(
            (
                finding.variant,
                percent(finding.accuracy),
                percent(finding.agreement),
                f"{finding.bytes / 1000:.0f} kB",
                f"{largest / finding.bytes:.2f} x",
                f"{finding.milliseconds:.3f}",
                said,
            )
        )
    head = f"certificate for {device}, over {converted.checked_frames} held-out frames"
    refusals = [
        f"{finding.variant} is not shipped: {finding.refused}\n"
        for finding in converted.findings
        if finding.refused
    ]
    delegates = [delegate_line(one) for one in converted.deployments]
    return f"{head}\n\n{table(rows)}{''.join(refusals)}\n{''.join(delegates)}"


def delegate_line(one: Deployment) -> str:
    """Who runs what, and what stands behind the claim."""
    if one.refused or one.placement is None:
        return f"{one.delegate}: not used: {one.refused}\n"
    placement = one.placement
    taken, left = sum(placement.taken.values()), sum(placement.left.values())
    pieces = "" if placement.partitions is None else f" in {_counted(placement.partitions)}"
    rest = ""
    if left:
        names = ", ".join(f"{name} {count}" for name, count in sorted(placement.left.items()))
        rest = f"; left to the CPU: {names}"
    speed = placement.facts.get("inferences_a_second")
    said = f", {speed:.0f} inferences a second" if isinstance(speed, int | float) else ""
    return (
        f"{one.delegate}: {one.recipe}, {taken} of {taken + left} operators{pieces}{rest} "
        f"({placement.status}{said})\n"
    )


def _counted(partitions: int) -> str:
    return "one piece" if partitions == 1 else f"{partitions} pieces"
