"""Building one engine with TensorRT's Python module."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Dict, List

from .failure import Failure
from .layers import read_layers
from .log import recorder
from .memory import limit_memory


def load_module(name: str) -> Any:
    """Import TensorRT.

    Args:
        name: ``tensorrt_rtx`` or ``tensorrt``.

    Raises:
        Failure: If it isn't there, or is broken: that raises an ImportError too.
    """
    try:
        return import_module(name)
    except (ImportError, OSError) as error:  # a library that is missing may come as either
        raise Failure("module", "{}: {}".format(type(error).__name__, error)) from error


def build(request: Dict[str, Any]) -> Dict[str, Any]:
    """Parse an ONNX file, build an engine of it and write that.

    Args:
        request: ``module``; ``onnx`` and ``engine``, paths; ``profiles``, by input the least, the
            usual and the largest shape; ``capability``, as ``SM86``, or None for whatever the
            module takes by itself; ``memory``, what this process and the engine's scratch memory
            may take, in bytes, and ``timing_cache``, a path, or None.

    Returns:
        The ``layers``, and the module's ``version``.

    Raises:
        Failure: If it can't be built.
    """
    trt = load_module(request["module"])
    limit_memory(request["memory"])
    log = recorder(trt)
    builder = trt.Builder(log)
    network, parser = parsed(trt, builder, log, request["onnx"])
    config = configured(trt, builder, request)
    cache = _timing_cache(config, request["timing_cache"])
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise Failure("build", "\n".join(log.errors) or "no engine came of it, and no word why")
    _write(request["engine"], engine)
    if cache is not None:
        _write(request["timing_cache"], cache.serialize())
    del parser  # it owns memory that the network reads until the engine is there
    return {"layers": read_layers(log.layers), "version": str(trt.__version__)}


def parsed(trt: Any, builder: Any, log: Any, path: str) -> Any:
    """The network of an ONNX file, strongly typed, and the parser that it needs.

    Raises:
        Failure: If the parser refuses it.
    """
    # TensorRT 11 has no other kind of network, 10 has.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(path):
        nodes = refused(parser)
        raise Failure("parse", "\n".join(log.errors), nodes)
    return network, parser


def refused(parser: Any) -> List[Dict[str, str]]:
    """What a parser refused; an error that is about no node has an empty ``node``."""
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    return [
        {"node": error.node_name(), "op": error.node_operator(), "reason": str(error.desc())}
        for error in errors
    ]


def configured(trt: Any, builder: Any, request: Dict[str, Any]) -> Any:
    """The builder's configuration.

    Raises:
        Failure: If the module doesn't know the compute capability.
    """
    config = builder.create_builder_config()
    # Without it the log doesn't say which nodes a layer came from.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if request["memory"] is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, request["memory"])
    if request["profiles"]:
        profile = builder.create_optimization_profile()
        for name, shapes in request["profiles"].items():
            profile.set_shape(name, *[tuple(shape) for shape in shapes])
        if config.add_optimization_profile(profile) < 0:
            raise Failure("profile", "the shapes are not taken: {}".format(request["profiles"]))
    if request["capability"] is not None:
        _aim(trt, config, request["capability"])
    return config


def _aim(trt: Any, config: Any, capability: str) -> None:
    known = getattr(trt, "ComputeCapability", None)
    if known is None or not hasattr(known, capability):
        have = sorted(known.__members__) if known is not None else []
        raise Failure("build", "no compute capability {}: {}".format(capability, have))
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(known, capability), 0)


def _timing_cache(config: Any, path: Any) -> Any:
    if path is None:
        return None
    stored = b""
    if os.path.exists(path):
        with open(path, "rb") as file:
            stored = file.read()
    # What another version of TensorRT wrote is refused: then a new one is begun.
    cache = config.create_timing_cache(stored) or config.create_timing_cache(b"")
    config.set_timing_cache(cache, True)
    return cache


def _write(path: str, content: Any) -> None:
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.replace(path + ".part", path)
