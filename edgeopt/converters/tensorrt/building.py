"""Having an engine built in a process of its own, and saying what went wrong in one line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.tensorrt.complaints import failed, killed, took_too_long
from edgeopt.converters.tensorrt.delivery import Builder
from edgeopt.core.leash import run_leashed
from edgeopt.core.manifest import ShapeRange
from edgeopt.core.record import Record, to_json
from edgeopt.core.scratch import scratch_folder

A = TypeVar("A", bound=Record)

PROGRAM = Path(__file__).with_name("device")


class FoundLayer(Record, frozen=True):
    """A layer as the building program reports it: types of tensors, and ONNX nodes.

    Args:
        name: TensorRT's own.
        kind: Likewise.
        inputs: The types of the tensors it takes.
        constants: Those of its weights.
        outputs: Those of the tensors it gives.
        nodes: The names of the ONNX nodes in it.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    constants: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[str, ...]


class Built(Record, frozen=True):
    """What came of a build.

    Args:
        layers: In the order in which they run.
        version: The builder's.
    """

    layers: tuple[FoundLayer, ...]
    version: str


class RefusedByParser(Record, frozen=True):
    """A node that TensorRT's parser doesn't take; empty names where it is about none.

    Args:
        node: Its name.
        op: Its operator.
        reason: TensorRT's words.
    """

    node: str
    op: str
    reason: str


class Support(Record, frozen=True):
    """What TensorRT's parser says of a whole file.

    Args:
        supported: Whether it takes all of it.
        refused: What it doesn't.
        version: The parser's.
    """

    supported: bool
    refused: tuple[RefusedByParser, ...]
    version: str


class Failed(Record, frozen=True):
    """What a build failed at.

    Args:
        stage: Where: parsing, building, writing and so on.
        reason: TensorRT's words.
        nodes: Those that its parser refused.
    """

    stage: str
    reason: str
    nodes: tuple[RefusedByParser, ...]


class _Failure(Record, frozen=True):
    failure: Failed


def build_engine(
    builder: Builder,
    onnx: Path,
    engine: Path,
    shapes: tuple[ShapeRange, ...],
    options: BuildOptions,
    name: str,
) -> Built:
    """Build one engine.

    Args:
        builder: What does it.
        onnx: The prepared model.
        engine: Where it goes.
        shapes: What it is to take.
        options: The user's.
        name: The model's, for messages.

    Raises:
        UnsupportedError: If TensorRT lacks an operator, or a precision for that GPU.
        ModelError: If it can't read the file.
        BuildError: If it fails, or takes too much memory or time.
    """
    request = {
        "task": "build",
        "module": builder.module,
        "onnx": str(onnx),
        "engine": str(engine),
        "capability": builder.capability,
        "profiles": {s.input: [s.least, s.usual, s.largest] for s in shapes},
        "memory": options.memory,
        "timing_cache": None if options.timing_cache is None else str(options.timing_cache),
    }
    return _ask(request, Built, options.timeout, name)


def ask_support(builder: Builder, onnx: Path, name: str, timeout: float) -> Support:
    """Ask the parser about every node of a file.

    Raises:
        BuildError: If the module is broken, or takes too long.
    """
    request = {"task": "support", "module": builder.module, "onnx": str(onnx)}
    return _ask(request, Support, timeout, name)


def _ask(request: dict[str, Any], answer: type[A], timeout: float, name: str) -> A:
    limited = request.get("memory") is not None
    with scratch_folder() as folder:
        asked, answered = folder / "request.json", folder / "answer.json"
        asked.write_bytes(to_json(request))
        try:
            ran = run_leashed(PROGRAM, [str(asked), str(answered)], timeout)
        except subprocess.TimeoutExpired as expired:
            raise took_too_long(name, timeout) from expired
        if not answered.is_file():
            words = ran.stderr.decode(errors="replace")
            raise killed(ran.returncode, words, name, limited=limited)
        content = answered.read_bytes()
    if ran.returncode == 0:
        return msgspec.json.decode(content, type=answer)
    failure = msgspec.json.decode(content, type=_Failure).failure
    nodes = [(node.node, node.op) for node in failure.nodes]
    raise failed(failure.stage, failure.reason, nodes, name, limited=limited)
