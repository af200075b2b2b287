"""Reading an engine's layers from the verbose build log.

TensorRT describes each layer in a line of its log, with the type of every tensor and the ONNX nodes
it came from. No GPU is needed for that, and an engine can't be asked without one.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Optional

_LAYER = re.compile(
    r"Name: (?P<name>.*?), LayerType: (?P<kind>\w+), Inputs: \[(?P<inputs>.*?\}|)\]"
    r"(?:, Constants: \[(?P<constants>.*?\}|)\])?, Outputs: \[(?P<outputs>.*?\}|)\]"
    r"(?:.*?Metadata: (?P<metadata>.*))?"
)
_WEIGHTS = re.compile(r'Weights: \{"Type": "(\w+)"')
"""What the older module writes of a convolution's weights, in the place of constants."""
_TENSOR = re.compile(r"Datatype: ([^}]*)")
_NODE = re.compile(r"\[ONNX Layer: (.*?)\](?=\s*\[ONNX Layer: |[\s\x1e]*$|\x1e)")

TYPES = {
    "float": "float32",
    "fp32": "float32",
    "half": "float16",
    "fp16": "float16",
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
    "int8": "int8",
    "uint8": "uint8",
    "int4": "int4",
    "fp8": "float8",
    "fp4": "float4",
    "int32": "int32",
    "int64": "int64",
    "bool": "bool",
}
"""TensorRT's words for types; the newer module writes `Datatype: Half, Format: ...`, the older one
`Format/Datatype: Channel major FP16 format`."""

INTEGER = "int8"
FEW_BITS = ("int8", "int4", "uint8")

FUSED = ("kgen", "runtime_fusion")
"""Kinds that are put together from several operators, casts among them."""

GLUE = ("kgen", "Reformat", "NoOp", "shape_call", "ShapeHostToDeviceCopy", "myelin")
"""Kinds of layers that are not a kernel for a convolution or a matrix product of its own."""


def read_layers(lines: Iterable[str]) -> List[Dict[str, Any]]:
    """The layers that a build log describes.

    Args:
        lines: Its lines; those that describe no layer are passed over.

    Returns:
        Of each layer its ``name``, its ``kind`` by TensorRT's name, the types of its ``inputs``,
        ``constants`` and ``outputs``, and the ONNX ``nodes`` in it.
    """
    found = []
    for line in lines:
        match = _LAYER.search(line)
        if match is not None:
            found.append(_layer(match, [type_of(word) for word in _WEIGHTS.findall(line)]))
    return found


def _layer(match: "re.Match[str]", weights: List[str]) -> Dict[str, Any]:
    return {
        "name": match["name"],
        "kind": match["kind"],
        "inputs": _types(match["inputs"]),
        "constants": weights + _types(match["constants"]),
        "outputs": _types(match["outputs"]),
        "nodes": _NODE.findall(match["metadata"] or ""),
    }


def _types(tensors: Optional[str]) -> List[str]:
    return [type_of(text) for text in _TENSOR.findall(tensors or "")]


def type_of(text: str) -> str:
    """The type in TensorRT's description of a tensor; ``unknown`` if it names none."""
    words = re.findall(r"\w+", text)
    return next((TYPES[word.lower()] for word in words if word.lower() in TYPES), "unknown")


def layer_of(layers: List[Dict[str, Any]], node: str) -> Optional[Dict[str, Any]]:
    """The layer that computes a convolution or a matrix product; None if none says so.

    Several may name the node: what scales its result is another layer, made up of what is left of
    several nodes.

    Args:
        layers: As :func:`read_layers` gives them.
        node: The ONNX node's name.
    """
    naming = [layer for layer in layers if node in layer["nodes"]]
    kernels = [layer for layer in naming if layer["kind"] not in GLUE]
    return next(iter(kernels or naming), None)


def arithmetic(layer: Dict[str, Any]) -> str:
    """The type that a layer computes in.

    That of the activation that goes into it. What TensorRT puts together from several operators may
    take integers and make floats of them first: there it is the type of what comes out.
    """
    takes = str(layer["inputs"][0]) if layer["inputs"] else "unknown"
    if layer["kind"] not in FUSED or "float" in takes:
        return takes
    gives = [kind for kind in layer["outputs"] + layer["constants"] if "float" in kind]
    return str(gives[0]) if gives else takes


def described(layer: Dict[str, Any]) -> Dict[str, Any]:
    """A layer as a manifest has it: what of its types matters, in few words."""
    few = [kind for kind in layer["constants"] if kind in FEW_BITS]
    return {
        "name": layer["name"],
        "kind": layer["kind"],
        "precision": arithmetic(layer),
        "weights": next(iter(few + list(layer["constants"])), None),
        "nodes": list(layer["nodes"]),
    }


def floating(layers: List[Dict[str, Any]], planned: List[Dict[str, str]]) -> List[Dict[str, str]]:
    """The layers that were to be integer and aren't.

    Args:
        layers: As :func:`read_layers` gives them.
        planned: Of each its ``node`` and ``op``.

    Returns:
        Of each its ``node``, ``op`` and the ``reason``.
    """
    found = []
    for plan in planned:
        layer = layer_of(layers, plan["node"])
        computes = "no layer of the engine names it" if layer is None else arithmetic(layer)
        if computes != INTEGER:
            told = computes if layer is None else "it is {}".format(computes)
            reason = "TensorRT didn't make it integer: {}".format(told)
            found.append({"node": plan["node"], "op": plan["op"], "reason": reason})
    return found
