"""LiteRT on the CPU, XNNPACK and all: under whichever of its names it is installed."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Dict, List, Tuple

import numpy as np

from .blocks import Run

PACKAGES = (
    ("ai-edge-litert", "ai_edge_litert", "interpreter"),
    ("tflite-runtime", "tflite_runtime", "interpreter"),
    ("tensorflow", "tensorflow", "lite"),
)
"""TensorFlow Lite has had three names, and a device has whichever it could get: the package, the
module, and what in it has the interpreter."""


def version() -> str:
    """The runtime's version, and its package where that isn't today's."""
    package, module = _package()
    number = str(getattr(module, "__version__", None) or _installed(package))
    return number if package == "ai-edge-litert" else "{} {}".format(package, number)


def _package() -> Tuple[str, Any]:
    missing: List[ImportError] = []
    for package, module, name in PACKAGES:
        try:
            return package, _member(module, name)
        except ImportError as error:  # noqa: PERF203 - three at most
            missing.append(error)
    raise missing[0]


def _member(module: str, name: str) -> Any:
    found = import_module(module)
    # A submodule that nothing has imported yet is no attribute; TensorFlow's is one from the start.
    return getattr(found, name, None) or import_module("{}.{}".format(module, name))


def _installed(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of no known version"


class LiteRtSession:
    """A model loaded by LiteRT, ready to be called.

    Args:
        path: The ``.tflite`` file.
        threads: Threads within an operator; 0 takes every core.

    Raises:
        Exception: What LiteRT raises when it can't read or run the model.
    """

    PROVIDERS = ("XNNPACK",)
    """What LiteRT hands nodes to by default; the built-in kernels compute the rest."""

    def __init__(self, path: str, threads: int) -> None:
        interpreter = _package()[1].Interpreter
        self.interpreter: Any = interpreter(
            model_path=path, num_threads=threads or os.cpu_count() or 1
        )
        self.interpreter.allocate_tensors()

    def __call__(self, inputs: Dict[str, np.ndarray]) -> Dict[str, Any]:
        """Run once and give the outputs by the names of their tensors, as real numbers."""
        self.bind(inputs)()
        details = self.interpreter.get_output_details()
        return {d["name"]: _real(self.interpreter.get_tensor(d["index"]), d) for d in details}

    def bind(self, inputs: Dict[str, np.ndarray]) -> Run:
        """Put the inputs, in the file's order, where the runtime reads them, once.

        Setting the inputs and getting the outputs costs 0.7 us a call besides; a device's program
        writes into the tensors themselves, as is done here.
        """
        details = self.interpreter.get_input_details()
        arrays: List[np.ndarray] = list(inputs.values())
        if len(arrays) != len(details):
            raise ValueError("it takes {} inputs, not {}".format(len(details), len(arrays)))
        for detail, array in zip(details, arrays):
            if array.shape != tuple(detail["shape"]):
                self.interpreter.resize_tensor_input(detail["index"], array.shape, strict=True)
        self.interpreter.allocate_tensors()
        for detail, array in zip(details, arrays):
            self.interpreter.set_tensor(detail["index"], np.ascontiguousarray(array))
        invoke: Run = self.interpreter.invoke
        return invoke


def _real(array: np.ndarray, detail: Dict[str, Any]) -> np.ndarray:
    parameters = detail["quantization_parameters"]
    if array.dtype.kind not in "iu" or len(parameters["scales"]) != 1:
        return array
    steps = array.astype(np.int32) - np.int32(parameters["zero_points"][0])
    return steps.astype(np.float32) * np.float32(parameters["scales"][0])
