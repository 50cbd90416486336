"""What a conversion found, as a table for the terminal."""

from __future__ import annotations

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
    return f"{head}\n\n{table(rows)}{''.join(refusals)}"
