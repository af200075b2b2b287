"""Pads in LiteRT's words, held against which pixels a window touches."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.converters.tflite.ops.padding import Window


@st.composite
def lines(draw: st.DrawFn) -> tuple[Window, int]:
    """A window that goes over one axis, and the axis's size; at least one place."""
    kernel, stride, dilation = (draw(st.integers(1, n)) for n in (4, 3, 2))
    reach = dilation * (kernel - 1) + 1
    before, after = (draw(st.integers(0, max(reach - 1, 0))) for _ in range(2))
    size = draw(st.integers(max(reach - before - after, 1), 12))
    return Window((kernel,), (stride,), (dilation,), (before,), (after,)), size


def touched(window: Window, size: int) -> np.ndarray:
    """The pixels that each place looks at, ``(places, kernel)``; below 0 and from size on: pads."""
    places = np.arange(window.outputs([size])[0])[:, None] * window.strides[0]
    return places - window.before[0] + np.arange(window.kernel[0]) * window.dilations[0]


@given(lines())
def test_every_place_fits_and_no_further_one_does(line: tuple[Window, int]) -> None:
    window, size = line
    at = touched(window, size)
    assert at.max() < size + window.after[0]
    assert at[-1].max() + window.strides[0] >= size + window.after[0]


@given(lines())
def test_what_is_needed_is_what_is_read(line: tuple[Window, int]) -> None:
    window, size = line
    ((before, after),) = window.needed([size])
    at = touched(window, size)
    assert before == window.before[0]
    assert after == max(at.max() - size + 1, 0)


@given(lines())
def test_same_reads_the_same_pixels(line: tuple[Window, int]) -> None:
    window, size = line
    if not window.is_same([size]):
        return
    (total,) = window.same([size])
    same = Window(
        window.kernel, window.strides, window.dilations, (total // 2,), (total - total // 2,)
    )
    np.testing.assert_array_equal(touched(same, size), touched(window, size))
