"""Rounding weights for the least error of a layer's outputs, not of the weights themselves.

What an error ``d = W_q - W`` costs at the outputs is ``d^T C d`` (see ``calibration.hessians``), so
the integers are searched for that (see ``calibration.descent``) instead of taken one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.blocks import nearest_blocks
from edgeopt.calibration.descent import Grid, descend, nearest_plane, quadratic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Wide = NDArray[np.float64]
    Bytes = NDArray[np.int8]

DAMPING = 0.01
"""The share of the mean variance that is added to every input's: what was seen of 32 samples is
not all there is (Frantar 2022, section 3.3, has the same share)."""

SWEEPS = 3
"""Sweeps of coordinate descent after the nearest plane: a fourth moves next to nothing."""

REFITS = 2
"""How often the scales of blocks are fitted anew to the integers found, and these to them."""


def round_weights(
    weight: Floats, axis: int, scales: Floats, limits: tuple[int, int], hessian: Wide
) -> Bytes:
    """Integers for a layer's weights at given scales.

    Args:
        weight: Any shape; channels along ``axis``, and what is left in the order of the Hessian's.
        axis: The output channels' axis.
        scales: ``(C,)``.
        limits: The least and the greatest integer.
        hessian: Of the layer's inputs, ``(G, K, K)``; G divides C, and K is what is left.

    Returns:
        Of the weights' shape. No output's loss is above that of rounding to nearest.
    """
    groups = len(hessian)
    steps = scales.reshape(groups, 1, -1).astype(np.float32)
    grid = Grid(_columns(weight, axis, groups), steps, *limits)
    return _restored(_solved(grid, damped(hessian)), weight.shape, axis).astype(np.int8)


def round_blocks(weight: Floats, block: int, bits: int, hessian: Wide) -> tuple[Bytes, Floats]:
    """Integers and scales for a matrix whose columns are cut into blocks.

    The scales start at those of :func:`~edgeopt.calibration.blocks.nearest_blocks`. Integers are
    found for them, then the scales of least loss for the integers, which are linear least squares,
    and so on.

    Args:
        weight: ``(K, N)``.
        block: Weights in a block.
        bits: Of the integers.
        hessian: Of the inputs, ``(1, K, K)``.

    Returns:
        The integers, ``(K, N)``, and the scales, ``(ceil(K / block), N)``.
    """
    curvature, half = damped(hessian), 1 << (bits - 1)
    scales = nearest_blocks(weight, block, bits)[1]
    integers = _solved(_block_grid(weight, scales, block, half), curvature)
    for _ in range(REFITS):
        scales = _fitted_scales(weight, integers[0], scales, block, curvature[0])
        grid = _block_grid(weight, scales, block, half)
        integers = descend(grid, curvature, integers, SWEEPS)
    return integers[0].astype(np.int8), scales


def damped(hessian: Wide, damping: float = DAMPING) -> Wide:
    """Positive definite: a share of the mean variance is added to every input's.

    Args:
        hessian: ``(G, K, K)``.
        damping: The share.

    Returns:
        The same shape; the identity in groups of which nothing is known.
    """
    size = hessian.shape[-1]
    mean = np.trace(hessian, axis1=1, axis2=2) / size
    usable = np.isfinite(hessian).all((1, 2)) & (mean > 0)
    found = np.where(usable[:, None, None], hessian, 0)
    at = np.arange(size)
    found[:, at, at] += np.where(usable, damping * mean, 1.0)[:, None]
    return found


def _solved(grid: Grid, hessian: Wide) -> Floats:
    nearest = grid.nearest()
    found = descend(grid, hessian, nearest_plane(grid, hessian), SWEEPS)
    better = quadratic(grid.errors(found), hessian) < quadratic(grid.errors(nearest), hessian)
    return np.where(better[:, None], found, nearest)


def _block_grid(weight: Floats, scales: Floats, block: int, half: int) -> Grid:
    steps = np.repeat(scales, block, axis=0)[: len(weight)]
    return Grid(weight[None], steps[None], -half, half - 1)


def _fitted_scales(
    weight: Floats, integers: Floats, scales: Floats, block: int, curvature: Wide
) -> Floats:
    """The scales of least loss for given integers, all blocks of a column at once.

    With ``Q`` the integers of a column, each block in a column of its own, the loss of ``Q s - w``
    is least where ``Q^T C Q s = Q^T C w``.
    """
    starts = np.arange(0, len(weight), block)
    pulled = np.add.reduceat(integers * (curvature @ weight), starts, axis=0)
    normal = np.empty((integers.shape[1], len(starts), len(starts)))
    for at, start in enumerate(starts):
        own = slice(start, start + block)
        spread = integers * (curvature[:, own] @ integers[own])
        normal[:, :, at] = np.add.reduceat(spread, starts, axis=0).T
    columns, zeros = np.nonzero(normal.diagonal(axis1=1, axis2=2) == 0)
    normal[columns, zeros, zeros] = 1
    solved = np.linalg.solve(normal, pulled.T[:, :, None])[:, :, 0].T
    return np.where(solved == 0, scales, solved).astype(np.float32)


def _columns(weight: Floats, axis: int, groups: int) -> Floats:
    """As ``(G, K, O)``."""
    outputs = weight.shape[axis]
    rows = np.moveaxis(weight, axis, 0).reshape(groups, outputs // groups, -1)
    return np.ascontiguousarray(rows.transpose(0, 2, 1), np.float32)


def _restored(columns: Floats, shape: tuple[int, ...], axis: int) -> Floats:
    moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    return np.moveaxis(columns.transpose(0, 2, 1).reshape(moved), 0, axis)
