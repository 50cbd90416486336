"""What can be chosen about a conversion."""

from __future__ import annotations

from dataclasses import dataclass

from edgecrnn.runtime.settings import check as check_settings
from edgecrnn.runtime.settings import setting


@dataclass(frozen=True)
class ConvertSettings:
    """How a run is converted and checked."""

    calibration_frames: int = setting(
        600, "inputs that int8 ranges are measured on", unit="frames", least=1, most=100000
    )
    check: int = setting(
        5000, "held-out frames that every variant is compared on", unit="frames", least=16
    )
    require: str = setting("", "fail where this variant is out of bounds: a recipe, e.g. int8")
    recipes: tuple[str, ...] = setting(
        (), "recipes of one's own to try first: names or .toml files"
    )
    seed: int = setting(0, "order of the streams", least=0)

    def __post_init__(self) -> None:
        check_settings(self)
