"""What the rounds say, as tables of Markdown."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench/live_loop begins -->", "<!-- bench/live_loop ends -->"
REFERENCE = "litert"
NAMES = {
    "edgecrnn": "**edgecrnn**, the whole loop, JSON lines written",
    "litert": "LiteRT's plain loop, resized as the model was trained",
    "litert_linear": "LiteRT's plain loop, resized bilinearly",
    "onnxruntime": "ONNX Runtime, int8 (QDQ)",
    "openvino": "OpenVINO, the same int8 ONNX",
    "window": "LiteRT, a window of 16 frames read again",
    "mediapipe": "MediaPipe Tasks ImageClassifier, VIDEO mode",
}
_TITLES = {
    "stream": "A recurrent network, a frame at a time (48x48, 640x480 frames)",
    "small": "The same network, frames as small as it reads them: nothing is resized",
    "picture": "A network of pictures, which MediaPipe can run too (640x480 frames)",
}


def ratios(result: dict[str, Any], name: str, key: str) -> tuple[float, float, float]:
    """Quartiles of the ratio to the reference, round by round: (middle, low, high)."""
    ours, theirs = (result["contenders"][each][key] for each in (name, REFERENCE))
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive")
    return middle, low, high


def table(folder: Path) -> str:
    """One table for each kind of network that was measured."""
    lines: list[str] = []
    for kind, title in _TITLES.items():
        path = folder / f"{kind}.json"
        if not path.exists():
            continue
        result = json.loads(path.read_text())
        lines += [
            f"### {title}",
            "",
            "| | processor, ms a frame | to the plain loop (quartiles) | by the clock | "
            "first answer | memory | same label |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, one in result["contenders"].items():
            middle, low, high = ratios(result, name, "core_ms")
            lines.append(
                f"| {NAMES[name]} | {statistics.median(one['core_ms']):.3f} | "
                f"{middle:.2f} ({low:.2f} to {high:.2f}) | "
                f"{ratios(result, name, 'wall_ms')[0]:.2f} | {one['first_s']:.2f} s | "
                f"{one['memory_mb']:.0f} MB | {one['agrees']:.1%} |"
            )
        lines += [
            "",
            f"{result['rounds']} rounds of {result['frames']} frames, one thread each; "
            f"{result['machine']}.",
            "",
        ]
    return "\n".join(lines).rstrip()


def written(page: str, folder: Path) -> str:
    """The page with the tables between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(folder)}\n{END}{rest.partition(END)[2]}"
