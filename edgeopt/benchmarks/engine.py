"""A TensorRT engine opened in this process, as models of other formats are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.tensorrt_runner import TensorRtSession
from edgeopt.core.errors import DataError, MeasurementError, ModelError
from edgeopt.core.execution import Opened
from edgeopt.core.tensors import Batch

if TYPE_CHECKING:
    import numpy as np


def open_engine(path: Path, outputs: Sequence[str], name: str = "") -> Opened:
    """Load an engine onto the GPU.

    Args:
        path: The engine.
        outputs: The outputs' names, in the model's order.
        name: For messages; the path if empty.

    Raises:
        MeasurementError: If there is no GPU, or what it takes to use it isn't installed.
        ModelError: If the engine is for another GPU or TensorRT.
    """
    called = name or str(path)
    try:
        session = TensorRtSession(str(path), 1)
    except Failure as failure:
        raise MeasurementError(
            f"{called}: {failure.reason}", hint="`edgeopt doctor` shows what is here"
        ) from failure
    except (RuntimeError, ImportError, OSError) as error:
        raise ModelError(
            f"{called}: TensorRT can't load it: {error}",
            hint="build it for the GPU and the TensorRT that are here",
        ) from error

    def run(inputs: Batch, origin: str) -> list[np.ndarray]:
        try:
            found = session(inputs)
        except (RuntimeError, ValueError) as error:
            raise DataError(
                f"{origin}: the engine fails on this sample: {error}",
                hint="check its shapes against those that the engine takes",
            ) from error
        return [found[output] for output in outputs]

    return Opened(run, tuple(outputs))
