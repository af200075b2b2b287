"""What a graph's values have become, as far as it has been said in LiteRT's operators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.known import Known
from edgeopt.converters.tflite.model import Tensor
from edgeopt.converters.tflite.repeating import repeated
from edgeopt.converters.tflite.storage import CHANNELS_LAST, Storage
from edgeopt.converters.tflite.views import View
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass
class Lowering(Storage):
    """One walk.

    Args:
        bound: What each value is that was reached.
        opset: Of the graph, or the function's body, that is walked.
    """

    bound: dict[ir.Value, View | Known] = field(default_factory=dict)
    opset: int = 18

    # The graph's ends ---------------------------------------------------------------------------

    def add_inputs(self, graph: ir.Graph, *, channels_last: bool) -> None:
        """Make a tensor of each of the graph's inputs."""
        for value in graph.inputs:
            if value.is_initializer():
                continue
            if not isinstance(value.type, ir.TensorType):
                raise UnsupportedError(
                    f"{self.name}: input {value.name!r} isn't a tensor",
                    hint="export a model that takes and gives tensors",
                )
            shape, batched = self._input_shape(value)
            dtype = _dtype(value, self.name)
            self.check_stored(dtype, f"input {value.name!r}")
            view = View.of(Tensor(value.name or "", dtype, shape, batched))
            if channels_last and len(shape) == 4:
                order = CHANNELS_LAST[4]
                stored = tuple(shape[i] for i in order)
                grows = frozenset(n for n, i in enumerate(order) if i in batched)
                tensor = Tensor(value.name or "", dtype, stored, grows)
                view = View(tensor, tuple((order.index(i),) for i in range(4)))
            self.model.inputs.append(view.tensor)
            self.model.names[0].append(value.name or "")
            self.bound[value] = view

    def add_outputs(self, graph: ir.Graph) -> None:
        """Give the graph's outputs, in ONNX's order of axes."""
        for value in graph.outputs:
            tensor = self.plain(self.view(value))
            if 0 in tensor.shape:
                raise UnsupportedError(
                    f"{self.name}: output {value.name!r} has no elements: {list(tensor.shape)}",
                    hint="leave it out when exporting",
                )
            if tensor in self.model.inputs or tensor.constant or tensor in self.model.outputs:
                tensor = self.emit("RESHAPE", [tensor, self.shape_of(tensor)], like=tensor)
            tensor.name = value.name or tensor.name
            self.model.outputs.append(tensor)
            self.model.names[1].append(value.name or "")

    def _input_shape(self, value: ir.Value) -> tuple[tuple[int, ...], frozenset[int]]:
        dims = list(value.shape or ())
        for axis, dim in enumerate(dims):
            if not isinstance(dim, int) and axis > 0:
                called = f" ({dim.value})" if dim.value else ""
                raise UnsupportedError(
                    f"{self.name}: dimension {axis} of input {value.name!r}{called} has no "
                    "fixed size, which TFLite needs for all but the batch",
                    hint=f"fix it with --input, as in {_fixed_input(value)}",
                )
        shape = tuple(d if isinstance(d, int) else 1 for d in dims)
        batched = frozenset(i for i, d in enumerate(dims) if not isinstance(d, int))
        return shape, batched

    def unsupported(self, node: ir.Node, reason: str, hint: str = "") -> UnsupportedError:
        """The error for a node that can't be said."""
        return UnsupportedError(
            f"{self.name}: {node.op_type} {node.name!r}: {reason}",
            hint=hint or "keep --to onnx for this model, or export it without this operator",
        )

    # Values -------------------------------------------------------------------------------------

    def known(self, value: ir.Value | None) -> Known | None:
        """A value that is known before the model runs; None if it isn't."""
        if value is None:
            return None
        bound = self.bound.get(value)
        if isinstance(bound, Known):
            return bound
        if bound is None and value.const_value is not None:
            found = Known.constant(value.const_value.numpy())
            self.bound[value] = found
            return found
        return None

    def constant(self, node: ir.Node, index: int) -> Array | None:
        """A constant input of a node as an array; None if it is left out.

        Raises:
            UnsupportedError: If it is computed when the model runs, or depends on the batch.
        """
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is None:
            return None
        known = self.known(value)
        if known is None:
            what = f"its input {index} ({value.name!r}) is computed when the model runs"
            raise self.unsupported(node, what, "make it a constant before exporting")
        if not known.fixed:
            raise self.unsupported(node, f"its input {index} depends on the size of the batch")
        return known.one

    def setting(self, node: ir.Node, index: int, attribute: str) -> list[int] | None:
        """Whole numbers that are an input in newer opsets, an attribute in older; None if left out.

        Raises:
            UnsupportedError: If they are computed when the model runs, or depend on the batch.
        """
        found = node.attributes.get(attribute)
        if found is not None:
            return list(found.as_ints())
        array = self.constant(node, index)
        return None if array is None else [int(n) for n in array.reshape(-1)]

    def never_negative(self, tensor: Tensor) -> bool:
        """Whether whole numbers are places that an operator gave."""
        writer = next((op for op in self.model.operators if tensor in op.outputs), None)
        if writer is not None and writer.code in ("CAST", "RESHAPE", "TRANSPOSE", "SLICE"):
            source = writer.inputs[0]
            return source is not None and self.never_negative(source)
        return writer is not None and writer.code in ("ARG_MAX", "ARG_MIN", "TOPK_V2", "FLOOR_MOD")

    def view(self, value: ir.Value | None) -> View:
        """A value as a view; constants become constant tensors."""
        assert value is not None
        known = self.known(value)
        if known is not None:
            if not known.fixed:
                return self._repeated(known, value)
            return View.of(self.constant_tensor(known.one, value.name or "constant"))
        bound = self.bound.get(value)
        if not isinstance(bound, View):
            raise ModelError(
                f"{self.name}: {value.name!r} is read before it is computed",
                hint="check the file with onnx.checker.check_model",
            )
        return bound

    def bind(self, value: ir.Value, view: View) -> None:
        """Say what a value is; a tensor that was made for it has its name."""
        made = self.model.operators[-1].outputs if self.model.operators else ()
        if view.tensor in made and view.tensor.name == self.at and value.name:
            view.tensor.name = value.name
        self.bound[value] = view

    # The batch ----------------------------------------------------------------------------------

    def _repeated(self, known: Known, value: ir.Value) -> View:
        """A constant that is repeated along one axis for each entry of the batch."""
        one, many = known.one, known.many
        grown = [n for n, (a, b) in enumerate(zip(one.shape, many.shape, strict=False)) if a != b]
        same = one.ndim == many.ndim and len(grown) == 1 and one.shape[grown[0]] == 1
        if not same or not np.array_equal(np.broadcast_to(one, many.shape), many, equal_nan=False):
            raise UnsupportedError(
                f"{self.name}: {value.name!r} depends on the size of the batch, and is data",
                hint="fix the batch with --input",
            )
        constant = View.of(self.constant_tensor(one, value.name or "constant"))
        found = repeated(self, constant, grown[0])
        self.bound[value] = found
        return found


def _dtype(value: ir.Value, name: str) -> np.dtype[Any]:
    if value.dtype is None:
        raise ModelError(f"{name}: {value.name!r} has no type", hint="run onnx.shape_inference")
    return np.dtype(value.dtype.numpy())


def _fixed_input(value: ir.Value) -> str:
    dims = [
        "batch",
        *("128" if not isinstance(d, int) else str(d) for d in (value.shape or ())[1:]),
    ]
    kind = value.dtype.numpy().name if value.dtype is not None else "float32"
    return f"--input '{value.name}:{kind}[{','.join(dims)}]'"
