"""Running a model part by part over a few samples, each part once.

Between two parts the model may change, in what hasn't run yet. Of every sample only the tensors are
held that what is still to run will read: integers where the model has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.core.runtime import open_session, run
from edgeopt.core.streaming import each_of
from edgeopt.data import Sample

if TYPE_CHECKING:
    import onnx

_FREE = "DequantizeLinear"
"""Recomputed wherever it is read, so that integers are held instead of what it makes of them."""


class Stepwise:
    """A model on its way through its nodes.

    Args:
        model: Its initializers may be replaced as it goes; see :meth:`replace`.
        samples: Its inputs.
        goals: The values that will be asked for, in an order that the graph allows.
        scratch: A folder for the parts.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        samples: Sequence[Sample],
        goals: Iterable[str],
        scratch: Path,
    ) -> None:
        self._model, self._samples, self._scratch = model, samples, scratch
        self._nodes = list(model.graph.node)
        self._reads = [[*_reads(node)] for node in self._nodes]
        self._makers = {name: i for i, node in enumerate(self._nodes) for name in node.output}
        self._readers: dict[str, list[int]] = {}
        for index, names in enumerate(self._reads):
            for name in names:
                self._readers.setdefault(name, []).append(index)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._held = {
            spec.name: [sample.inputs[spec.name] for sample in samples]
            for spec in model.graph.input
            if spec.name not in self._constants
        }
        self._goals = list(goals)
        self._waiting = {i for i in self._before(self._goals) if self._nodes[i].op_type != _FREE}

    def replace(self, name: str, array: np.ndarray) -> None:
        """Give an initializer another value, for what hasn't run yet."""
        from onnx import numpy_helper

        self._constants[name].CopyFrom(numpy_helper.from_array(array, name))

    def run(
        self, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]
    ) -> Iterator[np.ndarray]:
        """Run nodes of your own, and before them what they need and hasn't run yet.

        Args:
            nodes: Read values of the model, ``constants``, and one another; the goals among what
                they read are reached then.
            constants: Theirs.

        Yields:
            The last node's output for each sample, in order.
        """
        reads = [name for node in nodes for name in node.input]
        needed = sorted(self._before(reads))
        ran = [i for i in needed if self._nodes[i].op_type != _FREE]
        self._waiting.difference_update(ran)
        kept = [n for i in ran for n in self._nodes[i].output if self._is_read(n)]
        part = self._part([*(self._nodes[i] for i in needed), *nodes], constants, kept)
        inputs = [spec.name for spec in part.graph.input]
        session = open_part(part, self._scratch)

        def step(index: int) -> list[np.ndarray]:
            fed = {name: self._held[name][index] for name in inputs}
            return run(session, None, fed, self._samples[index].origin)

        held: dict[str, list[np.ndarray]] = {name: [] for name in kept}
        for _, (found, *values) in each_of(range(len(self._samples)), step):
            for name, value in zip(kept, values, strict=True):
                held[name].append(value)
            yield found
        for name in reads:
            if name in self._goals:
                self._goals.remove(name)
        self._held = {n: v for n, v in (self._held | held).items() if self._is_read(n)}

    def _before(self, names: Iterable[str]) -> set[int]:
        """The nodes that must run for some values, given what is held."""
        found: set[int] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            index = self._makers.get(name)
            if index is None or name in self._held or index in found:
                continue
            found.add(index)
            stack.extend(self._reads[index])
        return found

    def _is_read(self, name: str) -> bool:
        """Whether something that is still to run, or to be asked for, reads a value."""
        if name in self._goals:
            return True
        return any(
            any(map(self._is_read, self._nodes[i].output))
            if self._nodes[i].op_type == _FREE
            else i in self._waiting
            for i in self._readers.get(name, [])
        )

    def _part(
        self,
        nodes: Sequence[onnx.NodeProto],
        constants: Sequence[onnx.TensorProto],
        kept: Sequence[str],
    ) -> onnx.ModelProto:
        import onnx

        made = {name for node in nodes for name in node.output} | {c.name for c in constants}
        read = dict.fromkeys(n for node in nodes for n in _reads(node) if n and n not in made)
        part = onnx.ModelProto()
        part.ir_version = self._model.ir_version
        part.opset_import.extend(self._model.opset_import)
        part.functions.extend(self._model.functions)
        graph = part.graph
        graph.name = "part"
        graph.node.extend(nodes)
        graph.initializer.extend(constants)
        graph.initializer.extend(self._constants[n] for n in read if n in self._constants)
        graph.input.extend(_spec(n, self._held[n]) for n in read if n in self._held)
        for name in (nodes[-1].output[0], *kept):
            graph.output.append(onnx.ValueInfoProto(name=name))
        return part


def open_part(part: onnx.ModelProto, scratch: Path) -> Any:
    """A session of one thread; the samples run beside one another."""
    path = scratch / "part.onnx"
    path.write_bytes(part.SerializeToString())
    session = open_session(path, threads=1)
    path.unlink()
    return session


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    """What a node reads, its inner graphs' outer values included."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            own = {name for inner in graph.node for name in inner.output}
            own |= {v.name for v in (*graph.input, *graph.initializer)}
            outer = (name for inner in graph.node for name in _reads(inner))
            yield from (n for n in outer if n not in own)
            yield from (v.name for v in graph.output if v.name not in own)


def _spec(name: str, arrays: Sequence[np.ndarray]) -> onnx.ValueInfoProto:
    """An input that these arrays fit: of their shape if they share it."""
    from onnx import helper

    shape = arrays[0].shape if len({a.shape for a in arrays}) == 1 else None
    dtype = helper.np_dtype_to_tensor_dtype(arrays[0].dtype)
    return helper.make_tensor_value_info(name, dtype, shape)
