"""What was built, held against what was planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edgeopt.converters.tensorrt.building import FoundLayer
from edgeopt.converters.tensorrt.device.layers import described, floating
from edgeopt.converters.tensorrt.planned import Planned
from edgeopt.core.errors import GateError
from edgeopt.core.manifest import EngineLayer, FloatLayer

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
    plan = [{"node": one.node, "op": one.op} for one in planned]
    stayed = msgspec.convert(floating(layers, plan), tuple[FloatLayer, ...])
    if planned and len(stayed) == len(planned):
        raise GateError(
            f"int8 was asked for, and none of the {len(planned)} layers that were to be integer is "
            f"in the engine ({stayed[0].op} {stayed[0].node!r}: {stayed[0].reason})",
            hint="use --precision fp16, or another --target",
        )
    every = msgspec.convert([described(layer) for layer in layers], tuple[EngineLayer, ...])
    return ReadBack(every, len(planned) - len(stayed), stayed, _warnings(stayed, len(planned)))


def _warnings(stayed: Sequence[FloatLayer], planned: int) -> tuple[str, ...]:
    if not stayed:
        return ()
    named = ", ".join(layer.node for layer in stayed[:_MOST])
    more = f" and {len(stayed) - _MOST} more" if len(stayed) > _MOST else ""
    return (
        f"TensorRT computes {len(stayed)} of the {planned} layers that were to be integer in "
        f"float: {named}{more}",
    )
