"""Seeded random inputs, for where there is no data: they exercise a model, no more."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from edgeopt.core.manifest import DataRecord
from edgeopt.core.tensors import TensorSpec
from edgeopt.data.dataset import Sample


class RandomDataset:
    """Standard normal floats, integers 0 and 1, booleans; a dynamic dimension has size 1.

    Args:
        specs: The model's inputs.
        count: How many samples.
        seed: The same seed gives the same samples.
    """

    labelled = False

    def __init__(self, specs: tuple[TensorSpec, ...], count: int = 8, seed: int = 0) -> None:
        self.specs, self.count, self.seed = specs, count, seed

    def __len__(self) -> int:
        return self.count

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``."""
        used = (start, self.count if stop is None else min(stop, self.count))
        return DataRecord(
            kind="random",
            location=f"seed {self.seed}",
            sha256=None,
            samples=self.count,
            used=used,
        )

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)``; each depends only on the seed, its index and the input."""
        for index in range(self.count)[start:stop]:
            inputs = {s.name: self._draw(s, index) for s in self.specs}
            yield Sample(inputs, None, f"random[{index}]")

    def _draw(self, spec: TensorSpec, index: int):  # type: ignore[no-untyped-def]
        rng = np.random.default_rng([self.seed, index, zlib.crc32(spec.name.encode())])
        dtype, shape = np.dtype(spec.dtype), spec.concrete()
        if dtype.kind == "f":
            return rng.standard_normal(shape, dtype=np.float32).astype(dtype)
        return rng.integers(0, 2, shape).astype(dtype)
