"""The float graph's ranges put on the tensors of an official converter's file.

TFLiteConverter names a tensor after the TensorFlow operators that it stands for, ``add;conv`` where
it fused them, and with a number behind where the name was taken. tf2onnx keeps the same names. The
tensor holds what the last of those operators gives, so that one's range is the tensor's, if one
sample shows it to be the same (:mod:`edgeopt.converters.official.agreement`). What has no such name
gets the range that follows from what it is made of, where one does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeopt.calibration.ranges import Range
from edgeopt.core.ir import ir
from edgeopt.core.tflite_graph import StoredOperator, TfliteFile

_NUMBER = re.compile(r"\d+$")
_GEMM = re.compile(r"_Gemm__\d+$")

_MOVING = frozenset(
    {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "GATHER",
     "GATHER_ND", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "PAD", "MAX_POOL_2D", "AVERAGE_POOL_2D",
     "MEAN", "REDUCE_MAX", "REDUCE_MIN", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR",
     "BROADCAST_TO", "REVERSE_V2", "MIRROR_PAD", "UNPACK"}
)  # fmt: skip
"""What they give lies within the range of their first input: ranges hold 0."""
_MOVING_LATER = {"SPLIT": 1}
"""Likewise, of another input."""
_JOINING = frozenset({"CONCATENATION", "PACK", "MAXIMUM", "MINIMUM"})
_BOUNDED = {
    "LOGISTIC": Range(low=0.0, high=1.0),
    "SOFTMAX": Range(low=0.0, high=1.0),
    "TANH": Range(low=-1.0, high=1.0),
}


@dataclass
class FileRanges:
    """The ranges of a file's activations.

    Args:
        file: What was converted.
        named: By tensor: ranges that the float graph's names give.
        derived: By tensor: those that follow from others.
    """

    file: TfliteFile
    named: dict[int, Range] = field(default_factory=dict)
    derived: dict[int, Range] = field(default_factory=dict)

    def range_of(self, tensor: int) -> Range | None:
        """A tensor's range, if it is known."""
        return self.named.get(tensor) or self.derived.get(tensor)

    def by_name(self) -> dict[str, Range]:
        """All of them, by the file's names of tensors."""
        return {
            self.file.tensors[index].spec.name: found
            for index, found in {**self.derived, **self.named}.items()
        }

    def lacks(self, op: StoredOperator) -> bool:
        """Whether the range of a float activation of an operator isn't known."""
        return any(
            _is_activation(self.file, index) and self.range_of(index) is None
            for index in (*op.inputs, *op.outputs)
        )


def counterparts(
    file: TfliteFile, graph: ir.Graph, ranges: Mapping[str, Range], nodes: Sequence[str]
) -> dict[int, str]:
    """The float graph's name of each activation that has a range, by what it is called.

    Args:
        file: What TFLiteConverter made, its signature's names the float graph's.
        graph: The float graph.
        ranges: Its ranges, by tensor.
        nodes: The TensorFlow graph's nodes, in an order in which they can run.
    """
    known = {_bare(name): name for name in ranges}
    known |= {name.removesuffix(":0"): name for name in ranges}  # the operators' own names win
    places = {name: place for place, name in enumerate(nodes)}
    found = {
        index: _named(tensor.spec.name, places, known)
        for index, tensor in enumerate(file.tensors)
        if _is_activation(file, index)
    }
    values = {value.name: value for value in (*graph.inputs, *graph.outputs)}
    for indices, names in zip((file.inputs, file.outputs), file.names, strict=True):
        for index, name in zip(indices, names, strict=True):
            found[index] = _computed(values[name]) if name in values else ""
    return {index: name for index, name in found.items() if name in ranges}


def _computed(value: ir.Value) -> str:
    """The name of the tensor that an output is another name of."""
    node = value.producer()
    while node is not None and node.op_type == "Identity" and node.inputs[0] is not None:
        value = node.inputs[0]
        node = value.producer()
    return value.name or ""


def _bare(name: str) -> str:
    """A tensor's TensorFlow operator, without what tf2onnx and our passes put behind its name."""
    return _GEMM.sub("", name.partition(":0")[0])


def file_ranges(
    file: TfliteFile, ranges: Mapping[str, Range], names: Mapping[int, str]
) -> FileRanges:
    """Find the range of each activation.

    Args:
        file: What TFLiteConverter made.
        ranges: The float graph's, by tensor.
        names: The float graph's name of those of the file's tensors that are the same.
    """
    found = FileRanges(file, {index: ranges[name] for index, name in names.items()})
    for op in file.operators:
        _derive(op, found)
    return found


def _named(name: str, places: Mapping[str, int], known: Mapping[str, str]) -> str:
    """The float graph's tensor that a file's tensor is by its name; empty if that doesn't tell."""
    parts = filter(None, (_node(part, places) for part in name.split(";")))
    latest = sorted(parts, key=places.__getitem__, reverse=True)
    return next((known[part] for part in latest if part in known), "")


def _node(part: str, places: Mapping[str, int]) -> str:
    bare = _NUMBER.sub("", part)
    return next((name for name in (part, bare) if name in places), "")


def _is_activation(file: TfliteFile, index: int) -> bool:
    return (
        index >= 0
        and not file.tensors[index].constant
        and file.tensors[index].spec.dtype == "float32"
    )


def _derive(op: StoredOperator, found: FileRanges) -> None:
    for index in op.outputs:
        if _is_activation(found.file, index) and index not in found.named:
            given = _derived(op, found)
            if given is not None:
                found.derived[index] = given


def _derived(op: StoredOperator, found: FileRanges) -> Range | None:
    if op.code in _BOUNDED:
        return _BOUNDED[op.code]
    if op.code in _JOINING:
        several = [found.range_of(index) for index in op.inputs]
        whole = [given for given in several if given is not None]
        if len(whole) < len(several):
            return None
        return Range(low=min(r.low for r in whole), high=max(r.high for r in whole))
    if op.code in _MOVING or op.code in _MOVING_LATER:
        return found.range_of(op.inputs[_MOVING_LATER.get(op.code, 0)])
    clamp = _CLAMPS.get(op.code)
    source = None if clamp is None else found.range_of(op.inputs[0])
    return None if clamp is None or source is None else clamp(source)


def _within(low: float, high: float) -> Callable[[Range], Range]:
    return lambda source: Range(low=max(low, source.low), high=max(0.0, min(high, source.high)))


_CLAMPS: Mapping[str, Callable[[Range], Range]] = {
    "RELU": _within(0.0, float("inf")),
    "RELU6": _within(0.0, 6.0),
    "RELU_N1_TO_1": _within(-1.0, 1.0),
}


def runnable_order(graph: Any) -> list[str]:
    """The names of a ``GraphDef``'s nodes, each after those that it reads."""
    nodes = {node.name: node for node in graph.node}
    order: dict[str, None] = {}
    waiting = [(name, False) for name in reversed(list(nodes))]
    while waiting:
        name, ready = waiting.pop()
        if name in order or name not in nodes:
            continue
        if ready:
            order[name] = None
            continue
        waiting.append((name, True))
        given = (reference.removeprefix("^").partition(":")[0] for reference in nodes[name].input)
        waiting += [(source, False) for source in given if source not in order]
    return list(order)
