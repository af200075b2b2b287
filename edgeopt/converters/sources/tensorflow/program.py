"""What every Keras and TensorFlow model is opened as: a frozen graph, and the original to run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeopt.converters.sources.tensorflow.export import write_onnx
from edgeopt.converters.sources.tensorflow.framework import silenced
from edgeopt.converters.sources.tensorflow.frozen import Frozen
from edgeopt.core.errors import DataError, EdgeOptError, ModelError
from edgeopt.core.layout import Layout
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.tensors import Batch, TensorSpec
from edgeopt.core.via import Via


class Program(Protocol):
    """A model that can be frozen and run."""

    inputs: tuple[TensorSpec, ...]
    """What it takes, in order."""
    outputs: tuple[str, ...]
    """What its outputs are called, in order."""

    def freeze(self) -> Frozen:
        """Its graph, with constants for variables."""

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run the original on one batch."""


class TensorFlowSource:
    """A Keras or TensorFlow model; the reference is TensorFlow running the original."""

    layout = Layout.NHWC
    official: Via | None = Via.TENSORFLOW

    def __init__(self, program: Program, record: SourceRecord, name: str) -> None:
        self.program, self.record, self.name = program, record, name

    def export(self, path: Path) -> None:
        """Write it as ONNX, image inputs as TensorFlow has them: ``(N, H, W, C)``."""
        with silenced():
            write_onnx(
                self.frozen(),
                self.program.inputs,
                self.program.outputs,
                path,
                self.record.location,
            )

    def frozen(self) -> Frozen:
        """The model as a graph of constants.

        Raises:
            ModelError: If TensorFlow can't make one of it.
        """
        try:
            return self.program.freeze()
        except EdgeOptError:
            raise
        except Exception as error:
            # TensorFlow raises whatever the first of its passes that fails does.
            raise ModelError(
                f"{self.record.location}: TensorFlow can't freeze it: {first_line(error)}",
                hint="run with -v for TensorFlow's own report",
            ) from error

    def run(self, inputs: Batch) -> list[object]:
        """Run the original on one batch."""
        arrays = [inputs[spec.name] for spec in self.program.inputs]
        with silenced():
            try:
                return list(self.program.run(arrays))
            except Exception as error:
                # The model's own checks and TensorFlow's kernels raise as they please.
                raise DataError(
                    f"{self.record.location}: the model fails on a sample: {first_line(error)}",
                    hint="check the data's shapes and values against the model's inputs",
                ) from error


def first_line(error: BaseException) -> str:
    """What TensorFlow complains of, without its stack traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
