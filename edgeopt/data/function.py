"""Samples from the user's own code: ``module:function`` yielding dicts of arrays.

Each dict holds an array for each model input, without the batch axis, and may hold ``labels``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from edgeopt.core.errors import DataError
from edgeopt.core.files import sha256
from edgeopt.core.manifest import DataRecord
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.usercode import call_named
from edgeopt.data.dataset import Entry, Sample
from edgeopt.data.fit import fit
from edgeopt.data.npz import LABELS
from edgeopt.data.pixels import normalize_array


class FunctionDataset:
    """Samples of a function that is called anew for each pass.

    Args:
        function: Takes nothing; gives an iterable of dicts.
        location: Its name, for messages and the manifest.
        specs: The model's inputs.
        preprocessing: Applied to image inputs if given.

    Raises:
        DataError: If it gives no samples.
    """

    def __init__(
        self,
        function: Callable[[], Iterable[Mapping[str, Any]]],
        location: str,
        specs: tuple[TensorSpec, ...],
        preprocessing: Preprocessing | None = None,
    ) -> None:
        self.function, self.location, self.specs = function, location, specs
        self.preprocessing = preprocessing

    @cached_property
    def _length_and_labels(self) -> tuple[int, bool]:
        # A generator doesn't know its length: one pass over it, keeping nothing, finds out.
        count, labelled = 0, True
        for item in self._items():
            count += 1
            labelled = labelled and LABELS in item
        return count, labelled

    @property
    def labelled(self) -> bool:
        """Whether every dict holds ``labels``."""
        return self._length_and_labels[1]

    def __len__(self) -> int:
        return self._length_and_labels[0]

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``; the digest is of the code."""
        code = Path(self.location.rpartition(":")[0])
        return DataRecord(
            kind="function",
            location=self.location,
            sha256=sha256(code) if code.is_file() else None,
            samples=len(self),
            used=(start, len(self) if stop is None else min(stop, len(self))),
        )

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)``.

        Raises:
            DataError: Also if it gives fewer than it did before.
        """
        for entry in self.entries(start, stop):
            inputs = {s.name: fit(entry.arrays[s.name], s, entry.origin) for s in self.specs}
            yield Sample(inputs, entry.label, entry.origin)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The same before they are made to fit.

        Raises:
            DataError: Likewise.
        """
        end, count = len(self) if stop is None else min(stop, len(self)), 0
        for index, item in enumerate(islice(self._items(), end)):
            count += 1
            if index >= start:
                yield self._entry(item, f"{self.location}[{index}]")
        if count < end:
            raise DataError(
                f"{self.location}: gave {len(self)} samples at first, and only {count} when it was "
                "called again",
                hint="let it give the same samples at every call",
            )

    def stored_specs(self) -> tuple[TensorSpec, ...]:
        """What its first dict holds, the labels left out; the sizes are left open.

        Raises:
            DataError: If it gives none, or no arrays of numbers.
        """
        first = next(iter(self._items()), {})
        arrays = {str(n): np.asarray(v) for n, v in first.items() if n != LABELS}
        found = tuple(
            TensorSpec(
                name=n, dtype=a.dtype.name, shape=("N", *(f"{n}.{i}" for i in range(a.ndim)))
            )
            for n, a in arrays.items()
            if a.dtype.kind in "biuf"
        )
        if not found:
            raise DataError(
                f"{self.location}: yields no arrays of numbers",
                hint="yield {input name: array without the batch axis}",
            )
        return found

    def _items(self) -> Iterator[Mapping[str, Any]]:
        iterator = iter(call_named(self.function, self.location))
        done = object()
        while (item := call_named(next, self.location, iterator, done)) is not done:
            if not isinstance(item, Mapping):
                raise DataError(
                    f"{self.location}: yields {type(item).__name__}, not a dict",
                    hint="yield {input name: array without the batch axis}",
                )
            yield item

    def _entry(self, item: Mapping[str, Any], origin: str) -> Entry:
        arrays = {}
        for spec in self.specs:
            if spec.name not in item:
                raise DataError(
                    f"{origin}: no {spec.name!r} in {sorted(map(str, item))}",
                    hint="name the arrays as the model's inputs",
                )
            array = np.asarray(item[spec.name])
            if self.preprocessing is not None and len(spec.shape) == 4:
                array = normalize_array(array, self.preprocessing, spec)
            arrays[spec.name] = array
        label = item.get(LABELS)
        return Entry(arrays, int(label) if isinstance(label, (int, np.integer)) else label, origin)
