"""What an ONNX model says about its own values, held against what they are."""

from __future__ import annotations

import numpy as np

from edgeopt.converters.tflite.known import Known
from edgeopt.converters.tflite.views import View
from edgeopt.core.errors import ModelError
from edgeopt.core.ir import ir

_NARROWED = {np.dtype(np.float64): np.dtype(np.float32)}
"""Types that LiteRT computes in another."""


def check_claim(value: ir.Value, bound: View | Known, name: str) -> None:
    """Hold a value's declared shape and type against those that were found.

    LiteRT believes a declared shape, and reads beyond its memory where it is wrong.

    Args:
        value: As the model declares it; sizes it doesn't name, and symbols, claim nothing.
        bound: What it is.
        name: The model's.

    Raises:
        ModelError: If they differ.
    """
    if isinstance(bound, Known):
        shape, many, dtype = bound.one.shape, bound.many.shape, bound.one.dtype
    else:
        shape, dtype = bound.shape, bound.tensor.dtype
        if bound.tensor.quantization is not None:
            dtype = np.dtype(np.float32)  # what its integers stand for
        many = tuple(-1 if n in bound.batched else d for n, d in enumerate(shape))
    claimed = value.shape
    if claimed is not None:
        said = tuple(d if isinstance(d, int) else None for d in claimed)
        fits = len(said) == len(shape) and all(
            s is None or s in (a, b) for s, a, b in zip(said, shape, many, strict=True)
        )
        if not fits:
            raise ModelError(
                f"{name}: {value.name!r} says that its shape is {_words(said)}, "
                f"but it is {_words(shape)}",
                hint="export the model again; its shapes contradict its operators",
            )
    wanted = None if value.dtype is None else np.dtype(value.dtype.numpy())
    if wanted is not None and dtype not in (wanted, _NARROWED.get(wanted)):
        raise ModelError(
            f"{name}: {value.name!r} says that it is {wanted}, but it is {dtype}",
            hint="export the model again; its types contradict its operators",
        )


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("?" if d is None else str(d) for d in shape) + ")"
