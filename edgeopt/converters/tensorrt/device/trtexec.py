"""TensorRT's own command, for devices whose Python has no TensorRT: its options and its JSON.

Version 11 has dropped the options for precision, and builds nothing but strongly typed networks; 10
has to be told. https://docs.nvidia.com/deeplearning/tensorrt/latest/reference/command-line-programs.html
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from typing import Any, Dict, List, Optional, Tuple

from .failure import Failure
from .layers import type_of

VARIABLE = "EDGEOPT_TRTEXEC"
"""Names the command where it isn't on the path."""

_PLACES = ("/usr/src/tensorrt/bin/trtexec",)
"""Where JetPack puts it."""

_NAMED = "trtexec"
_FIRST_STRICT = 11
_NODE = re.compile(r"\[ONNX Layer: (.*?)\](?=\x1e|\[ONNX|$)")

Shapes = Dict[str, List[List[int]]]


def find() -> Optional[str]:
    """The command's path, or None: what the variable names, the path, the usual place."""
    named = os.environ.get(VARIABLE)
    if named:
        return named if os.access(named, os.X_OK) else None
    found = shutil.which(_NAMED)
    return found or next((place for place in _PLACES if os.access(place, os.X_OK)), None)


def version_of(words: str) -> Tuple[int, ...]:
    """TensorRT's version from the first line that trtexec writes.

    ``[TensorRT v100300]`` is 10.3.0, ``v8601`` 8.6.1.

    Raises:
        Failure: If there is none.
    """
    found = re.search(r"\[TensorRT v(\d+)\]", words)
    if found is None:
        raise Failure("module", "trtexec doesn't say its version: {}".format(words[:200]))
    number = int(found.group(1))
    scale = 10000 if number >= 100000 else 1000
    return number // scale, number % scale // 100, number % 100


def build_command(
    trtexec: str, version: Tuple[int, ...], request: Dict[str, Any], layers: str
) -> List[str]:
    """The command that builds an engine.

    Args:
        trtexec: The command's path.
        version: TensorRT's.
        request: As :func:`~.build.build` takes it.
        layers: Where it writes what it made of each layer, as JSON.
    """
    command = [
        trtexec,
        "--onnx={}".format(request["onnx"]),
        "--saveEngine={}".format(request["engine"]),
        "--skipInference",
        "--profilingVerbosity=detailed",
        "--exportLayerInfo={}".format(layers),
    ]
    if version[0] < _FIRST_STRICT:
        command.append("--stronglyTyped")
    for option, which in (("minShapes", 0), ("optShapes", 1), ("maxShapes", 2)):
        if request["profiles"]:
            command.append("--{}={}".format(option, _shapes(request["profiles"], which)))
    if request["memory"] is not None:
        command.append("--memPoolSize=workspace:{}M".format(max(1, request["memory"] >> 20)))
    if request["timing_cache"] is not None:
        command.append("--timingCacheFile={}".format(request["timing_cache"]))
    return command


def time_command(
    trtexec: str, engine: str, profiles: Shapes, seconds: float, times: str
) -> List[str]:
    """The command that times an engine at its usual shapes, transfers included.

    Args:
        trtexec: The command's path.
        engine: The engine.
        profiles: By input the least, the usual and the largest shape.
        seconds: How long.
        times: Where it writes each run's times, as JSON.
    """
    command = [
        trtexec,
        "--loadEngine={}".format(engine),
        "--duration={:g}".format(seconds),
        "--warmUp=500",
        "--exportTimes={}".format(times),
    ]
    return command + (["--shapes={}".format(_shapes(profiles, 1))] if profiles else [])


def _shapes(profiles: Shapes, which: int) -> str:
    return ",".join(
        "{}:{}".format(name, "x".join(str(size) for size in shapes[which]))
        for name, shapes in profiles.items()
    )


def read_times(content: str) -> Dict[str, List[float]]:
    """The times of each run, from what ``--exportTimes`` writes.

    Returns:
        ``h2d``, ``compute``, ``d2h`` and ``latency``, the sum of the three, each in ms a run.
        trtexec hands the next run over before the last one ends, so that an application, which
        waits, sees more.
    """
    runs = json.loads(content)
    return {name: [float(run[name + "Ms"]) for run in runs] for name in STAGES}


STAGES = ("h2d", "compute", "d2h", "latency")


def read_graph(content: str) -> List[Dict[str, Any]]:
    """The layers of an engine, from what ``--exportLayerInfo`` writes.

    Returns:
        As :func:`~.layers.read_layers` does.
    """
    return [_layer(layer) for layer in json.loads(content)["Layers"] if isinstance(layer, dict)]


def _layer(layer: Dict[str, Any]) -> Dict[str, Any]:
    # A convolution's weights are no tensor of the graph; TensorRT's newer layers list constants.
    weights = layer.get("Weights")
    constants = _types(layer.get("Constants", []))
    if isinstance(weights, dict):
        constants.insert(0, type_of(str(weights.get("Type", ""))))
    return {
        "name": layer["Name"],
        "kind": layer.get("LayerType", ""),
        "inputs": _types(layer.get("Inputs", [])),
        "constants": constants,
        "outputs": _types(layer.get("Outputs", [])),
        "nodes": _NODE.findall(layer.get("Metadata", "")),
    }


def _types(tensors: List[Dict[str, Any]]) -> List[str]:
    words = [str(t.get("Format/Datatype", t.get("Datatype", ""))) for t in tensors]
    return [type_of(text) for text in words]


def build_by_trtexec(request: Dict[str, Any]) -> Dict[str, Any]:
    """Build an engine as :func:`~.build.build` does, by the command.

    Raises:
        Failure: If it isn't here, or can't.
    """
    trtexec = find()
    if trtexec is None:
        raise Failure("module", "there is no trtexec: name it in {}".format(VARIABLE))
    version = version_of(_run([trtexec, "--help"], check=False))
    with tempfile.TemporaryDirectory() as folder:
        layers = os.path.join(folder, "layers.json")
        _run(build_command(trtexec, version, request, layers))
        with open(layers, encoding="utf-8") as file:
            found = read_graph(file.read())
    return {"layers": found, "version": ".".join(str(number) for number in version)}


def time_by_trtexec(engine: str, profiles: Shapes, seconds: float) -> Dict[str, List[float]]:
    """Time an engine by the command.

    Returns:
        As :func:`read_times`.

    Raises:
        Failure: If it isn't here, or can't.
    """
    trtexec = find()
    if trtexec is None:
        raise Failure("module", "there is no trtexec: name it in {}".format(VARIABLE))
    with tempfile.TemporaryDirectory() as folder:
        times = os.path.join(folder, "times.json")
        _run(time_command(trtexec, engine, profiles, seconds, times))
        with open(times, encoding="utf-8") as file:
            return read_times(file.read())


def _run(command: List[str], check: bool = True) -> str:
    ran = subprocess.run(  # noqa: S603 - the command that the user has named or installed
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    words = ran.stdout.decode(errors="replace")
    if check and ran.returncode != 0:
        errors = [line for line in words.splitlines() if "[E]" in line] or words.splitlines()[-1:]
        raise Failure("build", "\n".join(errors))
    return words
