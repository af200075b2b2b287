"""What every command that needs a float graph begins with: the model read, data that fits it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edgeopt.converters.inputs import parse_inputs
from edgeopt.converters.simplify import simplify
from edgeopt.converters.sources import Source, SourceOptions, open_source
from edgeopt.core.files import reporting
from edgeopt.core.graph import FloatGraph
from edgeopt.core.onnx_file import remove
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.tensors import Sizes
from edgeopt.data import Dataset, open_dataset


@dataclass
class Preparation:
    """A model on its way to the float graph.

    Args:
        model: As :func:`edgeopt.convert` takes it.
        scratch: A folder for the float graph.
        input: ``--input`` options.
        weights: A factory's weights.
        preprocessing: The contract for pictures.
        code_allowed: False under ``--no-code``.
        progress: Told what is going on.
        signature: One of a SavedModel's.
        ranges: Of inputs' sizes, as ``input`` has them.
    """

    model: Any
    scratch: Path
    input: tuple[str, ...] = ()
    weights: Path | None = None
    preprocessing: Preprocessing | None = None
    code_allowed: bool = True
    progress: Progress = silent
    signature: str | None = None
    source: Source = field(init=False)
    ranges: dict[str, tuple[Sizes | None, ...]] = field(init=False)

    def __post_init__(self) -> None:
        inputs = parse_inputs(self.input)
        self.ranges = inputs.ranges
        options = SourceOptions(inputs, self.weights, self.code_allowed, self.signature)
        self.progress("reading the model", 0, None)
        self.source = open_source(self.model, options)

    @cached_property
    def graph(self) -> FloatGraph:
        """The simplified float graph; made on first use."""
        exported = self.scratch / "exported.onnx"
        self.progress("reading the model", 0, None)
        with reporting(self.scratch, "name a folder with more room in TMPDIR"):
            self.source.export(exported)
            graph = simplify(exported, self.scratch / "float.onnx", self.source.record.location)
        remove(exported)
        return graph

    def dataset(self, data: Any) -> Dataset:
        """Open data for the model.

        Raises:
            DataError: If it can't be opened, or doesn't fit.
        """
        return open_dataset(
            data, self.graph.inputs, self.preprocessing, code_allowed=self.code_allowed
        )
