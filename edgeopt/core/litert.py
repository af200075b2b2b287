"""The one place that opens LiteRT here, and turns its complaints into one line.

A file that isn't ours is probed in a process of its own first: LiteRT aborts on some.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.core.complaints import failed_sample_hint, lacking_operator, reason
from edgeopt.core.ends import dequantized, quantized, stored
from edgeopt.core.errors import (
    DataError,
    EdgeOptError,
    MissingExtraError,
    ModelError,
    UnsupportedError,
)
from edgeopt.core.layout import Layout
from edgeopt.core.quiet import quiet_system
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def open_litert(
    path: Path,
    *,
    layout: Layout = Layout.NCHW,
    threads: int = 1,
    xnnpack: bool = True,
    name: str = "",
) -> LiteRTModel:
    """Open a ``.tflite`` on the CPU.

    Args:
        path: The file.
        layout: NHWC where arrays with channels first are given for image inputs with channels
            last.
        threads: Threads within an operator; 0 is one a core.
        xnnpack: Whether XNNPACK computes what it can, as LiteRT has it by default; else the
            built-in kernels compute everything.
        name: The model's name for messages; its path if empty.

    Raises:
        ModelError: If it isn't a valid model.
        UnsupportedError: If LiteRT lacks one of its operators.
        MissingExtraError: If LiteRT isn't installed.
    """
    return _open(path, layout, threads, xnnpack=xnnpack, kept=False, name=name or str(path))


def tensors_of(path: Path, inputs: Batch, indices: Sequence[int], origin: str) -> list[Array]:
    """The values of some tensors of a file, inner ones too, on one batch.

    Args:
        path: The file.
        inputs: By the signature's names, in the file's own order of axes.
        indices: Which tensors.
        origin: Where the inputs come from, for messages.

    Raises:
        DataError: If LiteRT fails on them.
    """
    model = _open(path, Layout.NCHW, 1, xnnpack=False, kept=True, name=str(path))
    model.run(inputs, origin)
    return [np.asarray(model.interpreter.get_tensor(index)) for index in indices]


def _open(
    path: Path, layout: Layout, threads: int, *, xnnpack: bool, kept: bool, name: str
) -> LiteRTModel:
    module = _litert()
    kinds = module.OpResolverType
    kind = kinds.AUTO if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with quiet_system("LiteRT"):
            interpreter = module.Interpreter(
                str(path),
                num_threads=threads or os.cpu_count() or 1,
                experimental_op_resolver_type=kind,
                experimental_preserve_all_tensors=kept,
            )
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise _load_error(name, error) from error
    return LiteRTModel(interpreter, layout)


@dataclass
class LiteRTModel:
    """A model in LiteRT, ready to run.

    Where a tensor at its ends is integers that stand for reals, floats are taken and given: they
    are quantized and dequantized by the file's own scales.

    Args:
        interpreter: LiteRT's own.
        layout: See :func:`open_litert`.
    """

    interpreter: Any
    layout: Layout
    inputs: tuple[str, ...] = field(init=False)
    outputs: tuple[str, ...] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.inputs = self._names("inputs", self.interpreter.get_input_details())
        self.outputs = self._names("outputs", self.interpreter.get_output_details())

    def run(self, inputs: Batch, origin: str) -> list[Array]:
        """Run one batch.

        Raises:
            DataError: If LiteRT refuses the inputs or fails on them.
        """
        with self._lock:
            try:
                self._set(inputs)
                self.interpreter.invoke()
            except (RuntimeError, ValueError) as error:
                raise DataError(
                    f"{origin}: the model fails on this sample: {reason(error)}",
                    hint=failed_sample_hint(inputs),
                ) from error
            details = self.interpreter.get_output_details()
            return [_real(self.interpreter.get_tensor(d["index"]), d) for d in details]

    def _set(self, inputs: Batch) -> None:
        details = self.interpreter.get_input_details()
        arrays = [
            self._stored(inputs[name], detail)
            for name, detail in zip(self.inputs, details, strict=True)
        ]
        changed = False
        for array, detail in zip(arrays, details, strict=True):
            if array.shape != tuple(detail["shape"]):
                self.interpreter.resize_tensor_input(detail["index"], array.shape, strict=True)
                changed = True
        if changed:
            with quiet_system("LiteRT"):
                self.interpreter.allocate_tensors()
        for array, detail in zip(arrays, details, strict=True):
            self.interpreter.set_tensor(detail["index"], array)

    def _stored(self, array: Array, detail: dict[str, Any]) -> Array:
        return np.ascontiguousarray(_integers(stored(array, self.layout), detail))

    def _names(self, ends: str, details: list[dict[str, Any]]) -> tuple[str, ...]:
        """The signature's names, in the file's order; the tensors' own if there isn't just one."""
        signatures = self.interpreter.get_signature_list()
        if len(signatures) != 1:
            return tuple(detail["name"] for detail in details)
        runner = self.interpreter.get_signature_runner()
        said = runner.get_input_details() if ends == "inputs" else runner.get_output_details()
        names = {detail["index"]: name for name, detail in said.items()}
        return tuple(names.get(detail["index"], detail["name"]) for detail in details)


def _integers(array: Array, detail: dict[str, Any]) -> Array:
    """Floats as the integers that a quantized input takes; anything else as it is."""
    found = _scale(detail)
    return array if found is None else quantized(array, detail["dtype"], *found)


def _real(array: Array, detail: dict[str, Any]) -> Array:
    """The reals that a quantized output's integers stand for; anything else as it is."""
    found = _scale(detail)
    return array if found is None else dequantized(array, *found)


def _scale(detail: dict[str, Any]) -> tuple[float, int] | None:
    parameters = detail["quantization_parameters"]
    if np.dtype(detail["dtype"]).kind not in "iu" or len(parameters["scales"]) != 1:
        return None
    return float(parameters["scales"][0]), int(parameters["zero_points"][0])


def _litert() -> Any:
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] == "ai_edge_litert":
            raise MissingExtraError("running TFLite", "ai_edge_litert", "tflite") from error
        raise
    return interpreter


def _load_error(name: str, error: Exception) -> EdgeOptError:
    if (operator := lacking_operator(str(error))) is not None:
        return UnsupportedError(
            f"{name}: LiteRT lacks its operator {operator}",
            hint="convert it with LiteRT's own operators only, or update ai-edge-litert",
        )
    return ModelError(f"{name}: LiteRT can't load it: {reason(error)}", hint="it may be incomplete")
