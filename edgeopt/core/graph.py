"""The waist: what every source becomes and every output starts from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeopt.core.tensors import TensorSpec

if TYPE_CHECKING:
    from edgeopt.core.ir import ir


@dataclass(frozen=True)
class FloatGraph:
    """A simplified float ONNX file.

    Args:
        path: Where it is: a temporary file, its weights in another beside it.
        inputs: What it takes.
        outputs: What it gives.
        sha256: Its canonical digest: see :func:`graph_digest`.
    """

    path: Path
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sha256: str


def graph_digest(model: ir.Model) -> str:
    """A digest of what a model computes and what its tensors are called, in hex.

    How the file was written has no part in it: the order of weights and attributes, the program
    that wrote it, where weights are kept. Calibration tables are keyed to it.
    """
    digest = hashlib.sha256()
    for part in _model_parts(model):
        digest.update(f"{len(part)}:".encode())
        digest.update(part)
    return digest.hexdigest()


def _model_parts(model: ir.Model) -> Iterator[bytes | memoryview]:
    imports = sorted((domain, version) for domain, version in model.opset_imports.items())
    yield repr(imports).encode()
    yield from _graph_parts(model.graph)
    for identifier in sorted(model.functions):
        yield repr(identifier).encode()
        for node in model.functions[identifier]:
            yield from _node_parts(node)


def _graph_parts(graph: ir.Graph) -> Iterator[bytes | memoryview]:
    for value in (*graph.inputs, *graph.outputs):
        yield f"{value.name} {value.dtype} {value.shape}".encode()
    for name in sorted(graph.initializers):
        constant = graph.initializers[name].const_value
        yield name.encode()
        if constant is not None:
            yield from _tensor_parts(constant)
    for node in graph:
        yield from _node_parts(node)


def _node_parts(node: ir.Node) -> Iterator[bytes | memoryview]:
    inputs = [None if v is None else v.name for v in node.inputs]
    outputs = [v.name for v in node.outputs]
    yield repr((node.domain, node.op_type, node.overload, node.name, inputs, outputs)).encode()
    for name in sorted(node.attributes):
        attribute = node.attributes[name]
        yield f"{name} {attribute.type} {attribute.ref_attr_name}".encode()
        yield from _value_parts(attribute.type, attribute.value)


def _value_parts(kind: ir.AttributeType, value: Any) -> Iterator[bytes | memoryview]:
    several = kind.name.endswith("S")
    for each in value if several else (value,):
        if kind.name.startswith("GRAPH"):
            yield from _graph_parts(each)
        elif kind.name.startswith("TENSOR"):
            yield from _tensor_parts(each)
        else:
            yield repr(each).encode()


def _tensor_parts(tensor: ir.TensorProtocol) -> Iterator[bytes | memoryview]:
    yield f"{tensor.dtype} {tensor.shape}".encode()
    yield tensor.tobytes()
