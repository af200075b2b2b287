"""What of a model TFLite can't express: everything, not the first thing that is met."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from edgeopt.converters.refusal import Refusal
from edgeopt.converters.tflite.lowering import Lowering
from edgeopt.converters.tflite.model import Tensor
from edgeopt.converters.tflite.views import View
from edgeopt.converters.tflite.walk import lower, lower_node
from edgeopt.core.errors import EdgeOptError, UnsupportedError
from edgeopt.core.ir import ir, passes


@dataclass(frozen=True)
class Survey:
    """What a model would become.

    Args:
        mapped: Nodes that can be said, by operator; those that are known before the model runs
            are among them.
        refused: Those that can't.
        unseen: Nodes behind those whose shapes nobody knows, by operator: not looked at.
        becomes: LiteRT's operators that the mapped ones become, before any are fused.
    """

    mapped: dict[str, int]
    refused: tuple[Refusal, ...]
    unseen: dict[str, int]
    becomes: dict[str, int]


def survey(model: ir.Model, name: str) -> Survey:
    """Lower a model as far as it goes; what can't be said is skipped, not the end.

    Args:
        model: A float graph, its shapes inferred.
        name: The model's, for messages.
    """
    lowering = Lowering(name)
    lowering.opset = model.graph.opset_imports.get("", 18)
    try:
        lowering.add_inputs(model.graph, channels_last=False)
    except EdgeOptError as error:
        return Survey({}, (_refusal(error, name),), _count(list(model.graph)), {})
    mapped, refused, unseen = list[ir.Node](), list[Refusal](), list[ir.Node]()
    unknown: set[ir.Value] = set()
    for node in model.graph:
        if any(value in unknown for value in node.inputs):
            unseen.append(node)
            unknown.update(node.outputs)
            continue
        try:
            lower_node(node, lowering)
        except EdgeOptError as error:
            refused.append(_refusal(error, name, node))
            unknown.update(value for value in node.outputs if not _assumed(lowering, value))
        else:
            mapped.append(node)
    codes = Counter(op.code for op in lowering.model.operators)
    return Survey(_count(mapped), tuple(refused), _count(unseen), _ordered(codes))


def _assumed(lowering: Lowering, value: ir.Value) -> bool:
    """Take a value that wasn't computed for what the model says it is; False if it doesn't say."""
    if value.shape is None or value.dtype is None:
        return False
    dims = list(value.shape)
    if any(not isinstance(d, int) for d in dims[1:]):
        return False
    shape = tuple(d if isinstance(d, int) else 1 for d in dims)
    batched = frozenset(i for i, d in enumerate(dims) if not isinstance(d, int))
    tensor = Tensor(value.name or "", np.dtype(value.dtype.numpy()), shape, batched)
    lowering.bind(value, View.of(tensor))
    return True


def _refusal(error: EdgeOptError, name: str, node: ir.Node | None = None) -> Refusal:
    reason = error.message.removeprefix(f"{name}: ")
    if node is None:
        return Refusal("", "", reason, error.hint)
    reason = reason.removeprefix(f"{node.op_type} {node.name!r}: ")
    return Refusal(node.op_type, node.name or "", reason, error.hint)


def _count(nodes: list[ir.Node]) -> dict[str, int]:
    return _ordered(Counter(node.op_type for node in nodes))


def _ordered(count: Counter[str]) -> dict[str, int]:
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def survey_file(path: Path, name: str) -> Survey:
    """Survey a float graph's file."""
    model = ir.load(path)
    passes.ShapeInferencePass()(model)
    return survey(model, name)


def lacks_operators(path: Path, name: str) -> bool:
    """Whether all that is in the way of a float graph is operators, not its ends."""
    refused = survey_file(path, name).refused
    return bool(refused) and all(refusal.op for refusal in refused)


def check_fits(path: Path, name: str) -> None:
    """Find out before any long step whether a float graph can be said.

    Args:
        path: The float graph.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If it can't; tells the first node that is in the way and how many are.
        ModelError: If the graph contradicts itself.
    """
    try:
        lower(ir.load(path), channels_last=False, name=name)
    except UnsupportedError as error:
        others = len(survey_file(path, name).refused) - 1
        if others < 1:
            raise
        more = "1 node more is" if others == 1 else f"{others} nodes more are"
        raise UnsupportedError(
            f"{error.message}; {more} in the way",
            hint=f"{error.hint}; see all of them with `edgeopt inspect {quote(name)} --for tflite`",
        ) from error
