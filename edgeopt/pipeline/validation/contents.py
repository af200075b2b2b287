"""Which samples are the same, told by digests of their contents."""

from __future__ import annotations

from array import array as numbers
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.tensors import TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.data import Entry

NUMBERS = "biuf"
"""The kinds of dtypes that are numbers."""


class Contents:
    """Of each sample 8 bytes of its inputs' digest, and 8 of its label's.

    Two of a million unlike samples have the same with a probability of 3e-8.
    """

    def __init__(self) -> None:
        self._inputs, self._labels = numbers("Q"), numbers("Q")

    def __len__(self) -> int:
        return len(self._inputs)

    def add(self, entry: Entry, specs: Sequence[TensorSpec]) -> None:
        """Take in one sample, as a model is given it: the same numbers in another dtype are it."""
        self._inputs.append(_digest([as_taken(entry.arrays[s.name], s) for s in specs]))
        self._labels.append(0 if entry.label is None else _digest([np.asarray(entry.label)]))

    def repeated(self) -> NDArray[np.int64]:
        """Samples that were there before, and the first that is the same: ``(n, 2)`` places."""
        found = np.frombuffer(self._inputs, np.uint64)
        _, first, group = np.unique(found, return_index=True, return_inverse=True)
        places = np.arange(len(found))
        again = places != first[group]
        return np.stack([places[again], first[group][again]], axis=1)

    def contradictory(self) -> NDArray[np.int64]:
        """Those of them that have another label."""
        labels, pairs = np.frombuffer(self._labels, np.uint64), self.repeated()
        found: NDArray[np.int64] = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
        return found

    def shared(self, other: Contents) -> NDArray[np.int64]:
        """Samples that are in ``other`` too, and the first of those there: ``(n, 2)`` places."""
        ours, theirs = (np.frombuffer(each._inputs, np.uint64) for each in (self, other))
        known, first = np.unique(theirs, return_index=True)
        at = np.minimum(np.searchsorted(known, ours), len(known) - 1)
        places = np.flatnonzero(known[at] == ours)
        return np.stack([places, first[at[places]]], axis=1)


def as_taken(array: NDArray[np.generic], spec: TensorSpec) -> NDArray[np.generic]:
    """The array in the input's type, whatever is lost by that."""
    with np.errstate(over="ignore", invalid="ignore"):
        return array if array.dtype.kind not in NUMBERS else array.astype(spec.dtype)


def _digest(arrays: Sequence[NDArray[np.generic]]) -> int:
    digest = blake2b(digest_size=8)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(digest.digest(), "little")
