"""Delegates out of shared libraries: real ones, compiled from delegate.c."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.colors import COLORS, color_model, golden_of_colors

from edgecrnn.runtime.delegates import Terms, delegate_named, delegate_names
from edgecrnn.runtime.engine import Engine
from edgecrnn.runtime.errors import EdgecrnnError


def engine(library: Path, **options: str) -> Engine:
    terms = Terms(str(library), options)
    return Engine(color_model(True), COLORS, "float32", 1, "external", terms)


def other_machine(library: Path, folder: Path) -> Path:
    """The same library, its header saying that it is for another architecture."""
    data = bytearray(library.read_bytes())
    machine = 62 if platform.machine() == "aarch64" else 183
    data[18:20] = machine.to_bytes(2, "little")
    path = folder / "libother.so"
    path.write_bytes(data)
    return path


def test_what_it_takes_is_counted_apart_from_what_xnnpack_takes(delegate_library: Path) -> None:
    found = engine(delegate_library).about
    assert found.placement.names(found.placement.taken) == ("MUL", "MUL", "MUL")
    assert found.placement.partitions == 2
    assert found.placement.names(found.placement.helped) == ("MEAN", "ADD", "SOFTMAX")
    assert found.runs_on == str(delegate_library)
    said = found.text()
    assert "took 3 of 7 operators in 2 partitions, left " in said
    assert "(3 of them to XNNPACK)" in said


def test_one_that_claims_nothing_is_seen_though_xnnpack_takes_the_rest(
    delegate_library: Path,
) -> None:
    made = engine(delegate_library, claim="none")
    assert made.placement() == ([], ["CAST", "MEAN", "MUL", "MUL", "ADD", "MUL", "SOFTMAX"], 0)
    assert len(made.about.placement.helped) == 6


def test_its_answers_are_the_cpus(delegate_library: Path) -> None:
    golden = golden_of_colors(memory=True)
    made = engine(delegate_library)
    state = made.zero_state()
    for frame, expected in zip(golden["frames"], golden["float32"], strict=True):
        scores, state = made.step(frame, state)
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_failure_in_prepare_is_one_sentence(delegate_library: Path) -> None:
    with pytest.raises(EdgecrnnError) as caught:
        engine(delegate_library, prepare="fail")
    assert "but it said: the test's delegate found no device; see" in str(caught.value)
    # A fresh interpreter beside it works.
    assert Engine(color_model(True), COLORS, "float32").delegation() == (6, 1)


def test_one_that_is_not_made_is_one_sentence(delegate_library: Path) -> None:
    with pytest.raises(EdgecrnnError, match="it said: no device of mine is plugged in; see"):
        engine(delegate_library, load="fail")


def test_a_device_that_is_lost_is_one_sentence(delegate_library: Path) -> None:
    made = engine(delegate_library, invoke="fail")
    with pytest.raises(EdgecrnnError, match=r"external: .* it said: the test's delegate lost its"):
        made.step(np.zeros(made.frame_shape, np.uint8), made.zero_state())


def test_a_library_for_another_machine_is_named_as_such(
    delegate_library: Path, tmp_path: Path
) -> None:
    other = other_machine(delegate_library, tmp_path)
    with pytest.raises(EdgecrnnError, match=f"expected a library for {platform.machine()}, got"):
        engine(other)
    assert "got one for" in delegate_named("external").check(Terms(str(other)))


def test_a_library_that_is_no_delegate() -> None:
    core = next(Path(np.__file__).parent.rglob("_multiarray_umath*.so"))
    with pytest.raises(EdgecrnnError, match="got one without tflite_plugin_create_delegate"):
        engine(core)


def test_files_that_are_no_library(tmp_path: Path) -> None:
    (tmp_path / "lib.so").write_text("not a library at all")
    for name, said in (("lib.so", "got another kind of file"), ("none.so", "got No such file")):
        assert said in delegate_named("external").check(Terms(str(tmp_path / name)))
    assert "expected a library, got none named" in delegate_named("external").check(Terms())


@pytest.mark.parametrize(
    ("name", "library"), [("edgetpu", "libedgetpu.so.1"), ("ethos-u", "libethosu_delegate.so")]
)
def test_a_vendors_library_that_is_not_installed(name: str, library: str) -> None:
    said = delegate_named(name).check(Terms())
    if not said:
        pytest.skip(f"{library} is installed here")
    assert said.startswith(f"{library}: expected a delegate library where the loader looks")
    with pytest.raises(EdgecrnnError, match=library):
        Engine(color_model(True), COLORS, "int8", 1, name)


def test_a_vendors_library_is_taken_from_where_the_bundle_says(delegate_library: Path) -> None:
    terms = Terms(str(delegate_library))
    for name in ("edgetpu", "ethos-u"):
        made = Engine(color_model(True), COLORS, "float32", 1, name, terms)
        assert made.delegation() == (3, 2)


def test_every_delegate_keeps_the_interface() -> None:
    assert delegate_names() == ("cpu", "edgetpu", "ethos-u", "external", "gpu", "litert-npu")
    for name in delegate_names():
        delegate = delegate_named(name)
        assert delegate.TITLE and delegate.PACKAGES
        assert isinstance(delegate.check(Terms()), str)


def test_an_unknown_delegate_names_the_nearest() -> None:
    with pytest.raises(EdgecrnnError, match=r"got 'edgetpuu' \(did you mean 'edgetpu'\?\)"):
        delegate_named("edgetpuu")
