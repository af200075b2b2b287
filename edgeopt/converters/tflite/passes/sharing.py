"""Keeping LiteRT's built-in kernels from overwriting what is read again.

They compute additions, subtractions, products, quotients and softmaxes in their input's memory
where nothing else reads it, and a RESHAPE's output *is* its input's memory. Whether something else
reads it is asked of the first tensor in that memory only (seen in LiteRT 2.3): a sum that was
itself computed in place, reshaped, and subtracted from is overwritten, though a residual reads the
sum later. A tensor with two readers is left alone, so a second one is given to it: a RESHAPE to the
shape that it has, whose result nobody reads. It moves nothing. XNNPACK, which computes these
operators on most devices, doesn't have the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.converters.tflite.model import Model, Operator, Tensor

_IN_PLACE = frozenset({"ADD", "SUB", "MUL", "DIV", "SOFTMAX"})


def spare_shared(model: Model) -> None:
    """Give a second reader to what would be overwritten before it is read for the last time."""
    flow = _Flow(model)
    operators: list[Operator] = []
    for index, op in enumerate(model.operators):
        if op.code in _IN_PLACE:
            operators += [_second_reader(t, flow) for t in flow.overwritten(op, index)]
        operators.append(op)
    model.operators = operators


class _Flow:
    """Who writes and who reads each tensor of a model."""

    def __init__(self, model: Model) -> None:
        self.inputs, self.outputs = set(model.inputs), set(model.outputs)
        self.writers = {t: op for op in model.operators for t in op.outputs}
        self.readers: dict[Tensor, list[int]] = {}
        for index, op in enumerate(model.operators):
            for tensor in op.inputs:
                if tensor is not None:
                    self.readers.setdefault(tensor, []).append(index)

    def overwritten(self, op: Operator, index: int) -> Iterator[Tensor]:
        """The inputs in whose memory an operator is computed though it is read again."""
        for tensor in op.inputs:
            if tensor is None or len(self.readers[tensor]) > 1 or tensor in self.outputs:
                continue
            aliases = list(self._aliases(tensor))
            read_again = any(self._read_after(t, index) for t in aliases)
            if read_again and not self._protected(aliases[-1]):
                yield tensor

    def _aliases(self, tensor: Tensor) -> Iterator[Tensor]:
        """Earlier tensors in the same memory, as far as RESHAPEs tell."""
        writer = self.writers.get(tensor)
        while writer is not None and writer.code == "RESHAPE":
            before = writer.inputs[0]
            if before is None or before in self.inputs or before.constant:
                return
            yield before
            writer = self.writers.get(before)

    def _read_after(self, tensor: Tensor, index: int) -> bool:
        return tensor in self.outputs or max(self.readers.get(tensor, [-1])) > index

    def _protected(self, first: Tensor) -> bool:
        """Whether LiteRT sees that a memory's first tensor has several readers."""
        writer = self.writers.get(first)
        in_place = writer is not None and writer.code in _IN_PLACE
        return not in_place and len(self.readers[first]) > 1


def _second_reader(tensor: Tensor, flow: _Flow) -> Operator:
    reshape = flow.writers[tensor]
    unread = Tensor(
        f"{tensor.name}_spared",
        tensor.dtype,
        tensor.shape,
        tensor.batched,
        quantization=tensor.quantization,
    )
    return Operator(reshape.code, [tensor, *reshape.inputs[1:]], [unread], options=reshape.options)
