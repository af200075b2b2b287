"""The shapes an engine takes: TensorRT wants the range of every size that isn't fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edgeopt.core.errors import UsageError
from edgeopt.core.manifest import ShapeRange
from edgeopt.core.tensors import Dim, Sizes, TensorSpec

_BATCH: Sizes = (1, 1, 1)
"""What a batch is that nothing was said of."""


def shape_ranges(
    inputs: Iterable[TensorSpec], given: Mapping[str, tuple[Sizes | None, ...]]
) -> tuple[ShapeRange, ...]:
    """The range of every input's shape.

    Args:
        inputs: The model's.
        given: What the user said of sizes.

    Raises:
        UsageError: If a range is missing, or is given for a size that is fixed.
    """
    specs = tuple(inputs)
    unknown = next((name for name in given if name not in {s.name for s in specs}), None)
    if unknown is not None:
        have = ", ".join(spec.name for spec in specs)
        raise UsageError(f"--input {unknown}: no such input", hint=f"it has: {have}")
    return tuple(_range(spec, given.get(spec.name)) for spec in specs)


def unsaid_batches(
    inputs: Iterable[TensorSpec], given: Mapping[str, tuple[Sizes | None, ...]]
) -> tuple[str, ...]:
    """What to say of inputs whose batch could have any size, and is 1 as nothing was said of it."""
    return tuple(
        f"TensorRT takes a batch of 1 of {spec.name!r} only: for others give the range with "
        f"{example(spec)}"
        for spec in inputs
        if spec.batched and spec.name not in given
    )


def example(spec: TensorSpec) -> str:
    """How to give the range of an input's sizes."""
    dims = ",".join("1..8" if isinstance(dim, str) else str(dim) for dim in spec.shape)
    return f"--input '{spec.name}:{spec.dtype}[{dims}]'"


def _range(spec: TensorSpec, given: tuple[Sizes | None, ...] | None) -> ShapeRange:
    sizes = given or (None,) * len(spec.shape)
    if len(sizes) != len(spec.shape):
        raise UsageError(
            f"--input {spec.name}: {len(sizes)} sizes for {len(spec.shape)} dimensions",
            hint=f"the model's is {spec}",
        )
    triples = [_sizes(spec, axis, *pair) for axis, pair in enumerate(zip(spec.shape, sizes))]  # noqa: B905 - of one length, checked
    least, usual, largest = zip(*triples, strict=True) if triples else ((), (), ())
    return ShapeRange(input=spec.name, least=least, usual=usual, largest=largest)


def _sizes(spec: TensorSpec, axis: int, dim: Dim, given: Sizes | None) -> Sizes:
    if isinstance(dim, int):
        if given is not None:
            raise UsageError(
                f"--input {spec.name}: its size along axis {axis} is fixed at {dim}",
                hint="give no range for it, or export the model with a dynamic one",
            )
        return dim, dim, dim
    if given is not None:
        return given
    if axis == 0 and spec.batched:
        return _BATCH
    raise UsageError(
        f"input {spec.name!r} has any size along axis {axis} ({dim}), and TensorRT needs its range",
        hint=f"give it with {example(spec)}",
    )
