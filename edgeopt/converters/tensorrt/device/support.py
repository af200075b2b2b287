"""Asking TensorRT's parser what of an ONNX file it can take."""

from __future__ import annotations

from typing import Any, Dict

from .build import load_module, refused
from .log import recorder


def support(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask the parser about each node of a file; nothing is built.

    Args:
        request: ``module``, and ``onnx``, a path.

    Returns:
        Whether it is ``supported``, the ``refused`` nodes, and the module's ``version``.

    Raises:
        Failure: If the module isn't there.
    """
    trt = load_module(request["module"])
    log = recorder(trt)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    with open(request["onnx"], "rb") as file:
        content = file.read()
    taken = parser.supports_model_v2(content, request["onnx"])
    found = refused(parser)
    if not taken and not found:
        found = [{"node": "", "op": "", "reason": (log.errors or ["no reason given"])[-1]}]
    return {"supported": bool(taken), "refused": found, "version": str(trt.__version__)}
