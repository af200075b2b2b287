"""What was built, held against what was planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edgeopt.converters.tensorrt.building import FoundLayer
from edgeopt.converters.tensorrt.device.layers import arithmetic, layer_of
from edgeopt.converters.tensorrt.prepare import Planned
from edgeopt.core.errors import GateError
from edgeopt.core.manifest import EngineLayer, FloatLayer

INTEGER = "int8"
_FEW_BITS = ("int8", "int4", "uint8")
_MOST = 5
"""Layers that a warning names."""


@dataclass(frozen=True)
class ReadBack:
    """An engine's layers, and what became of the plan.

    Args:
        layers: All of them.
        integer: How many of the planned layers compute in int8.
        stayed: The others.
        warnings: What the user should know.
    """

    layers: tuple[EngineLayer, ...]
    integer: int
    stayed: tuple[FloatLayer, ...]
    warnings: tuple[str, ...]


def read_back(found: Sequence[FoundLayer], planned: Sequence[Planned]) -> ReadBack:
    """Compare an engine with its plan.

    Args:
        found: The layers in the build's log.
        planned: The layers that were to be integer.

    Raises:
        GateError: If none of them is.
    """
    layers = [msgspec.to_builtins(layer) for layer in found]
    stayed = []
    for plan in planned:
        layer = layer_of(layers, plan.node)
        computed = "unknown" if layer is None else arithmetic(layer)
        if computed != INTEGER:
            where = "no layer of the engine names it" if layer is None else f"it is {computed}"
            reason = f"TensorRT didn't make it integer: {where}"
            stayed.append(FloatLayer(node=plan.node, op=plan.op, reason=reason))
    if planned and len(stayed) == len(planned):
        raise GateError(
            f"int8 was asked for, and none of the {len(planned)} layers that were to be integer is "
            f"in the engine ({stayed[0].op} {stayed[0].node!r}: {stayed[0].reason})",
            hint="use --precision fp16, or another --target",
        )
    every = tuple(_layer(layer) for layer in found)
    integer = len(planned) - len(stayed)
    return ReadBack(every, integer, tuple(stayed), _warnings(stayed, len(planned)))


def _layer(found: FoundLayer) -> EngineLayer:
    few = [kind for kind in found.constants if kind in _FEW_BITS]
    return EngineLayer(
        name=found.name,
        kind=found.kind,
        precision=arithmetic(msgspec.to_builtins(found)),
        weights=next(iter((*few, *found.constants)), None),
        nodes=found.nodes,
    )


def _warnings(stayed: Sequence[FloatLayer], planned: int) -> tuple[str, ...]:
    if not stayed:
        return ()
    named = ", ".join(layer.node for layer in stayed[:_MOST])
    more = f" and {len(stayed) - _MOST} more" if len(stayed) > _MOST else ""
    return (
        f"TensorRT computes {len(stayed)} of the {planned} layers that were to be integer in "
        f"float: {named}{more}",
    )
