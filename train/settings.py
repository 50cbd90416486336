"""What can be chosen about training."""

from __future__ import annotations

from dataclasses import dataclass

from edgecrnn.runtime.settings import check, setting


@dataclass(frozen=True)
class TrainSettings:
    """How the network is fitted. Every number is written back into the run."""

    epochs: int = setting(30, "passes over the training clips", unit="epochs", least=1)
    batch: int = setting(16, "streams (or pictures) trained on side by side", least=1)
    window: int = setting(
        16, "frames between two updates; a clip has at least as many", unit="frames", least=2
    )
    warmup: int | None = setting(
        None,
        "frames after a reset or a change of class that neither the loss nor the score counts; "
        "half a clip where not given, at most 8",
        unit="frames",
        least=0,
    )
    reset_every: float = setting(
        8.0, "mean number of windows after which a stream starts again from zero", least=1.0
    )
    learning_rate: float = setting(0.003, "Adam's step at its height", least=1e-7, most=1.0)
    schedule: str = setting(
        "cosine", "how the step falls after a short rise", choices=("cosine", "constant")
    )
    average: float = setting(
        0.03,
        "how far back the average goes that is judged and kept instead of the weights; 0 for none",
        unit="share of all updates",
        least=0.0,
        most=1.0,
    )
    clip_norm: float = setting(1.0, "largest norm of a gradient", least=0.001)
    weight_decay: float = setting(0.0001, "decay of the weights, decoupled (AdamW)", least=0.0)
    label_smoothing: float = setting(
        0.05, "share of the target spread over all labels", least=0.0, most=0.5
    )
    mixup: float = setting(
        0.0,
        "blend streams with each other: alpha of the Beta distribution of the shares; 0 for never",
        least=0.0,
        most=10.0,
    )
    teacher: str = setting("", "larger run of the same data that the network learns from too")
    distillation: float = setting(
        0.5, "share of the loss that is the teacher's", least=0.0, most=1.0
    )
    temperature: float = setting(
        2.0, "by which both answers are softened for that", least=1.0, most=20.0
    )
    precision: str = setting(
        "float32",
        "numbers that the encoder computes with while it trains; the others for a GPU",
        choices=("float32", "bfloat16", "float16"),
    )
    guidance: float = setting(
        1.0,
        "weight of a second loss, on what the features say without the memory",
        least=0.0,
        most=10.0,
    )
    adversarial: float = setting(
        0.0,
        "weight of a discriminator's word, for tasks that make pictures; 0 for none",
        least=0.0,
        most=10.0,
    )
    patience: int = setting(
        0,
        "epochs without a better validation score before it stops; 0 never",
        unit="epochs",
        least=0,
    )
    frozen_epochs: int = setting(
        0,
        "at first, in which --weights stay as they are and the rest learns",
        unit="epochs",
        least=0,
    )
    quantization_aware: bool = setting(
        False, "train on with int8's rounding in the loop, for boards that compute in int8 alone"
    )
    quantization_epochs: int = setting(
        6, "of that, after the others, at a tenth of their step", unit="epochs", least=1
    )
    balanced: bool = setting(False, "draw every class equally often")
    seed: int = setting(0, "seed of weights, order, augmentation and dropout", least=0)
    baseline: bool = setting(
        True, "also train the same encoder without memory, to show what the LSTM adds"
    )

    def __post_init__(self) -> None:
        check(self)
