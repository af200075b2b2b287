"""What a source is: a model that can be exported once and run as the reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeopt.converters.inputs import InputOptions
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.tensors import Batch


@dataclass(frozen=True)
class SourceOptions:
    """What the user says of the model beside its name.

    Args:
        inputs: The ``--input`` options.
        weights: The file of weights for a factory.
        code_allowed: False under ``--no-code``.
    """

    inputs: InputOptions = field(default_factory=lambda: InputOptions({}, {}))
    weights: Path | None = None
    code_allowed: bool = True


class Source(Protocol):
    """A trained model of any kind."""

    record: SourceRecord
    name: str
    """The stem of the artifacts' file names."""

    def export(self, path: Path) -> None:
        """Write the model as float ONNX, weights inside where they fit.

        Raises:
            ModelError: If it can't be expressed.
        """

    def run(self, inputs: Batch) -> list[object]:
        """Run the original on one batch; outputs in the order of the ONNX file's."""
