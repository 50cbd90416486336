"""What the conversion of a picture task found, as a table for the terminal."""

from __future__ import annotations

from edgecrnn.convert.pictures.conversion import ConvertedPictures
from edgecrnn.convert.text import delegate_line
from edgecrnn.train.evaluation.text import table


def picture_certificate_text(converted: ConvertedPictures, device: str) -> str:
    """One row a variant; what is not shipped says why."""
    names = tuple(converted.keras.measures)
    largest = max(finding.bytes for finding in converted.findings)
    rows = [("variant", *names, "size", "smaller", "ms a picture", "")]
    keras = tuple(f"{one.value:.3f}" for one in converted.keras.measures.values())
    rows.append(("Keras float32", *keras, "", "", "", ""))
    for finding in converted.findings:
        said = "refused"
        if finding.variant in converted.shipped:
            said = "preferred" if converted.shipped[0] == finding.variant else "shipped"
        rows.append(
            (
                finding.variant,
                *(f"{value:.3f}" for value in finding.measures.values()),
                f"{finding.bytes / 1000:.0f} kB",
                f"{largest / finding.bytes:.2f} x",
                f"{finding.milliseconds:.2f}",
                said,
            )
        )
    refusals = "".join(
        f"{finding.variant} is not shipped: {finding.refused}\n"
        for finding in converted.findings
        if finding.refused
    )
    head = f"certificate for {device}, over {converted.keras.count} held-out pictures"
    delegates = "".join(delegate_line(one) for one in converted.deployments)
    return f"{head}\n\n{table(rows)}{refusals}\n{delegates}"
