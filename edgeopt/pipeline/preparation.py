"""What every command that needs a float graph begins with: the model read, data that fits it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from edgeopt.converters.inputs import parse_inputs
from edgeopt.converters.simplify import simplify
from edgeopt.converters.sources import Source, SourceOptions, open_source
from edgeopt.core.errors import UsageError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.onnx_file import remove
from edgeopt.core.progress import Progress, silent
from edgeopt.core.refusals import reporting
from edgeopt.core.tensors import Sizes
from edgeopt.data import Dataset, open_dataset
from edgeopt.pipeline.given import GivenModel


@dataclass
class Preparation:
    """A model on its way to the float graph.

    Args:
        given: The model.
        scratch: A folder for the float graph.
        progress: Told what is going on.
        ranges: Of inputs' sizes, as the ``--input`` options have them.
    """

    given: GivenModel
    scratch: Path
    progress: Progress = silent
    source: Source = field(init=False)
    ranges: dict[str, tuple[Sizes | None, ...]] = field(init=False)

    def __post_init__(self) -> None:
        given, inputs = self.given, parse_inputs(self.given.input)
        self.ranges = inputs.ranges
        options = SourceOptions(inputs, given.weights, given.code_allowed, given.signature)
        self.progress("reading the model", 0, None)
        self.source = open_source(given.model, options)

    @cached_property
    def graph(self) -> FloatGraph:
        """The simplified float graph; made on first use.

        Raises:
            UsageError: If pictures are to be preprocessed, and it takes none.
        """
        exported = self.scratch / "exported.onnx"
        self.progress("reading the model", 0, None)
        with reporting(self.scratch, "name a folder with more room in TMPDIR"):
            self.source.export(exported)
            graph = simplify(exported, self.scratch / "float.onnx", self.source.record.location)
        remove(exported)
        self._check_pictures(graph)
        return graph

    def _check_pictures(self, graph: FloatGraph) -> None:
        if self.given.preprocessing is None or any(len(s.shape) == 4 for s in graph.inputs):
            return
        raise UsageError(
            f"{self.source.record.location}: has no input of 4 dimensions, and pictures are all "
            "that is preprocessed",
            hint="leave --preprocess, or --resize, --mean and the like, out",
        )

    def dataset(self, data: Any) -> Dataset:
        """Open data for the model.

        Raises:
            DataError: If it can't be opened, or doesn't fit.
        """
        given = self.given
        return open_dataset(
            data, self.graph.inputs, given.preprocessing, code_allowed=given.code_allowed
        )
