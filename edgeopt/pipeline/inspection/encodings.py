"""Scales and zero points, read back from a file and compared with what the manifest says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.core.ir import ir
from edgeopt.core.manifest import Encoding
from edgeopt.pipeline.inspection.graph import DEQUANTIZE, QUANTIZE, constant
from edgeopt.pipeline.inspection.plain import plain_weights, scale_axis
from edgeopt.pipeline.inspection.records import StoredEncoding

if TYPE_CHECKING:
    import numpy as np

_NAMED = 3
"""How many tensors a warning names."""


def encoded_tensor(node: ir.Node) -> str:
    """The name of the tensor that a QuantizeLinear or DequantizeLinear is about.

    By the name of its scale, ``<tensor>_scale``, as our writer and ONNX Runtime's have it; by the
    value that it takes, for a file of another kind.
    """
    before = node.inputs[0].producer() if node.inputs[0] is not None else None
    if node.op_type == DEQUANTIZE and before is not None and before.op_type == QUANTIZE:
        return encoded_tensor(before)  # the two have one encoding
    scale = node.inputs[1]
    name = (scale.name or "") if scale is not None else ""
    if name.endswith("_scale"):
        return name.removesuffix("_scale")
    return (node.inputs[0].name or "") if node.inputs[0] is not None else ""


def stored_encodings(model: ir.Model, folder: Path) -> tuple[StoredEncoding, ...]:
    """Every encoding in the file, one a tensor, in the file's order.

    Args:
        model: The model.
        folder: The one that its external data must be in to be read.
    """
    found: dict[str, StoredEncoding] = {}
    for node in model.graph.all_nodes():
        if node.op_type in (QUANTIZE, DEQUANTIZE) and (read := _encoding(node, folder)):
            found.setdefault(read.tensor, read)
    for plain in _plain(model, folder):
        found.setdefault(plain.tensor, plain)
    return tuple(found.values())


def differences(stored: Sequence[StoredEncoding], expected: Iterable[Encoding]) -> tuple[str, ...]:
    """The tensors whose encoding in the file isn't the manifest's, bit for bit."""
    by_name = {encoding.tensor: encoding for encoding in stored}
    return tuple(e.tensor for e in expected if not _equal(by_name.get(e.tensor), e))


def mismatch_warning(tensors: Sequence[str]) -> str:
    """One sentence about them."""
    shown = ", ".join(repr(t) for t in tensors[:_NAMED])
    more = f" and {len(tensors) - _NAMED} more" if len(tensors) > _NAMED else ""
    return f"the file's scales differ from the manifest's for {shown}{more}"


def _equal(stored: StoredEncoding | None, expected: Encoding) -> bool:
    # Both came from float32 without rounding, so that equal numbers are equal bits.
    return stored is not None and (
        stored.dtype == expected.dtype
        and stored.scale == expected.scale
        and stored.zero_point == expected.zero_point
        and stored.axis == expected.axis
    )


def _encoding(node: ir.Node, folder: Path) -> StoredEncoding | None:
    scale = _array(constant(node.inputs[1]), folder)
    if scale is None:
        return None  # computed at run time, or its file is not there
    given = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    zero_point = _array(given, folder)
    zeros = (0,) * scale.size if zero_point is None else _integers(zero_point)
    return StoredEncoding(
        tensor=encoded_tensor(node),
        dtype=_dtype(node, given),
        scale=tuple(float(s) for s in scale.reshape(-1)),
        zero_point=zeros,
        axis=None if scale.ndim == 0 or scale.size == 1 else node.attributes.get_int("axis", 1),
        constant=constant(node.inputs[0]) is not None,
    )


def _plain(model: ir.Model, folder: Path) -> Iterator[StoredEncoding]:
    for tensor, integers, scale in plain_weights(model.graph):
        scales = _array(scale, folder)
        if scales is not None:
            yield StoredEncoding(
                tensor=tensor,
                dtype=integers.dtype.numpy().name,
                scale=tuple(float(s) for s in scales.reshape(-1)),
                zero_point=(0,) * scales.size,
                axis=scale_axis(integers, scale),
                constant=True,
            )


def _dtype(node: ir.Node, zero_point: ir.TensorProtocol | None) -> str:
    stored = constant(node.inputs[0])
    typed = zero_point if zero_point is not None else stored
    if typed is not None and typed.dtype.is_integer():
        return typed.dtype.numpy().name
    return "uint8"  # what ONNX takes it for where nothing tells


def _integers(array: np.ndarray) -> tuple[int, ...]:
    return tuple(int(z) for z in array.reshape(-1))


def _array(tensor: ir.TensorProtocol | None, folder: Path) -> np.ndarray | None:
    if tensor is None:
        return None
    if isinstance(tensor, ir.ExternalTensor) and not _inside(Path(tensor.path), folder):
        return None
    return tensor.numpy()


def _inside(path: Path, folder: Path) -> bool:
    # A model names its data's file: one that points elsewhere on the machine isn't followed.
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())
