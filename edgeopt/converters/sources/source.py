"""What a source is: a model that can be exported once and run as the reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeopt.converters.inputs import InputOptions
from edgeopt.core.layout import Layout
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.tensors import Batch
from edgeopt.core.via import Via


@dataclass(frozen=True)
class SourceOptions:
    """What the user says of the model beside its name.

    Args:
        inputs: The ``--input`` options.
        weights: The file of weights for a factory.
        signature: The signature of a SavedModel; None for its serving default or its only one.
        code_allowed: False under ``--no-code``.
    """

    inputs: InputOptions = field(default_factory=lambda: InputOptions({}, {}))
    weights: Path | None = None
    code_allowed: bool = True
    signature: str | None = None


class Source(Protocol):
    """A trained model of any kind."""

    record: SourceRecord
    name: str
    """The stem of the artifacts' file names."""
    layout: Layout
    """The order of the axes of its image inputs."""
    official: Via | None
    """The official converter that takes it as it is."""

    def export(self, path: Path) -> None:
        """Write the model as float ONNX, weights inside where they fit.

        Raises:
            ModelError: If it can't be expressed.
        """

    def run(self, inputs: Batch) -> list[object]:
        """Run the original on one batch; outputs in the order of the ONNX file's."""
