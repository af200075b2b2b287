"""The float graph that an artifact was made from, found or made again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeopt.core.errors import ModelError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.graph import FloatGraph, graph_digest
from edgeopt.core.ir import ir
from edgeopt.core.manifest import Manifest
from edgeopt.core.precision import Precision
from edgeopt.core.progress import Progress
from edgeopt.core.usercode import names_code
from edgeopt.pipeline.given import GivenModel
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.versions import versions

_REFERENCE = "name the model that it was made from with --reference"


@dataclass(frozen=True)
class Reference:
    """The float graph.

    Args:
        path: Where it is.
        told: How it was had, for people.
    """

    path: Path
    told: str


def find_reference(
    artifact: Path,
    manifest: Manifest,
    given: GivenModel,
    scratch: Path,
    progress: Progress,
) -> Reference:
    """Find the float graph, or make it again; its digest must be the manifest's.

    An fp32 artifact is the float graph itself: one that lies beside the artifact is used before
    the source, which may need PyTorch, or run code.

    Args:
        artifact: The artifact.
        manifest: Its manifest.
        given: What the user says of it; no model stands for the manifest's.
        scratch: A folder to make it in.
        progress: Told what is going on.

    Raises:
        ModelError: If the source isn't there any more, was changed, or gives another graph.
        UsageError: If it can't be made without being told more.
    """
    for candidate in _ready(artifact, manifest, given):
        if _is(candidate, manifest):
            return Reference(candidate, str(candidate))
    if given.model is None:
        _check_source(artifact, manifest)
    location = manifest.source.location if given.model is None else given.model
    for inputs in _attempts(location, manifest, given):
        named = replace(
            given,
            model=location,
            input=inputs,
            weights=_weights(manifest, given),
            signature=manifest.source.signature,
        )
        prepared = Preparation(named, scratch, progress)
        graph = prepared.graph
        if graph.sha256 == manifest.graph_sha256:
            return Reference(graph.path, prepared.source.record.location)
    raise _another_graph(str(location), artifact, manifest, graph)


def _ready(artifact: Path, manifest: Manifest, given: GivenModel) -> Iterator[Path]:
    if given.model is not None:
        named = isinstance(given.model, (str, Path)) and not names_code(str(given.model))
        paths = [Path(given.model)] if named else []
    else:
        stem = artifact.name.rpartition(f".{manifest.precision.value}.")[0]
        paths = [artifact.with_name(f"{stem}.{Precision.FP32.value}{manifest.format.suffix}")]
    for path in paths:
        if path.suffix == manifest.format.suffix and path.is_file():
            yield path


def _is(path: Path, manifest: Manifest) -> bool:
    try:
        return graph_digest(ir.load(path, format="protobuf")) == manifest.graph_sha256
    except Exception:  # noqa: BLE001 - a damaged file is reported by who opens it as a source
        return False


def _check_source(artifact: Path, manifest: Manifest) -> None:
    source = manifest.source
    if source.kind in ("module", "keras-model"):
        raise UsageError(
            f"{artifact}: was made from a live {source.location}, which is gone",
            hint="convert it to fp32 too, into the same folder, or name a model with --reference",
        )
    for location, digest in (
        (source.location, source.sha256),
        (source.weights, source.weights_sha256),
    ):
        file = Path((location or "").rpartition(":")[0] if _is_code(location) else location or "")
        if digest is None:
            continue
        if not file.is_file():
            raise ModelError(
                f"{artifact}: {file}, which it was made from, is not there", hint=_REFERENCE
            )
        if sha256(file) != digest:
            raise ModelError(
                f"{artifact}: {file} was changed since it was made from it",
                hint="convert again, or " + _REFERENCE,
            )


def _is_code(location: str | None) -> bool:
    return location is not None and names_code(location)


def _attempts(location: Any, manifest: Manifest, given: GivenModel) -> list[tuple[str, ...]]:
    """The ``--input`` options to try: the user's, else none and those that the artifact has."""
    if given.input:
        return [given.input]
    suffix = Path(str(location)).suffix.lower()
    if suffix == ".pt2":
        return [()]
    have = tuple(str(spec) for spec in manifest.inputs)
    return [(), have] if suffix == ".onnx" else [have]


def _weights(manifest: Manifest, given: GivenModel) -> Path | None:
    if given.weights is not None or given.model is not None:
        return given.weights
    return None if manifest.source.weights is None else Path(manifest.source.weights)


def _another_graph(
    location: str, artifact: Path, manifest: Manifest, graph: FloatGraph
) -> ModelError:
    kept = {spec.name for spec in manifest.inputs}
    fixed = [spec.name for spec in graph.inputs if spec.name not in kept]
    if fixed:
        return ModelError(
            f"{location}: {artifact} was made from it with {', '.join(fixed)} fixed to a value",
            hint=f"add --input {fixed[0]}=VALUE, as at conversion",
        )
    now = versions()
    other = [
        f"{name} {version} (here {now[name]})"
        for name, version in manifest.versions.items()
        if now.get(name, version) != version
    ]
    why = f"; it was made with {', '.join(other)}" if other else ""
    return ModelError(
        f"{location}: the float graph it gives is not the one that {artifact} was made from{why}",
        hint="give the same --input as at conversion, name the same model with --reference, or "
        "convert again",
    )
