"""Walking an ONNX graph and saying it in LiteRT's operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.converters.tflite.claims import check_claim
from edgeopt.converters.tflite.functions import body_of
from edgeopt.converters.tflite.kernels import STORED, data_of, takes
from edgeopt.converters.tflite.known import Known, evaluated
from edgeopt.converters.tflite.model import MANY, Model, Operator, Options, Tensor
from edgeopt.converters.tflite.registry import entry_of, why_not
from edgeopt.converters.tflite.views import Axes, View, regrouped
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

CHANNELS_LAST = {3: (0, 2, 1), 4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
"""An image's axes (batch, channels, pixels) in LiteRT's order, by rank."""

_CONVERTERS = frozenset({"QUANTIZE", "DEQUANTIZE"})

LARGEST_RANK = 6
"""Of a TRANSPOSE, and of most kernels."""


def lower(model: ir.Model, *, channels_last: bool, name: str) -> Model:
    """Say an ONNX model in LiteRT's operators.

    Args:
        model: Float, or with Q/DQ pairs; edited (nodes that are not needed are removed before).
        channels_last: Whether image inputs (rank 4) have channels last.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If LiteRT can't express a node; names it, and says why and what to do.
        ModelError: If the graph contradicts itself.
    """
    lowering = Lowering(model.graph, name)
    lowering.add_inputs(channels_last=channels_last)
    lowering.walk(model.graph)
    lowering.add_outputs()
    return lowering.model


@dataclass
class Lowering:
    """One walk.

    Args:
        graph: What is walked.
        name: The model's, for messages.
        model: What comes of it.
        opset: The graph's.
    """

    graph: ir.Graph
    name: str
    model: Model = field(default_factory=Model)
    bound: dict[ir.Value, View | Known] = field(default_factory=dict)
    _moved: dict[tuple[Tensor, tuple[int, ...], tuple[int, ...]], Tensor] = field(
        default_factory=dict
    )
    _constants: dict[tuple[int, str], Tensor] = field(default_factory=dict)
    joined: dict[tuple[tuple[Tensor, ...], int], Tensor] = field(default_factory=dict)
    _kept: list[Array] = field(default_factory=list)
    zeros: dict[np.dtype[Any], Tensor] = field(default_factory=dict)
    _node: str = ""
    opset: int = 18

    # The graph's ends ---------------------------------------------------------------------------

    def add_inputs(self, *, channels_last: bool) -> None:
        """Make a tensor of each of the graph's inputs."""
        for value in self.graph.inputs:
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

    def add_outputs(self) -> None:
        """Give the graph's outputs, in ONNX's order of axes."""
        for value in self.graph.outputs:
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
                raise UnsupportedError(
                    f"{self.name}: dimension {axis} of input {value.name!r} ({dim.value}) has no "
                    "fixed size, which TFLite needs for all but the batch",
                    hint=f"fix it with --input, as in {_fixed_input(value)}",
                )
        shape = tuple(d if isinstance(d, int) else 1 for d in dims)
        batched = frozenset(i for i, d in enumerate(dims) if not isinstance(d, int))
        return shape, batched

    # Nodes --------------------------------------------------------------------------------------

    def walk(self, graph: ir.Graph) -> None:
        """Lower every node of a graph, or of a function's body."""
        before, self.opset = self.opset, graph.opset_imports.get("", self.opset)
        for node in graph:
            self.node(node)
        self.opset = before

    def node(self, node: ir.Node) -> None:
        """Lower one node, or compute it ahead where its inputs are known."""
        self._node = node.name or self._node
        if self._ahead(node):
            return
        entry = entry_of(node)
        if entry is not None and self.opset >= entry.since:
            entry.lower(node, self)
        elif not self.expanded(node):
            raise self.unsupported(node, *why_not(node, self.opset))
        self._check(node)

    def expanded(self, node: ir.Node) -> bool:
        """Lower a node by what ONNX defines it by, if it is defined by other operators."""
        if node.domain not in ("", "ai.onnx"):
            return False
        body = body_of(node, self.opset, [self._type(value) for value in node.inputs])
        if body is None:
            return False
        outer, given = self._node, [v for v in node.inputs if v is not None]
        for value, inner in zip(given, body.graph.inputs, strict=True):
            self.bound[inner] = self.known(value) or self.view(value)
        self.walk(body.graph)
        self._node = outer
        for value, inner in zip(node.outputs, body.graph.outputs, strict=False):
            if inner in self.bound:
                self.bound[value] = self.bound[inner]
        return True

    def _check(self, node: ir.Node) -> None:
        """Raise if an output that is read wasn't given, or isn't what the model says it is."""
        for place, output in enumerate(node.outputs):
            if not (output.uses() or output.is_graph_output()):
                continue
            if output not in self.bound:
                raise self.unsupported(node, f"TFLite doesn't give its output {place}")
            check_claim(output, self.bound[output], self.name)

    def _type(self, value: ir.Value | None) -> tuple[np.dtype[Any], tuple[int | None, ...]] | None:
        if value is None:
            return None
        known = self.known(value)
        if known is not None:
            return known.one.dtype, known.one.shape
        view = self.view(value)
        sizes = tuple(None if n in view.batched else d for n, d in enumerate(view.shape))
        return view.tensor.dtype, sizes

    def unsupported(self, node: ir.Node, reason: str, hint: str = "") -> UnsupportedError:
        """The error for a node that can't be said."""
        return UnsupportedError(
            f"{self.name}: {node.op_type} {node.name!r}: {reason}",
            hint=hint or "keep --to onnx for this model, or export it without this operator",
        )

    def _ahead(self, node: ir.Node) -> bool:
        if node.domain or node.op_type in ("DequantizeLinear", "QuantizeLinear"):
            return False
        if node.op_type in ("If", "Loop", "Scan"):
            return False
        if node.op_type in ("Shape", "Size"):
            return self._measured(node)
        inputs = [None if v is None else self.known(v) for v in node.inputs]
        given = [v for v in node.inputs if v is not None]
        if any(k is None for v, k in zip(node.inputs, inputs, strict=True) if v is not None):
            return False
        if not given and node.op_type not in ("Constant", "RandomNormal"):
            return False
        found = evaluated(node, inputs, self.name)
        if found is None:
            return False
        self.bound.update(zip(node.outputs, found, strict=True))
        return True

    def _measured(self, node: ir.Node) -> bool:
        value = node.inputs[0]
        assert value is not None
        known = self.known(value)
        if known is not None:
            one, many = known.one.shape, known.many.shape
        else:
            view = self.view(value)
            one, many = view.shape, many_shape(view)
        if node.op_type == "Size":
            pair = Known(np.array(np.prod(one), np.int64), np.array(np.prod(many), np.int64))
        else:
            start = node.attributes.get_int("start", 0)
            end = node.attributes.get_int("end", len(one))
            pair = Known(np.array(one[start:end], np.int64), np.array(many[start:end], np.int64))
        self.bound[node.outputs[0]] = pair
        return True

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
        if view.tensor in made and view.tensor.name == self._node and value.name:
            view.tensor.name = value.name
        self.bound[value] = view

    # Tensors ------------------------------------------------------------------------------------

    def constant_tensor(self, array: Array, name: str) -> Tensor:
        """A constant tensor; float64 becomes float32, which is what LiteRT computes in."""
        key = (id(array), name)
        if key not in self._constants:
            data = array.astype(np.float32) if array.dtype == np.float64 else array
            self.check_stored(data.dtype, f"constant {name!r}")
            self._constants[key] = Tensor(name, data.dtype, data.shape, data=data)
            self._kept.append(array)
        return self._constants[key]

    def indices(self, values: Sequence[int], name: str = "axes") -> Tensor:
        """A constant vector of int32, as operators take axes, sizes and places."""
        if any(not -(2**31) <= v < 2**31 for v in values):
            raise UnsupportedError(
                f"{self.name}: {self._node!r}: its {name} {list(values)} don't fit 32 bits",
                hint="TFLite takes places and sizes as int32: keep --to onnx for this model",
            )
        data = np.array(values, np.int32)
        return Tensor(f"{self._node}/{name}", data.dtype, data.shape, data=data)

    def shape_of(self, tensor: Tensor) -> Tensor:
        """The constant that a RESHAPE takes for a tensor's shape; -1 where the batch decides."""
        if len(tensor.batched) > 1:
            raise UnsupportedError(
                f"{self.name}: {tensor.name!r} has two dimensions that grow with the batch",
                hint="fix the batch with --input",
            )
        return self.indices(tensor.signature, "shape")

    def emit(
        self,
        code: str,
        inputs: list[Tensor | None],
        options: Options | None = None,
        *,
        like: Tensor | None = None,
        shape: tuple[int, ...] | None = None,
        batched: frozenset[int] | None = None,
        dtype: Any = None,
        name: str = "",
    ) -> Tensor:
        """Add an operator with one output.

        Args:
            code: LiteRT's name.
            inputs: What it reads.
            options: Its options table.
            like: A tensor whose shape, batch and type the output has, where not said otherwise.
            shape: The output's.
            batched: The output's axes that grow with the batch.
            dtype: The output's.
            name: The output's; the node's if empty.
        """
        base = like if like is not None else next(t for t in inputs if t is not None)
        data = data_of(code, inputs)
        checked = data is not None and data.quantization is None and code not in _CONVERTERS
        if checked and data is not None and not takes(code, data.dtype):
            raise UnsupportedError(
                f"{self.name}: {self._node!r}: TFLite has no {code} of {data.dtype}",
                hint="cast it to float32 or int32 before, and export again",
            )
        grows = base.batched if shape is None and batched is None else (batched or frozenset())
        output = Tensor(
            name or self._node or code.lower(),
            np.dtype(dtype) if dtype is not None else base.dtype,
            base.shape if shape is None else tuple(int(d) for d in shape),
            grows,
        )
        self.model.operators.append(Operator(code, inputs, [output], options, self._node))
        return output

    # The batch ----------------------------------------------------------------------------------

    def _repeated(self, known: Known, value: ir.Value) -> View:
        """A constant that is repeated along one axis for each entry of the batch."""
        from edgeopt.converters.tflite.ops.broadcasting import repeated

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

    def check_stored(self, dtype: np.dtype[Any], what: str) -> None:
        """Raise if values of a type can't be stored for LiteRT's kernels."""
        if dtype.name not in STORED:
            raise UnsupportedError(
                f"{self.name}: {what} is {dtype}, which TFLite's kernels don't have",
                hint="export the model with float32 and int32 or int64",
            )

    # Orders of axes -----------------------------------------------------------------------------

    def plain(self, view: View) -> Tensor:
        """A view's elements stored in ONNX's order, with the value's own axes."""
        return self.stored(view, tuple(range(view.rank)))

    def channels_last(self, view: View) -> Tensor:
        """An image (or a sequence, or a volume) stored with channels last."""
        return self.stored(view, CHANNELS_LAST[view.rank])

    def stored(self, view: View, order: tuple[int, ...]) -> Tensor:
        """A view's elements stored with the value's axes in a given order, one stored axis each."""
        shape = tuple(view.shape[n] for n in order)
        grows = frozenset(n for n, axis in enumerate(order) if axis in view.batched)
        axes = view.stored_axes(order)
        key = (view.tensor, axes, shape)
        if key not in self._moved:
            self._moved[key] = self.reshaped_tensor(
                self._transposed(view.tensor, axes), shape, grows
            )
        return self._moved[key]

    def reshaped(self, view: View, shape: tuple[int, ...], many: tuple[int, ...]) -> View:
        """A view of the same elements with another shape.

        Args:
            view: The value.
            shape: At batch 1.
            many: At a batch of ``MANY``.
        """
        axes: Axes | None = regrouped(view, many)
        if axes is not None:
            return View(view.tensor, axes)
        split = self._split(view, many)
        if split is not None:
            return split
        grows = frozenset(n for n, (a, b) in enumerate(zip(shape, many, strict=True)) if a != b)
        return View.of(self.reshaped_tensor(self.plain(view), shape, grows))

    def _split(self, view: View, many: tuple[int, ...]) -> View | None:
        """The view where each stored axis that the new shape splits is split where it is stored."""
        parts = _parts_of(view, many)
        if parts is None:
            return None
        sizes = view.tensor.many
        whole = [parts.get(i, [sizes[i]]) for i in range(len(sizes))]
        flat = [size for part in whole for size in part]
        grows = frozenset(n for n, size in enumerate(flat) if size % MANY == 0 and size)
        shape = tuple(s // MANY if n in grows else s for n, s in enumerate(flat))
        if len(shape) > LARGEST_RANK:
            return None
        starts = np.cumsum([0, *(len(part) for part in whole)])
        tensor = self.reshaped_tensor(view.tensor, shape, grows)
        axes = tuple(
            tuple(n for i in axis for n in range(starts[i], starts[i + 1])) for axis in view.axes
        )
        regroup = regrouped(View(tensor, axes), many)
        return None if regroup is None else View(tensor, regroup)

    def _transposed(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        moving = [i for i in axes if tensor.many[i] > 1]
        if moving == sorted(moving):
            return tensor  # only axes of size 1 would move
        shape = tuple(tensor.shape[i] for i in axes)
        grows = frozenset(n for n, i in enumerate(axes) if i in tensor.batched)
        if tensor.data is not None:
            return tensor.transposed(axes)
        if len(axes) > LARGEST_RANK:
            raise UnsupportedError(
                f"{self.name}: {self._node!r} needs a transpose of {len(axes)} dimensions; "
                f"TFLite has {LARGEST_RANK}",
                hint="export the model with fewer dimensions there",
            )
        return self.emit(
            "TRANSPOSE", [tensor, self.indices(axes, "order")], Options("TransposeOptions"),
            shape=shape, batched=grows, name=f"{tensor.name}_moved",
        )  # fmt: skip

    def reshaped_tensor(
        self, tensor: Tensor, shape: tuple[int, ...], grows: frozenset[int]
    ) -> Tensor:
        """A tensor's elements with another shape."""
        if tensor.shape == shape and tensor.batched == grows:
            return tensor
        if tensor.data is not None:
            return tensor.reshaped(shape)
        wanted = self.shape_of(Tensor(tensor.name, tensor.dtype, shape, grows))
        options = Options("ReshapeOptions", {"newShape": wanted.data})
        return self.emit(
            "RESHAPE", [tensor, wanted], options,
            shape=shape, batched=grows, name=f"{tensor.name}_reshaped",
        )  # fmt: skip


def many_shape(view: View) -> tuple[int, ...]:
    """A value's shape at a batch of ``MANY``."""
    return tuple(d * MANY if n in view.batched else d for n, d in enumerate(view.shape))


def _parts_of(view: View, many: tuple[int, ...]) -> dict[int, list[int]] | None:
    """The sizes that each stored axis splits into; None if one doesn't come out even."""
    sizes = view.tensor.many
    stored = [i for axis in view.axes for i in axis if sizes[i] > 1]
    parts: dict[int, list[int]] = {}
    left = 1
    current = -1
    for size in many:
        need = size
        while need > 1:
            if left == 1:
                if not stored:
                    return None
                current = stored.pop(0)
                left = sizes[current]
            step = need if left % need == 0 else left
            if need % step:
                return None
            parts.setdefault(current, []).append(step)
            left //= step
            need //= step
    return parts if left == 1 and not stored else None


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
