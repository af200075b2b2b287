"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Dict

import numpy as np

from .blocks import Run

PROVIDERS = ["CPUExecutionProvider"]
_ERRORS_ONLY = 3


def version() -> str:
    """The runtime's version."""
    return str(_onnxruntime().__version__)


def _onnxruntime() -> Any:
    # From 1.29 on the official builds report each model's name, digests and graph to their maker,
    # from a thread of their own: no part of a measurement, and the user's own affair. The variable
    # counts everywhere but on Windows, and only before the first import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


class OnnxRuntimeSession:
    """A model loaded by ONNX Runtime, ready to be called.

    Args:
        path: The ``.onnx`` file.
        threads: Threads within an operator; 0 lets the runtime take every core. Operators run one
            after another.

    Raises:
        Exception: What ONNX Runtime raises when it can't read or run the model.
    """

    def __init__(self, path: str, threads: int) -> None:
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=PROVIDERS)
        self.outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, inputs: Dict[str, np.ndarray]) -> Dict[str, Any]:
        """Run once and give the outputs by name."""
        return dict(zip(self.outputs, self._session.run(self.outputs, inputs)))

    def bind(self, inputs: Dict[str, np.ndarray]) -> Run:
        """Put the inputs where the runtime reads them, once, and give the call that is timed.

        IO binding costs about 3.5 us a call where ``run`` costs 5.3. It holds tensors of numbers
        only, so a model with other inputs or outputs (text, sequences, maps) goes without.
        """
        ends = self._session.get_inputs() + self._session.get_outputs()
        if not all(end.type.startswith("tensor(") for end in ends) or _has_text(ends):
            return partial(self._session.run, self.outputs, inputs)
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in self.outputs:
            binding.bind_output(name)
        return partial(self._session.run_with_iobinding, binding)


def _has_text(ends: Any) -> bool:
    return any(end.type == "tensor(string)" for end in ends)
