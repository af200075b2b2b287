"""ai-edge-quantizer: integers put into a float ``.tflite`` that an official converter made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_quantizer import quantizer
from ai_edge_quantizer.qtyping import TFLOperationName

from edgeopt.calibration.ranges import Range
from edgeopt.core.errors import UnsupportedError
from edgeopt.core.layout import Ends
from edgeopt.core.precision import Precision
from edgeopt.core.quiet import quiet
from edgeopt.core.tflite_graph import StoredOperator, TfliteFile

NAME = "ai-edge-quantizer"
_ALL = TFLOperationName.ALL_SUPPORTED
_NOT = quantizer.AlgorithmName.NO_QUANTIZE
_WEIGHT_BITS = 8


def new_quantizer(file: Path, precision: Precision, ends: Ends = Ends.FLOAT) -> Any:
    """A ``Quantizer`` of a float file, told what to make of it.

    Args:
        file: The float ``.tflite``.
        precision: What to make.
        ends: What a static int8 file takes and gives.
    """
    made = quantizer.Quantizer(str(file))
    if precision is Precision.INT8_DYNAMIC:
        made.add_dynamic_config(".*", _ALL, num_bits=_WEIGHT_BITS)
    elif precision is Precision.INT8_WEIGHT:
        made.add_weight_only_config(".*", _ALL, num_bits=_WEIGHT_BITS)
    elif precision is Precision.FP16:
        halving = quantizer.AlgorithmName.FLOAT_CASTING
        made.add_weight_only_config(".*", _ALL, num_bits=16, algorithm_key=halving)
    else:
        wide = 16 if precision is Precision.INT16X8 else 8
        made.add_static_config(".*", _ALL, wide, _WEIGHT_BITS)
        if ends is Ends.FLOAT:
            for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
                made.update_quantization_recipe(".*", end, algorithm_key=_NOT)
    return made


def spare(made: Any, file: TfliteFile, operators: Iterable[StoredOperator]) -> None:
    """Leave operators float."""
    for op in operators:
        names = ";".join(file.tensors[index].spec.name for index in op.outputs)
        made.update_quantization_recipe(f"^{re.escape(names)};$", _ALL, algorithm_key=_NOT)


def quantize(made: Any, ranges: Mapping[str, Range] | None, name: str) -> bytes:
    """Quantize.

    Args:
        made: Of :func:`new_quantizer`.
        ranges: Of activations, by the file's names of tensors.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If the quantizer fails.
    """
    statistics = None if ranges is None else {n: _statistics(r) for n, r in ranges.items()}
    return quantized(made, statistics, name)


def quantized(made: Any, statistics: Any, name: str) -> bytes:
    """The same with statistics as the quantizer itself has them."""
    with quiet(NAME):
        try:
            return bytes(made.quantize(statistics, enable_progress_report=False).quantized_model)
        except Exception as error:
            # It raises whatever its algorithms do on a graph they don't expect.
            raise UnsupportedError(
                f"{name}: ai-edge-quantizer can't quantize what the official converter made: "
                f"{type(error).__name__}: {str(error)[:200]}",
                hint="make it fp32, or int8 with --to onnx",
            ) from error


def _statistics(found: Range) -> dict[str, np.ndarray]:
    return {"min": np.float32(found.low).reshape(1), "max": np.float32(found.high).reshape(1)}
