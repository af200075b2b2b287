"""ONNX files as sources, with their weights inside or beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgeopt.converters.inputs import InputOptions
from edgeopt.converters.sources.source import SourceOptions
from edgeopt.core.complaints import reason
from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.ir import ir
from edgeopt.core.layout import Layout
from edgeopt.core.manifest import SourceRecord
from edgeopt.core.onnx_file import save_apart
from edgeopt.core.runtime import open_session, run
from edgeopt.core.tensors import Batch, TensorSpec

OLDEST_OPSET = 13
"""QuantizeLinear has had its per-channel axis since opset 13; older models are converted up."""

_QUANTIZED = frozenset({
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
    "QGemm", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
    "DynamicQuantizeLSTM", "MatMulNBits",
})  # fmt: skip


class OnnxSource:
    """A float ONNX model; the reference is ONNX Runtime running the file as it was given."""

    layout = Layout.NCHW
    official = None

    def __init__(self, path: Path, inputs: InputOptions) -> None:
        self.path, self.inputs = path, inputs
        self.name = path.stem
        self.record = SourceRecord(kind="onnx", location=str(path), sha256=sha256(path))
        self._session: Any = None

    def export(self, path: Path) -> None:
        """Write the graph with its inputs fixed as ``--input`` says, at a usable opset."""
        model = _read(self.path)
        _refuse_quantized(model, self.path)
        if model.opset_imports.get("", 0) < OLDEST_OPSET:
            model = _upgraded(model, self.path)
        _fix_inputs(model.graph, self.inputs, self.path)
        save_apart(model, path)

    def run(self, inputs: Batch) -> list[object]:
        """Run the file as it was given; inputs fixed by ``--input`` are fed their value."""
        if self._session is None:
            self._session = open_session(self.path, threads=1)
        feeds = dict(inputs)
        for have in self._session.get_inputs():
            if have.name in self.inputs.fixed:
                named = have.type.removeprefix("tensor(").rstrip(")")
                dtype = np.dtype({"float": "float32"}.get(named, named))
                feeds[have.name] = np.full(have.shape, self.inputs.fixed[have.name], dtype)
        return run(self._session, None, feeds, str(self.path))


def open_onnx(model: str | Path, options: SourceOptions) -> OnnxSource:
    """Open a ``.onnx`` file."""
    return OnnxSource(Path(model), options.inputs)


def _read(path: Path) -> ir.Model:
    try:
        model = ir.load(path)
        if _external(model):
            # It sees to it that weights beside the model don't lie outside of its folder.
            onnx.checker.check_model(str(path))
    except Exception as error:
        # protobuf, onnx-ir and the checker's binding raise exceptions that share no base.
        raise ModelError(
            f"{path}: not a readable ONNX model: {reason(str(error).split(chr(10))[0])}",
            hint="export it again; the file may be incomplete",
        ) from error
    # Protobuf takes an empty file, and some random bytes, for a message with nothing in it.
    if not model.graph.outputs:
        raise ModelError(
            f"{path}: an ONNX file without a graph",
            hint="export it again; the file may be incomplete",
        )
    _free_negative_sizes(model.graph)
    return model


def _free_negative_sizes(graph: ir.Graph) -> None:
    """Make sizes of -1 dynamic: PaddlePaddle's exporter writes them so."""
    values = (*graph.inputs, *graph.outputs, *(v for node in graph for v in node.outputs))
    for value in values:
        if any(isinstance(dim, int) and dim < 0 for dim in value.shape or ()):
            dims = [None if isinstance(d, int) and d < 0 else d for d in value.shape or ()]
            value.shape = ir.Shape(dims)


def _external(model: ir.Model) -> bool:
    values = [v for graph in model.graphs() for v in graph.initializers.values()]
    return any(isinstance(v.const_value, ir.ExternalTensor) for v in values)


def _refuse_quantized(model: ir.Model, path: Path) -> None:
    found = next((n for n in model.graph.all_nodes() if n.op_type in _QUANTIZED), None)
    if found is not None:
        raise ModelError(
            f"{path}: is quantized already (node {found.name or found.op_type!r})",
            hint="start from the float model it was made from",
        )


def _upgraded(model: ir.Model, path: Path) -> ir.Model:
    from onnx import version_converter

    try:
        upgraded: ir.Model = ir.from_proto(
            version_converter.convert_version(ir.to_proto(model), 17)
        )
    except (RuntimeError, ValueError, IndexError) as error:
        raise ModelError(
            f"{path}: its opset can't be converted up: {reason(error)}",
            hint="export it again at opset 13 or later",
        ) from error
    return upgraded


def _fix_inputs(graph: ir.Graph, options: InputOptions, path: Path) -> None:
    by_name = {value.name: value for value in graph.inputs}
    for name in (*options.specs, *options.fixed):
        if name not in by_name:
            have = ", ".join(v.name or "" for v in graph.inputs)
            raise UsageError(f"--input {name}: {path} has no such input", hint=f"it has: {have}")
    for name, spec in options.specs.items():
        _set_shape(by_name[name], spec, path)
    for name, number in options.fixed.items():
        _make_constant(graph, by_name[name], number)


def _set_shape(value: ir.Value, spec: TensorSpec, path: Path) -> None:
    have = tuple(d if isinstance(d, int) else None for d in value.shape or ())
    dtype = value.dtype.numpy().name if value.dtype is not None else spec.dtype
    fits = len(have) == len(spec.shape) and all(
        h is None or h == w for h, w in zip(have, spec.shape, strict=True)
    )
    if dtype != spec.dtype or (value.shape is not None and not fits):
        dims = ",".join("?" if d is None else str(d) for d in have)
        raise UsageError(
            f"--input {spec}: {path} has {value.name}:{dtype}[{dims}]",
            hint="only its dynamic dimensions, shown as ?, can be fixed",
        )
    value.shape = ir.Shape(spec.shape)


def _make_constant(graph: ir.Graph, value: ir.Value, number: float | int) -> None:
    dtype = value.dtype.numpy() if value.dtype is not None else np.float32
    shape = [d if isinstance(d, int) else 1 for d in value.shape or ()]
    value.const_value = ir.tensor(np.full(shape, number, dtype), name=value.name)
    graph.inputs.remove(value)
    graph.register_initializer(value)
