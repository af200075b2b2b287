"""From a PyTorch ExportedProgram to ONNX: what ``.pt2`` files, factories and modules all become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils import _pytree as pytree

from edgeopt.core.errors import DataError, ModelError
from edgeopt.core.layout import Layout
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.quiet import quiet
from edgeopt.core.tensors import Batch
from edgeopt.core.via import Via

_NAME = re.compile(r"[A-Za-z_][\w.-]*")


class ExportedSource:
    """An ExportedProgram; the reference is PyTorch running it.

    Args:
        program: Captured in evaluation mode, on the CPU.
        record: Where it came from.
        name: The stem of the artifacts' names.
    """

    layout = Layout.NCHW
    official: Via | None = Via.LITERT_TORCH

    def __init__(
        self, program: torch.export.ExportedProgram, record: SourceRecord, name: str
    ) -> None:
        self.program, self.record, self.name = program, record, name
        self._names: list[str] = []
        self._module: Any = None

    def export(self, path: Path) -> None:
        """Write it with PyTorch's own ONNX exporter."""
        with quiet("PyTorch's ONNX exporter"):
            try:
                exported = torch.onnx.export(
                    self.program, dynamo=True, optimize=True, verbose=False
                )
            except torch.onnx.errors.OnnxExporterError as error:
                raise ModelError(
                    f"{self.record.location}: PyTorch can't export it to ONNX: {cause(error)}",
                    hint="run with -v for the exporter's own report",
                ) from error
            assert exported is not None
            _name_outputs(exported.model.graph, _output_names(self.program))
            exported.save(path)
            self._names = [value.name or "" for value in exported.model.graph.inputs]

    def run(self, inputs: Batch) -> list[object]:
        """Run the program on one batch; :meth:`export` comes first, it learns the inputs' order."""
        if self._module is None:
            self._module = self.program.module()
        with running(self.record.location):
            tensors = [torch.from_numpy(inputs[name]) for name in self._names]
            return [value.detach().numpy() for value in self.call(self._module, tensors)]

    def call(self, module: Any, tensors: Iterable[torch.Tensor]) -> list[torch.Tensor]:
        """Call the program's module with tensors in the ONNX file's order; gives its tensors."""
        # The program takes what the model's forward takes; what isn't a tensor is a constant.
        given = iter(tensors)
        args, kwargs = self.program.example_inputs or ((), {})
        flat, structure = pytree.tree_flatten((args, kwargs))
        fed = [next(given) if isinstance(v, torch.Tensor) else v for v in flat]
        args, kwargs = pytree.tree_unflatten(fed, structure)
        outputs = pytree.tree_flatten(module(*args, **kwargs))[0]
        return [value for value in outputs if isinstance(value, torch.Tensor)]


def _output_names(program: torch.export.ExportedProgram) -> list[Any]:
    """What the model calls its outputs: keys of the dictionaries that it returns (``aux.deep``).

    Outputs without a key, or with one that is no name, have the program's own; so have all, where
    two would be called alike.
    """
    own = list(program.graph_signature.user_outputs)
    try:
        outputs = pytree.tree_unflatten(own, program.call_spec.out_spec)
        found = pytree.tree_flatten_with_path(outputs)[0]
    except (TypeError, ValueError, AttributeError):  # a class of the user's that isn't known here
        return own
    names = [_called(path) or name for path, name in found]
    return names if len(set(names)) == len(names) else own


def _called(path: Iterable[Any]) -> str:
    """A path of keys as a name; empty if it begins with none."""
    keys = [getattr(key, "key", getattr(key, "idx", None)) for key in path]
    name = ".".join(str(key) for key in keys)
    return name if keys and isinstance(keys[0], str) and _NAME.fullmatch(name) else ""


def _name_outputs(graph: Any, names: Iterable[Any]) -> None:
    """Give the outputs the names that the exporter's decompositions lose.

    Done after the export: asked to, the exporter writes a name twice if an inner value has it.
    """
    values = {v.name: v for node in graph for v in node.outputs} | {v.name: v for v in graph.inputs}
    for output, name in zip(graph.outputs, names, strict=False):
        if isinstance(name, str) and name not in values and output.producer() is not None:
            output.name = name


@contextmanager
def running(model: str) -> Iterator[None]:
    """Run PyTorch without gradients; what it raises is about the sample.

    One thread computes: with more, sums are cut otherwise, and what a manifest tells of the source
    would depend on how many cores there are.

    Raises:
        DataError: In place of whatever the model raises.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad(), quiet("PyTorch"):  # TorchScript can't run in inference mode
        try:
            yield
        except Exception as error:
            # The model's own checks and PyTorch's kernels raise as they please.
            raise DataError(
                f"{model}: the model fails on a sample: {cause(error)}",
                hint="check the data's shapes and values against the model's inputs",
            ) from error
        finally:
            torch.set_num_threads(threads)


def cause(error: BaseException) -> str:
    """The innermost cause's first line: the outer ones retell the exporter's steps."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
