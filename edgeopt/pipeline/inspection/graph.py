"""Opening any ONNX file, and the questions that are asked of its graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.files import check_file
from edgeopt.core.ir import ir
from edgeopt.core.tensors import TensorSpec

DEQUANTIZE, QUANTIZE = "DequantizeLinear", "QuantizeLinear"
_KNOWN = (".onnx", ".onnx.failed")
_TRUNCATED = "it may be incomplete: fetch or convert it again"


def open_graph(
    path: Path, *, action: str = "inspected", readable: str = ".onnx, .tflite and .engine"
) -> ir.Model:
    """Read a model; its external data is looked at only where a value is asked for.

    Args:
        path: The file.
        action: What is done with it, for messages.
        readable: Which files that can be done with, likewise.

    Raises:
        UnsupportedError: If it isn't an ONNX file by its name.
        ModelError: If it isn't there, or can't be read.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such file", hint="check the path")
    if not path.name.lower().endswith(_KNOWN):
        raise UnsupportedError(
            f"{path}: only {readable} files can be {action}",
            hint="`edgeopt convert` makes one of any other model",
        )
    check_file(path)
    try:
        model = ir.load(path, format="protobuf")
    except OSError as error:
        raise ModelError(
            f"{path}: can't be read: {error.strerror or error}", hint="check its permissions"
        ) from error
    except Exception as error:
        # Damage surfaces as whatever the first reader of it raises.
        raise ModelError(f"{path}: not a valid ONNX file", hint=_TRUNCATED) from error
    # Protobuf takes an empty file, and some random bytes, for a message with nothing in it.
    if not model.graph.outputs:
        raise ModelError(f"{path}: an ONNX file without a graph", hint=_TRUNCATED)
    return model


def graphs(model: ir.Model) -> Iterator[ir.Graph]:
    """The main graph and those inside control flow."""
    yield model.graph
    yield from (g for g in model.graph.subgraphs() if g is not model.graph)


def operators(model: ir.Model) -> dict[str, int]:
    """How many nodes of each operator, the most frequent first."""
    count = Counter(
        f"{node.domain}:{node.op_type}" if node.domain else node.op_type
        for node in model.graph.all_nodes()
    )
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def opsets(model: ir.Model) -> dict[str, int]:
    """Operator set versions by domain."""
    return {domain or "ai.onnx": number for domain, number in model.opset_imports.items()}


def constant(value: ir.Value | None) -> ir.TensorProtocol | None:
    """The tensor of an initializer or of a Constant node; None for anything else."""
    if value is None:
        return None
    if value.const_value is not None:
        return value.const_value
    node = value.producer()
    if node is None or node.op_type != "Constant" or node.domain:
        return None
    attribute = node.attributes.get("value")
    return attribute.as_tensor() if attribute is not None else None


def parameters(model: ir.Model) -> int:
    """How many numbers the weights are: scales, zero points and shapes left out."""
    parts = {
        id(value)
        for node in model.graph.all_nodes()
        if node.op_type in (QUANTIZE, DEQUANTIZE)
        for value in node.inputs[1:]
    }
    values = [v for g in graphs(model) for v in g.initializers.values()]
    values += [n.outputs[0] for n in model.graph.all_nodes() if n.op_type == "Constant"]
    found = [constant(value) for value in values if id(value) not in parts]
    # int64 constants are shapes, axes and indices.
    return sum(t.size for t in found if t is not None and t.dtype not in _NOT_WEIGHTS)


_NOT_WEIGHTS = (ir.DataType.INT64, ir.DataType.BOOL, ir.DataType.STRING)


def specs(values: list[ir.Value]) -> tuple[TensorSpec, ...]:
    """Inputs or outputs; what the file leaves open is said, not refused."""
    return tuple(_spec(value) for value in values)


def external_files(model: ir.Model, path: Path) -> list[Path]:
    """The files that hold its weights, if they are beside it."""
    tensors = [v.const_value for g in graphs(model) for v in g.initializers.values()]
    named = {t.location for t in tensors if isinstance(t, ir.ExternalTensor)}
    return [path.parent / str(location) for location in sorted(map(str, named))]


def _spec(value: ir.Value) -> TensorSpec:
    shape = value.shape
    dims = ("...",) if shape is None else tuple(_dim(value, i, d) for i, d in enumerate(shape))
    return TensorSpec(name=value.name or "", dtype=_dtype(value.dtype), shape=dims)


def _dim(value: ir.Value, axis: int, dim: int | ir.SymbolicDim) -> int | str:
    return dim if isinstance(dim, int) else dim.value or f"{value.name}_{axis}"


def _dtype(dtype: ir.DataType | None) -> str:
    if dtype is None:
        return "unknown"
    return "string" if dtype == ir.DataType.STRING else dtype.numpy().name
