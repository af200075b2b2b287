"""Analytic bias correction: what rounding the weights adds to a layer's mean output is taken off.

``b -= sum_k (W_q - W)_k E[x_k]`` (Nagel 2019, "Data-Free Quantization Through Weight Equalization
and Bias Correction", section 4.2), the expectation over the calibration samples. A tap
that falls into the padding reads zeros, so each counts by the share of places where it doesn't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.core.ir import ir

    Floats = NDArray[np.float32]


def tap_shares(sizes: list[int], node: ir.Node, kernel: tuple[int, ...]) -> NDArray[np.float64]:
    """The share of a convolution's places at which each tap lies inside of its input.

    Args:
        sizes: The input's size along each kernel axis.
        node: The Conv.
        kernel: The kernel's size along each axis.

    Returns:
        Of the kernel's shape.
    """
    count = len(kernel)
    strides = node.attributes.get_ints("strides", [1] * count)
    dilations = node.attributes.get_ints("dilations", [1] * count)
    pads = node.attributes.get_ints("pads", [0] * 2 * count)
    shares = np.ones(())
    for axis, size in enumerate(sizes):
        reach = dilations[axis] * (kernel[axis] - 1) + 1
        places = max((size + pads[axis] + pads[axis + count] - reach) // strides[axis] + 1, 1)
        at = np.arange(places)[:, None] * strides[axis] - pads[axis]
        at = at + np.arange(kernel[axis]) * dilations[axis]
        inside = ((at >= 0) & (at < size)).mean(0)
        shares = np.multiply.outer(shares, inside)
    return shares


def convolution_shift(
    error: Floats, means: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far rounding moves each output channel of a convolution, on average.

    Args:
        error: ``W_q - W``, ``(O, I / groups, kh, kw)`` or with one or three kernel axes.
        means: Of the input's channels, ``(I,)``.
        shares: Of the kernel's shape: see :func:`tap_shares`.

    Returns:
        ``(O,)``.
    """
    outputs, inputs = error.shape[:2]
    groups = len(means) // inputs
    each = (error.reshape(outputs, inputs, -1) * shares.reshape(-1)).sum(-1, dtype=np.float64)
    each = each.reshape(groups, outputs // groups, inputs)
    shift: NDArray[np.float64] = np.einsum("goi,gi->go", each, means.reshape(groups, inputs))
    return shift.reshape(outputs)


def product_shift(error: Floats, means: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The same for a matrix product.

    Args:
        error: ``(K, N)``, or ``(N, K)`` with the outputs along ``axis`` 0.
        means: ``(K,)``.
        axis: The outputs' axis.

    Returns:
        ``(N,)``.
    """
    wide = error.astype(np.float64)
    return wide @ means if axis == 0 else means @ wide
