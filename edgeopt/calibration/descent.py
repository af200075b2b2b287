"""Searching integers ``q`` for which ``(s q - w)^T C (s q - w)`` is small.

Exactly that is the closest vector problem. Two searches that cost as much as a few matrix products
find good answers: :func:`nearest_plane` and, from any start, :func:`descend`. All arrays
have the layout ``(G, K, O)``: groups that have nothing to do with one another, each with its own C,
the inputs, the outputs. A step over all the outputs of an input then is a step over a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Wide = NDArray[np.float64]

_BLOCK = 32
"""Inputs that are looked at one by one before the others hear of it in one matrix product."""

_MARGIN = 1e-3
"""How much more than half a step an integer must want to move: less is rounding noise."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Weights, and what may stand for them.

    Args:
        weights: ``(G, K, O)``.
        steps: Between neighbours; broadcasts to the weights' shape.
        low: The least integer.
        high: The greatest.
    """

    weights: Floats
    steps: Floats
    low: int
    high: int

    def nearest(self, weights: Floats | None = None) -> Floats:
        """Integers closest to the grid's weights, or to others in their place."""
        wanted = self.weights if weights is None else weights
        found: Floats = np.clip(np.rint(wanted / self.steps), self.low, self.high)
        return found

    def errors(self, integers: Floats) -> Floats:
        """``s q - w``."""
        found: Floats = integers * self.steps - self.weights
        return found

    def reordered(self, order: NDArray[np.intp]) -> Grid:
        """The same with the inputs of each group in another order, ``(G, K)``."""
        steps = np.broadcast_to(self.steps, self.weights.shape)
        return Grid(
            np.take_along_axis(self.weights, order[:, :, None], 1),
            np.take_along_axis(steps, order[:, :, None], 1),
            self.low,
            self.high,
        )

    def row(self, k: int) -> Grid:
        """One input of each group: ``(G, O)``."""
        at = k if self.steps.shape[1] > 1 else 0
        return Grid(self.weights[:, k], self.steps[:, at], self.low, self.high)


def quadratic(errors: Floats, hessian: Wide) -> Wide:
    """``d^T C d`` of each output, ``(G, O)``."""
    found: Wide = np.einsum("gko,gko->go", errors, hessian.astype(np.float32) @ errors, dtype=float)
    return found


def nearest_plane(grid: Grid, hessian: Wide) -> Floats:
    """Round one input after another, each making up for the errors of those before.

    With ``C = L L^T`` the loss is the squared length of ``L^T d``; from the last input to the
    first, each integer brings one more coordinate of it as close to zero as it can (Babai 1986, "On
    Lovasz' lattice reduction and the nearest lattice point problem"). That is GPTQ (Frantar 2022,
    arXiv 2210.17323, section 3) without its inverse. The inputs that vary most go first.

    Args:
        grid: The weights.
        hessian: Positive definite, ``(G, K, K)``.

    Returns:
        Integers, ``(G, K, O)``.
    """
    order = np.argsort(np.diagonal(hessian, axis1=1, axis2=2), axis=1, kind="stable")
    sorted_grid = grid.reordered(order)
    ordered = np.take_along_axis(hessian, order[:, :, None], 1)
    lower = np.linalg.cholesky(np.take_along_axis(ordered, order[:, None, :], 2))
    # Each column by its diagonal: what an error asks of the inputs before it, in their own units.
    pull = (lower / np.diagonal(lower, axis1=1, axis2=2)[:, None]).astype(np.float32)
    found = _rounded_backwards(sorted_grid, pull)
    integers = np.empty_like(found)
    np.put_along_axis(integers, order[:, :, None], found, 1)
    return integers


def _rounded_backwards(grid: Grid, pull: Floats) -> Floats:
    size = grid.weights.shape[1]
    integers, errors, asked = (np.zeros(grid.weights.shape, np.float32) for _ in range(3))
    for stop in range(size, 0, -_BLOCK):
        start = max(stop - _BLOCK, 0)
        for k in reversed(range(start, stop)):
            row = grid.row(k)
            integers[:, k] = row.nearest(row.weights - asked[:, k])
            errors[:, k] = row.errors(integers[:, k])
            asked[:, start:k] += pull[:, k, start:k, None] * errors[:, k, None]
        block = slice(start, stop)
        asked[:, :start] += pull[:, block, :start].transpose(0, 2, 1) @ errors[:, block]
    return integers


def descend(grid: Grid, hessian: Wide, integers: Floats, sweeps: int) -> Floats:
    """Move one integer at a time to where the loss is least, the others staying.

    Args:
        grid: The weights.
        hessian: ``(G, K, K)``.
        integers: Where to start, ``(G, K, O)``.
        sweeps: How often to go over all inputs, unless nothing moves before.

    Returns:
        Integers, ``(G, K, O)``; the loss never rises.
    """
    curvature, integers = hessian.astype(np.float32), integers.copy()
    for _ in range(sweeps):
        if not _swept(grid, curvature, integers):
            break
    return integers


def _swept(grid: Grid, curvature: Floats, integers: Floats) -> bool:
    """Go over all inputs once, in place; whether anything moved."""
    slopes = curvature @ grid.errors(integers)
    moved = np.zeros_like(integers)
    size, any_moved = integers.shape[1], False
    for start in range(0, size, _BLOCK):
        block = slice(start, min(start + _BLOCK, size))
        own = slopes[:, block].copy()
        for k in range(start, block.stop):
            away = own[:, k - start] / curvature[:, k, k, None]
            moved[:, k] = _move(grid.row(k), away, integers[:, k])
            if moved[:, k].any():
                own += curvature[:, k, block, None] * moved[:, k, None]
        if moved[:, block].any():
            any_moved = True
            slopes += curvature[:, :, block] @ moved[:, block]
    return any_moved


def _move(row: Grid, away: Floats, integers: Floats) -> Floats:
    """Move a row's integers, in place, by what it is away from the least loss; how far it went."""
    wanted = away / row.steps
    steps = np.where(np.abs(wanted) > 0.5 + _MARGIN, np.rint(wanted), 0)
    found = np.clip(integers - steps, row.low, row.high)
    moved: Floats = (found - integers) * row.steps
    integers[:] = found
    return moved
