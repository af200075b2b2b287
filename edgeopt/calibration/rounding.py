"""Rounding weights for the least error of a layer's outputs, not of the weights themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.calibration.descent import Grid, descend, nearest_plane, quadratic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.calibration.hessians import Hessian

    Floats = NDArray[np.float32]
    Wide = NDArray[np.float64]

DAMPING = 0.01
SWEEPS = 3


def round_weights(
    weight: Floats,
    axis: int,
    scales: Floats,
    limits: tuple[int, int],
    hessian: Hessian,
    *,
    sweeps: int = SWEEPS, damping=DAMPING,
) -> NDArray[np.int8]:
    groups = len(hessian.means)
    grid = Grid(
        _columns(weight, axis, groups),
        scales.reshape(groups, 1, -1).astype(np.float32),
        *limits,
    )
    damped_ = damped(hessian.centred, damping)
    integers = _solved(grid, damped_, sweeps)
    return _restored(integers, weight.shape, axis).astype(np.int8)


def damped(hessian: Wide, damping: float = DAMPING) -> Wide:
    """With a share of the mean variance added to every input's; the identity where nothing varies."""
    size = hessian.shape[-1]
    mean = np.trace(hessian, axis1=1, axis2=2) / size
    usable = np.isfinite(hessian).all((1, 2)) & (mean > 0)
    found = np.where(usable[:, None, None], hessian, 0)
    at = np.arange(size)
    found[:, at, at] += np.where(usable, damping * mean, 1.0)[:, None]
    return found


def _solved(grid: Grid, hessian: Wide, sweeps: int) -> Floats:
    nearest = grid.nearest()
    found = descend(grid, hessian, nearest_plane(grid, hessian), sweeps)
    better = quadratic(grid.errors(found), hessian) < quadratic(grid.errors(nearest), hessian)
    return np.where(better[:, None], found, nearest)


def _columns(weight: Floats, axis: int, groups: int) -> Floats:
    """As ``(G, K, O)``."""
    outputs = weight.shape[axis]
    rows = np.moveaxis(weight, axis, 0).reshape(groups, outputs // groups, -1)
    return np.ascontiguousarray(rows.transpose(0, 2, 1), np.float32)


def _restored(columns: Floats, shape: tuple[int, ...], axis: int) -> Floats:
    moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
    return np.moveaxis(columns.transpose(0, 2, 1).reshape(moved), 0, axis)
