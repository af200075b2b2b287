"""What a source of samples is, whatever form it has on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgeopt.core.tensors import Batch, TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from edgeopt.core.manifest import DataRecord


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample, ready for one call of the model.

    Args:
        inputs: An array for each model input, in the model's dtype, batch axis included:
            ``(1, C, H, W)``.
        label: The class index, or whatever array the user keeps as the label; None if unlabelled.
        origin: Where it came from, for messages: ``calibration.npz[17]`` or a file's path.
        filled: How many entries at the end of a fixed batch repeat the one before them.
        joined: How many of the dataset's samples it is.
    """

    inputs: Batch
    label: int | np.ndarray | None
    origin: str
    filled: int = 0
    joined: int = 1


@dataclass(frozen=True, eq=False)
class Entry:
    """One sample before it is made to fit a model.

    Args:
        arrays: By input: what is stored, without the batch axis, in its own dtype; where there is a
            preprocessing contract, what that makes of it, float32.
        label: As in :class:`Sample`.
        origin: Likewise.
    """

    arrays: Batch
    label: int | np.ndarray | None
    origin: str


class Dataset(Protocol):
    """A finite, re-iterable stream of samples."""

    @property
    def labelled(self) -> bool:
        """Whether every sample has a label."""

    def __len__(self) -> int: ...

    def samples(self, start: int = 0, stop: int | None = None) -> Iterator[Sample]:
        """The samples ``[start, stop)`` in order, one in memory at a time.

        Raises:
            DataError: If a sample can't be read, doesn't fit the model, or isn't finite.
        """

    def record(self, start: int = 0, stop: int | None = None) -> DataRecord:
        """What the manifest says of the samples ``[start, stop)``."""


class Stored(Dataset, Protocol):
    """A dataset whose entries can also be looked at as they are, whether they fit or not.

    Args:
        specs: What the entries are to fit.
    """

    specs: tuple[TensorSpec, ...]

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """The entries ``[start, stop)`` in order, one in memory at a time.

        Raises:
            DataError: If one can't be read.
        """


def stack(samples: Sequence[Sample]) -> Batch:
    """Join samples along axis 0 into one call: arrays of ``(len(samples), ...)``."""
    import numpy as np

    return {name: np.concatenate([s.inputs[name] for s in samples]) for name in samples[0].inputs}


def fixed_batch(specs: Sequence[TensorSpec]) -> int:
    """The batch that a model insists on: axis 0 of its inputs if all agree on a size, else 1."""
    sizes = {spec.shape[0] if spec.shape else None for spec in specs}
    size = sizes.pop()
    return size if isinstance(size, int) and not sizes else 1


def fill_batches(samples: Iterable[Sample], specs: Sequence[TensorSpec]) -> Iterator[Sample]:
    """Join samples for a model whose batch is fixed and larger than one; others pass unchanged.

    No sample is dropped: the last batch is filled up by repeating its last sample.
    """
    size = fixed_batch(specs)
    if size == 1:
        yield from samples
        return
    group: list[Sample] = []
    for sample in samples:
        if all(len(array) == size for array in sample.inputs.values()):
            yield sample  # stored as whole batches
            continue
        group.append(sample)
        if len(group) == size:
            yield Sample(stack(group), None, group[0].origin, joined=size)
            group = []
    if group:
        filled = size - len(group)
        yield Sample(stack(group + group[-1:] * filled), None, group[0].origin, filled, len(group))
