"""What a model wants of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeopt.benchmarks.artifact import Artifact, read_artifact
from edgeopt.core.errors import UsageError
from edgeopt.core.graph import FloatGraph
from edgeopt.core.manifest import Encoding, read_manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec
from edgeopt.pipeline.given import GivenModel
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.validation.values import Bounds


@dataclass(frozen=True)
class Taker:
    """What a model wants of data.

    Args:
        inputs: What it takes.
        preprocessing: The contract in its manifest.
        classes: How many it tells apart; None where its outputs don't look like class scores.
        bounds: Of the inputs that an int8 artifact holds as integers.
        graph: The float graph, where one was made.
    """

    inputs: tuple[TensorSpec, ...]
    preprocessing: Preprocessing | None = None
    classes: int | None = None
    bounds: dict[str, Bounds] = field(default_factory=dict)
    graph: FloatGraph | None = None


def read_taker(model: Any, prepare: Preparation | None, *, real: bool) -> Taker:
    """Read what a model wants.

    Args:
        model: What was named: an artifact, or whatever ``edgeopt convert`` takes.
        prepare: Makes its float graph; None where it isn't needed, or there is none.
        real: Whether data is real numbers even where an artifact takes integers: there is a
            preprocessing contract.

    Raises:
        ModelError: If it isn't there, or can't be read.
    """
    graph = None if prepare is None else prepare.graph
    if not is_artifact(model):
        assert graph is not None
        return Taker(graph.inputs, classes=classes_of(graph.outputs), graph=graph)
    artifact = read_artifact(model)
    manifest = artifact.manifest
    contract = manifest.preprocessing if manifest else None
    return Taker(
        inputs=artifact.given(real=real or contract is not None),
        preprocessing=contract,
        classes=classes_of(manifest.outputs if manifest else outputs_of(artifact)),
        bounds=_bounds(artifact, manifest.encodings if manifest else ()),
        graph=graph,
    )


def is_artifact(model: Any) -> bool:
    """Whether a model's inputs can be read without making its float graph."""
    known = {fmt.suffix for fmt in Format}
    return isinstance(model, (str, Path)) and Path(model).suffix.lower() in known


def check_source_options(given: GivenModel, option: str) -> None:
    """Refuse options that tell of a model what nobody would read.

    Args:
        given: The model.
        option: Where it is named.

    Raises:
        UsageError: If there is no model, or an artifact, which tells all of it.
    """
    model = given.model
    if not given.described or (model is not None and not is_artifact(model)):
        return
    what = f"there is no {option}" if model is None else f"{model} is an artifact"
    raise UsageError(
        f"--input, --weights and --signature tell of a model what its file can't, and {what}",
        hint=f"leave them out, or name the model with {option}",
    )


def may_be_float(model: Any) -> bool:
    """Whether a float graph can be made of a model: not of a quantized artifact."""
    if not is_artifact(model):
        return True
    path = Path(model)
    if path.suffix.lower() != Format.ONNX.suffix or not path.is_file():
        return False
    manifest = read_manifest(path)
    return manifest is None or manifest.precision is Precision.FP32


def outputs_of(artifact: Artifact) -> tuple[TensorSpec, ...]:
    """What a file without a manifest gives."""
    if artifact.format is Format.TFLITE:
        from edgeopt.core.tflite_file import read_tflite

        return read_tflite(artifact.path).ends(1)
    from edgeopt.pipeline.inspection.graph import open_graph, specs

    return specs(list(open_graph(artifact.path).graph.outputs))


def operators_of(artifact: Artifact) -> dict[str, int]:
    """How many there are of each operator; of an engine, of each kind of layer."""
    if artifact.format is Format.TFLITE:
        from edgeopt.core.tflite_file import read_tflite
        from edgeopt.pipeline.inspection import tflite

        return tflite.operators(read_tflite(artifact.path))
    if artifact.format is Format.TENSORRT:
        from edgeopt.pipeline.inspection import tensorrt

        return tensorrt.operators(artifact.manifest)
    from edgeopt.pipeline.inspection.graph import open_graph, operators

    return operators(open_graph(artifact.path))


def classes_of(outputs: Sequence[TensorSpec]) -> int | None:
    """How many classes there are scores of: C of the only output ``(N, C)`` with C of 2 or more."""
    found = [s.shape[1] for s in outputs if len(s.shape) == 2 and s.dtype.startswith("float")]
    sizes = [size for size in found if isinstance(size, int) and size > 1]
    return sizes[0] if len(sizes) == 1 and len(found) == 1 else None


def _bounds(artifact: Artifact, encodings: Sequence[Encoding]) -> dict[str, Bounds]:
    whose = f"what {artifact.name} holds as integers"
    taken = {spec.name for spec in artifact.inputs}
    return {e.tensor: Bounds(e.low, e.high, whose) for e in encodings if e.tensor in taken}
