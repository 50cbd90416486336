"""A state leaves the graph in its output's scale and comes back in its input's: one table a state.

What the table holds is done here by hand, in float64, for any two scales and zero points.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgecrnn.runtime.engine import _table
from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.session import Port

VALUES = np.arange(-128, 128)
# A scale is a positive float32; a ratio of 1e24 is far past anything that a model has.
SCALES = st.floats(2.0**-40, 2.0**40, width=32)
ZERO_POINTS = st.integers(-128, 127)


def port(scale: float, zero_point: int, dtype: type[np.generic] = np.int8) -> Port:
    return Port(0, (1, 4), dtype, scale, zero_point)


def table(output: Port, input: Port) -> np.ndarray:
    """The input's value for each of VALUES; the identity where none is needed."""
    made = _table(output, input)
    if made is None:
        return VALUES
    assert made.shape == (256,) and made.dtype == np.int8
    return made[VALUES.astype(np.int8).view(np.uint8)].astype(np.int64)


@settings(max_examples=1000)
@given(SCALES, ZERO_POINTS, SCALES, ZERO_POINTS)
@example(1 / 128, 0, 1 / 256, -128)
@example(2.0**-40, 127, 2.0**40, -128)
@example(2.0**40, -128, 2.0**-40, 127)
def test_dequantized_then_quantized(
    out_scale: float, out_zero: int, in_scale: float, in_zero: int
) -> None:
    made = table(port(out_scale, out_zero), port(in_scale, in_zero))
    real = (VALUES.astype(np.float64) - out_zero) * out_scale
    by_hand = np.clip(np.rint(real / in_scale) + in_zero, -128, 127)
    assert np.abs(made - by_hand).max() <= 1
    # float32 rounds elsewhere only where the true value lies between two steps.
    apart = made != by_hand
    exact = real / in_scale + in_zero
    assert (np.abs(exact - np.floor(exact) - 0.5)[apart] < 1e-3).all()


@given(SCALES, ZERO_POINTS, SCALES, ZERO_POINTS)
def test_zero_stays_zero_and_order_is_kept(
    out_scale: float, out_zero: int, in_scale: float, in_zero: int
) -> None:
    made = table(port(out_scale, out_zero), port(in_scale, in_zero))
    assert made[out_zero + 128] == in_zero
    assert (np.diff(made) >= 0).all()


@given(SCALES, ZERO_POINTS)
def test_no_table_where_both_are_alike_or_float(scale: float, zero: int) -> None:
    assert _table(port(scale, zero), port(scale, zero)) is None
    assert _table(port(0.0, 0, np.float32), port(0.0, 0, np.float32)) is None


@given(SCALES, ZERO_POINTS)
def test_int8_on_one_side_alone_is_refused(scale: float, zero: int) -> None:
    for ports in (
        (port(scale, zero), port(0.0, 0, np.float32)),
        (port(0.0, 0, np.float32), port(scale, zero)),
        (port(scale, zero, np.int16), port(2 * scale, zero, np.int16)),
    ):
        with pytest.raises(EdgecrnnError, match="int8 or float on both sides"):
            _table(*ports)
