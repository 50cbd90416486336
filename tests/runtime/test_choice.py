"""Which engine runs a bundle. Every delegate here is a real library, compiled from delegate.c."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.colors import golden_of_colors

import edgecrnn
from edgecrnn.runtime.bundle import Bundle, open_bundle
from edgecrnn.runtime.candidates import bundle_order
from edgecrnn.runtime.choice import EngineSettings, choose_engine
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.manifest import Variant

Made = Callable[..., Bundle]


@pytest.fixture
def for_library(make_bundle: Callable[..., Path], delegate_library: Path) -> Made:
    """A bundle whose certificate names the library, with these options."""

    def make(golden: Any = None, **options: str) -> Bundle:
        facts = {"library": str(delegate_library), "options": options}
        deployments = [
            {"delegate": "external", "refused": "", "facts": facts},
            {"delegate": "cpu", "refused": "", "facts": {}},
        ]
        return open_bundle(make_bundle(golden=golden, certificate={"deployments": deployments}))

    return make


def refused(bundle: Bundle, **asked: Any) -> str:
    with pytest.raises(EdgecrnnError) as caught:
        choose_engine(bundle, EngineSettings(**asked))
    return str(caught.value)


def test_nothing_asked_is_the_cpu_proven(bundle: Bundle) -> None:
    chosen = choose_engine(bundle, EngineSettings())
    assert (chosen.engine.delegate, chosen.refused) == ("cpu", ())
    assert chosen.about.golden is not None and chosen.about.golden < 1e-5
    said = chosen.about.text()
    assert said.startswith("float32, 1 thread; cpu (XNNPACK, ")
    assert "took 6 of 7 operators in 1 partition, left 1 CAST; golden frames within 0.0000" in said


def test_the_library_asked_for_is_the_one_used(bundle: Bundle, delegate_library: Path) -> None:
    chosen = choose_engine(bundle, EngineSettings(delegate=str(delegate_library)))
    assert chosen.engine.delegate == "external"
    assert chosen.engine.delegation() == (3, 2)
    facts = chosen.about.facts()
    assert facts["taken"] == {"MUL": 3} and facts["helped_by_xnnpack"] == 3
    assert facts["golden"] < 1e-5


def test_the_bundle_says_library_options_and_order(for_library: Made) -> None:
    bundle = for_library()
    assert bundle_order(bundle) == ("external", "cpu")
    assert choose_engine(bundle, EngineSettings(delegate="external")).engine.delegation() == (3, 2)
    assert "got none of 7" in refused(for_library(claim="none"), delegate="external")


def test_what_was_compiled_for_a_delegate_must_answer_as_its_recipe(
    make_bundle: Callable[..., Path], delegate_library: Path
) -> None:
    runtimes = {"ai-edge-litert": "1.0", "tflite-runtime": "1.5"}
    variants = (
        Variant("float32", "float32.tflite", ("cpu",), "ADD v1", runtimes),
        Variant("float32.edgetpu", "float32.tflite", ("edgetpu",), "ADD v1", runtimes),
    )
    facts = {"library": str(delegate_library)}
    deployments = [{"delegate": "edgetpu", "refused": "", "facts": facts}]
    certificate = {"deployments": deployments}
    bundle = open_bundle(make_bundle(variants=variants, certificate=certificate))
    # What is compiled for an accelerator is never taken where none was asked for.
    assert choose_engine(bundle, EngineSettings()).engine.variant == "float32"
    chosen = choose_engine(bundle, EngineSettings(delegate="edgetpu"))
    assert chosen.engine.variant == "float32.edgetpu"
    assert chosen.about.golden is not None and chosen.about.golden < 1e-5


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("claim=none", "expected it to take operators of float32, got none of 7: the CPU would"),
        ("answer=wrong", "expected the scores of the bundle's golden frames within 0.0100, got"),
        ("prepare=fail", "but it said: the test's delegate found no device;"),
        ("prepare=crash", "the process that loaded it was killed by SIGABRT; its last words:"),
        ("prepare=hang", "expected an answer within 5 s, got none: it hangs;"),
        ("prepare=stderr", "answers would be garbage, it said: Validation error: a shader"),
        ("invoke=fail", "it said: the test's delegate lost its device"),
        ("load=fail", "it said: no device of mine is plugged in;"),
    ],
)
def test_a_delegate_that_does_not_do_what_it_should_stops_it(
    for_library: Made, option: str, said: str
) -> None:
    # A busy machine needs seconds to start the process that tries it.
    wait = 5.0 if option == "prepare=hang" else 60.0
    asked = {"delegate": "external", "delegate_option": (option,), "delegate_timeout": wait}
    found = refused(for_library(), **asked)
    assert said in found
    assert found.endswith("; or go on with cpu: --allow-fallback")


@pytest.mark.parametrize("option", ["prepare=crash", "prepare=fail", "answer=wrong", "claim=none"])
def test_fallback_takes_the_next_on_a_fresh_interpreter_and_says_so(
    for_library: Made, option: str
) -> None:
    told: list[str] = []
    asked = EngineSettings(delegate="external", delegate_option=(option,), allow_fallback=True)
    chosen = choose_engine(for_library(), asked, say=told.append)
    assert chosen.engine.delegate == "cpu"
    assert chosen.engine.delegation() == (6, 1)
    assert chosen.about.golden is not None and chosen.about.golden < 1e-5
    assert told == [
        *chosen.refused,
        "external cannot be used; cpu takes its place, as --allow-fallback says",
    ]


def test_a_mistake_is_no_reason_to_fall_back(bundle: Bundle) -> None:
    said = refused(bundle, delegate="cpuu", allow_fallback=True)
    assert "(did you mean 'cpu'?)" in said
    assert "got 'int9'" in refused(bundle, variant="int9", allow_fallback=True)


def test_a_delegate_that_the_bundle_has_nothing_for(bundle: Bundle) -> None:
    said = refused(bundle, delegate="edgetpu")
    assert "edgetpu: expected a variant for it in the bundle (int8.edgetpu), got float32" in said


def test_wrong_golden_frames_stop_the_cpu_too(make_bundle: Callable[..., Path]) -> None:
    golden = golden_of_colors(memory=True)
    golden["float32"] = 1 - golden["float32"]
    said = refused(open_bundle(make_bundle(golden=golden)))
    assert "cpu: expected the scores of the bundle's golden frames within 0.0100, got" in said


def test_without_golden_frames_no_accelerator_is_believed(
    for_library: Made, make_bundle: Callable[..., Path]
) -> None:
    assert "to prove external" in refused(for_library(golden={}), delegate="external")
    chosen = choose_engine(open_bundle(make_bundle(golden={})), EngineSettings())
    assert chosen.about.golden is None and "golden" not in chosen.about.text()


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ({"float32": [[1.0]]}, "expected golden scores of float32, got none"),
        ({"frames": [[1.0]], "float32": [[1.0]]}, r"expected golden frames of \(16, 16, 3\), got"),
    ],
)
def test_golden_frames_that_are_none(
    make_bundle: Callable[..., Path], golden: dict[str, Any], said: str
) -> None:
    bundle = open_bundle(make_bundle(golden=golden))
    with pytest.raises(EdgecrnnError, match=said):
        choose_engine(bundle, EngineSettings())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"threads": 0}, "threads: expected 1 to 1024"),
        ({"threads": 100_000}, "threads: expected 1 to 1024"),
        ({"engine": "onnx"}, "engine: expected one of auto, ai-edge-litert, tflite-runtime"),
        ({"delegate_option": ("speed",)}, "delegate_option: expected KEY=VALUE, got 'speed'"),
        ({"delegate_timeout": 0.0}, "delegate_timeout: expected at least 1 s"),
    ],
)
def test_settings_that_cannot_be(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(EdgecrnnError, match=said):
        EngineSettings(**asked)


def test_a_runtime_that_is_not_installed(bundle: Bundle) -> None:
    said = refused(bundle, engine="tflite-runtime")
    assert "expected tflite-runtime to be installed, got ai-edge-litert" in said
    assert "pip install tflite-runtime" in said


def test_a_package_that_is_asked_for_is_used(bundle: Bundle, older_runtime: Path) -> None:
    """In the environment that has tflite-runtime 2.14 and nothing else."""
    code = (
        "import sys; from pathlib import Path\n"
        "from edgecrnn.runtime.bundle import open_bundle\n"
        "from edgecrnn.runtime.choice import EngineSettings, choose_engine\n"
        "bundle = open_bundle(Path(sys.argv[1]))\n"
        "print(choose_engine(bundle, EngineSettings(engine='tflite-runtime')).about.text())\n"
        "choose_engine(bundle, EngineSettings(engine='ai-edge-litert'))\n"
    )
    done = subprocess.run(
        [older_runtime, "-c", code, bundle.path],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(edgecrnn.__file__).parent.parent)},
    )  # fmt: skip
    assert "cpu (XNNPACK, tflite-runtime 2.14.0) took 6 of 7 operators" in done.stdout
    assert "expected ai-edge-litert to be installed, got tflite-runtime" in done.stderr
