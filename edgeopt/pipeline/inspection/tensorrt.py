"""Inspecting TensorRT engines: what is known of one is in its manifest."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.tensorrt.device.layers import GLUE
from edgeopt.core.errors import ModelError
from edgeopt.core.files import check_file
from edgeopt.core.manifest import EngineLayer, Manifest
from edgeopt.pipeline.inspection.records import Layer

_BEGINNINGS = (b"ftrt", b"vtrt")
"""The first bytes of an engine of TensorRT and of TensorRT for RTX."""

UNKNOWN = (
    "an engine tells what is in it only on the GPU that it is for: its layers are known from its "
    "manifest, and there is none"
)

_INTEGER = "integer"
_FIRST = 2
"""Nodes that name a layer."""


def check_engine(path: Path) -> None:
    """Refuse what isn't an engine.

    Raises:
        ModelError: If it isn't there, or doesn't begin like one.
    """
    check_file(path)
    with path.open("rb") as file:
        beginning = file.read(4)
    if beginning not in _BEGINNINGS:
        raise ModelError(
            f"{path}: not a TensorRT engine", hint="it may be incomplete: convert the model again"
        )


def layers(manifest: Manifest | None) -> tuple[Layer, ...]:
    """An engine's layers."""
    if manifest is None or manifest.engine is None:
        return ()
    return tuple(map(_layer, manifest.engine.layers))


def operators(manifest: Manifest | None) -> dict[str, int]:
    """How many layers of each kind, the most frequent first."""
    kinds = [layer.op for layer in layers(manifest)]
    return {kind: kinds.count(kind) for kind in sorted({*kinds}, key=lambda k: -kinds.count(k))}


def _layer(layer: EngineLayer) -> Layer:
    return Layer(
        name=_name(layer),
        op=layer.kind,
        weight_shape=None,
        weight_dtype=layer.weights,
        arithmetic=_INTEGER if layer.precision == "int8" else layer.precision,
    )


def _name(layer: EngineLayer) -> str:
    """The node that a kernel computes; of what is put together from several, the first of them."""
    if not layer.nodes:
        return layer.name
    if layer.kind not in GLUE:
        return layer.nodes[0]
    more = f" and {len(layer.nodes) - _FIRST} more" if len(layer.nodes) > _FIRST else ""
    return f"{', '.join(layer.nodes[:_FIRST])}{more}"
