"""``edgeopt inspect``: a model file in, what is inside it out."""

from __future__ import annotations

from pathlib import Path

from edgeopt.converters.tensorrt.kit import MODEL as KIT_MODEL
from edgeopt.core.files import sha256, size_of
from edgeopt.core.ir import ir
from edgeopt.core.precision import Format
from edgeopt.core.tflite_file import read_tflite
from edgeopt.pipeline.inspection import tensorrt, tflite
from edgeopt.pipeline.inspection.beside import manifest_beside
from edgeopt.pipeline.inspection.encodings import differences, mismatch_warning, stored_encodings
from edgeopt.pipeline.inspection.graph import (
    DEQUANTIZE,
    QUANTIZE,
    external_files,
    open_graph,
    operators,
    opsets,
    parameters,
    specs,
)
from edgeopt.pipeline.inspection.layers import find_layers
from edgeopt.pipeline.inspection.records import Basis, Inspection


def inspect(file: str | Path) -> Inspection:
    """Read a model back: its layers, its scales, and the evidence beside it.

    Args:
        file: An artifact, or any ``.onnx`` or ``.tflite`` file. Of an ``.engine`` is told what its
            manifest knows, of a ``.kit`` what its ONNX model is.

    Raises:
        ModelError: If it isn't there or can't be read.
        UnsupportedError: If it is neither.
        MissingExtraError: If it is a ``.tflite``, and LiteRT isn't installed.
    """
    path = Path(file)
    if path.name.lower().endswith((".tflite", ".tflite.failed")):
        return _inspect_tflite(path, str(file))
    if path.name.lower().endswith((".engine", ".engine.failed")):
        return _inspect_engine(path, str(file))
    if path.is_dir() and (path / KIT_MODEL).is_file():
        return _inspect_onnx(path / KIT_MODEL, path)
    return _inspect_onnx(path, path)


def _inspect_onnx(path: Path, artifact: Path) -> Inspection:
    """Inspect a graph that is an artifact, or lies in one."""
    model = open_graph(path)
    state, manifest, warnings = manifest_beside(artifact)
    stored = stored_encodings(model, path.parent)
    differing = differences(stored, manifest.encodings) if manifest else ()
    known = {layer.node: layer for layer in manifest.float_layers} if manifest else {}
    asked = manifest is not None and manifest.integer_layers is not None
    weights = external_files(model, path)
    warnings += [
        f"its weights are in {f.name}, which is not there" for f in weights if not f.is_file()
    ]
    return Inspection(
        file=str(artifact),
        sha256=sha256(artifact),
        size_bytes=sum(size_of(f) for f in (artifact, *weights) if f.exists()),
        format=Format.ONNX if artifact is path else Format.TENSORRT,
        ir_version=model.ir_version,
        opsets=opsets(model),
        producer=f"{model.producer_name or ''} {model.producer_version or ''}".strip(),
        inputs=specs([v for v in model.graph.inputs if not v.is_initializer()]),
        outputs=specs(list(model.graph.outputs)),
        parameters=parameters(model),
        ops=operators(model),
        qdq_pairs=_pairs(model),
        layers=find_layers(model.graph, known),
        layers_from=Basis.RUNTIME if asked else Basis.STRUCTURE,
        encodings=stored,
        encodings_match=None if manifest is None else not differing,
        manifest_state=state,
        manifest=manifest,
        warnings=(*warnings, *([mismatch_warning(differing)] if differing else ())),
    )


def _inspect_tflite(path: Path, name: str) -> Inspection:
    file = read_tflite(path)
    state, manifest, warnings = manifest_beside(path)
    stored = tflite.stored_encodings(file)
    differing = tflite.differences(stored, manifest.encodings) if manifest else ()
    delegation, lacking = tflite.probed(path)
    mismatch = (mismatch_warning(differing),) if differing else ()
    return Inspection(
        file=name,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        format=Format.TFLITE,
        ir_version=None,
        opsets={},
        producer=file.description,
        inputs=file.ends(0),
        outputs=file.ends(1),
        parameters=tflite.parameters(file),
        ops=tflite.operators(file),
        qdq_pairs=0,
        layers=tflite.layers(file),
        layers_from=Basis.STRUCTURE,
        encodings=stored,
        encodings_match=None if manifest is None else not differing,
        manifest_state=state,
        manifest=manifest,
        warnings=(*warnings, *mismatch, *lacking),
        delegation=delegation,
        signatures=file.signatures,
        metadata=file.metadata,
        normalization=file.normalization,
        oldest_runtime=file.oldest_runtime,
    )


def _inspect_engine(path: Path, name: str) -> Inspection:
    tensorrt.check_engine(path)
    state, manifest, warnings = manifest_beside(path)
    return Inspection(
        file=name,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        format=Format.TENSORRT,
        ir_version=None,
        opsets={},
        producer=(manifest.engine.builder or "") if manifest and manifest.engine else "",
        inputs=manifest.inputs if manifest else (),
        outputs=manifest.outputs if manifest else (),
        parameters=None,
        ops=tensorrt.operators(manifest),
        qdq_pairs=0,
        layers=tensorrt.layers(manifest),
        layers_from=Basis.BUILD_LOG,
        encodings=(),
        encodings_match=None,
        manifest_state=state,
        manifest=manifest,
        warnings=(*warnings, *(() if manifest else (tensorrt.UNKNOWN,))),
    )


def _pairs(model: ir.Model) -> int:
    return sum(
        any(user.op_type == DEQUANTIZE for user, _ in node.outputs[0].uses())
        for node in model.graph.all_nodes()
        if node.op_type == QUANTIZE
    )
