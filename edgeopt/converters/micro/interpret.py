"""Run a model once in TFLite Micro's interpreter, and in LiteRT's: ``python interpret.py MODEL``.

A program of its own, since TFLite Micro's prints to standard error what it is asked for, and a
model that it doesn't take may end it. Prints on standard output, as JSON, for each output
``signal`` and ``noise``: the sums of the squares of LiteRT's answers and of what TFLite Micro's
differ by.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

LEAST = 64 << 20
"""An arena that is large enough for whatever goes into flash; untouched pages cost nothing."""


def main(path: str) -> None:
    """Compare the two, and let TFLite Micro tell on standard error what it allocated."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
    from tflite_micro import runtime

    content = Path(path).read_bytes()
    micro = runtime.Interpreter.from_bytes(content, arena_size=LEAST + 10 * len(content))
    # Its plain kernels: XNNPACK rounds otherwise, by up to some steps of an integer.
    lite = Interpreter(
        model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    lite.allocate_tensors()
    draw = np.random.default_rng(0)
    for index, each in enumerate(lite.get_input_details()):
        given = _drawn(draw, each)
        micro.set_input(given, index)
        lite.set_tensor(each["index"], given)
    micro.invoke()
    lite.invoke()
    micro.print_allocations()
    distances = [
        _distance(lite.get_tensor(each["index"]), micro.get_output(index))
        for index, each in enumerate(lite.get_output_details())
    ]
    sys.stdout.write(json.dumps(distances))


def _drawn(draw: np.random.Generator, details: dict[str, Any]) -> Any:
    shape, dtype = details["shape"], np.dtype(details["dtype"])
    if np.issubdtype(dtype, np.floating):
        return draw.standard_normal(shape).astype(dtype)
    if dtype == np.bool_:
        return draw.integers(0, 2, shape).astype(dtype)
    # Small where they aren't an image's or a quantized tensor's: they may be indices.
    most = np.iinfo(dtype).max if dtype.itemsize == 1 else 1
    least = np.iinfo(dtype).min if dtype.itemsize == 1 else 0
    return draw.integers(least, most, shape, dtype=dtype, endpoint=True)


def _distance(due: np.ndarray, found: np.ndarray) -> dict[str, float]:
    reference, other = due.astype(np.float64), np.asarray(found).astype(np.float64)
    difference = reference - other.reshape(reference.shape)
    return {"signal": float((reference**2).sum()), "noise": float((difference**2).sum())}


if __name__ == "__main__":
    main(sys.argv[1])
