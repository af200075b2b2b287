"""Reading what an artifact is, without loading it into a runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from edgeopt.core.ends import given, quantized, stored
from edgeopt.core.errors import ModelError, UnsupportedError
from edgeopt.core.files import check_file, sha256
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.manifest import Manifest, read_manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record
from edgeopt.core.tensors import Batch, TensorSpec, check_numbers

if TYPE_CHECKING:
    import numpy as np


class Artifact(Record, frozen=True):
    """A model file that can be benchmarked.

    Args:
        name: The file, as the user named it.
        sha256: Digest of the file.
        size_bytes: Its size, the files of its external data included.
        format: What it is.
        inputs: What its file takes.
        outputs: The names of what it gives, in the file's order.
        layout: The order of image inputs' axes in the file, where data has channels first.
        scales: Scale and zero point of the inputs that are integers standing for reals.
        manifest: What was written beside it when it was made; None without one.
    """

    name: str
    sha256: str
    size_bytes: int
    format: Format
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    layout: Layout = Layout.NCHW
    scales: dict[str, tuple[float, int]] = msgspec.field(default_factory=dict)
    manifest: Manifest | None = None

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.name)

    @property
    def precision(self) -> Precision | None:
        """How it computes, by its manifest."""
        return self.manifest.precision if self.manifest else None

    def given(self, *, real: bool = False) -> tuple[TensorSpec, ...]:
        """What data is like for it.

        Args:
            real: Whether the data is real numbers also for inputs whose integers stand for them,
                as it is for an artifact of ours.
        """
        ours = self.manifest is not None and self.manifest.recipe.io is Ends.INT8
        specs = (given(spec, self.layout) for spec in self.inputs)
        return tuple(
            TensorSpec(name=s.name, dtype="float32", shape=s.shape)
            if s.name in self.scales and (real or ours)
            else s
            for s in specs
        )

    def stored(self, batch: Batch) -> Batch:
        """Data as the file takes it, in the file's order of inputs."""
        return {spec.name: self._stored(batch[spec.name], spec) for spec in self.inputs}

    def _stored(self, array: np.ndarray, spec: TensorSpec) -> np.ndarray:
        moved = stored(array, self.layout)
        scale = self.scales.get(spec.name)
        return moved if scale is None else quantized(moved, spec.dtype, *scale)


def read_artifact(path: str | Path) -> Artifact:
    """Read an artifact's specs, digest, size and manifest.

    Raises:
        ModelError: If it isn't there, can't be parsed, or lacks its external data.
        UnsupportedError: If its format can't be benchmarked, or an input isn't a tensor of numbers.
        EdgeOptError: If the manifest beside it can't be read.
    """
    name, path = str(path), Path(path)
    _check_file(path)
    if path.suffix.lower() == Format.TFLITE.suffix:
        return _tflite(path, name)
    if path.suffix.lower() == Format.TENSORRT.suffix:
        return _engine(path, name)
    model = _parse(path)
    return Artifact(
        name=name,
        sha256=sha256(path),
        size_bytes=sum(file.stat().st_size for file in (path, *_external_files(model, path))),
        format=Format.ONNX,
        inputs=_inputs(model, name),
        outputs=tuple(output.name for output in model.graph.output),
        manifest=read_manifest(path),
    )


def files_of(artifact: Artifact) -> list[Path]:
    """The artifact's file and those of its external data, all in its folder or below.

    Raises:
        ModelError: If one isn't there.
        UnsupportedError: If one lies elsewhere.
    """
    path = artifact.path
    outside = _external_files(_parse(path), path) if artifact.format is Format.ONNX else []
    for file in outside:
        if not file.resolve().is_relative_to(path.parent.resolve()):
            raise UnsupportedError(
                f"{path}: keeps weights in {file}, outside of its folder",
                hint="save it again with its external data beside it",
            )
    return [path, *outside]


def _check_file(path: Path) -> None:
    if path.suffix.lower() not in {fmt.suffix for fmt in Format}:
        if path.is_dir():
            raise UnsupportedError(
                f"{path}: is a folder", hint=f"name the artifacts in it, as in {path}/*.onnx"
            )
        raise UnsupportedError(
            f"{path}: can't be benchmarked",
            hint="name a file with the suffix .onnx, .tflite or .engine; `edgeopt convert` makes "
            "one",
        )
    check_file(path)


def _tflite(path: Path, name: str) -> Artifact:
    from edgeopt.core.tflite_file import read_tflite
    from edgeopt.core.tflite_graph import numpy_type

    file = read_tflite(path)
    specs = file.ends(0)
    for spec in specs:
        if numpy_type(spec.dtype) is None:
            raise _not_numbers(spec.name, name)
    whole = [file.tensors[index].quantized for index in file.inputs]
    scales = {
        spec.name: (q.scale[0], q.zero_point[0])
        for spec, q in zip(specs, whole, strict=True)
        if q is not None and q.axis is None
    }
    manifest = read_manifest(path)
    return Artifact(
        name=name,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        format=Format.TFLITE,
        inputs=specs,
        outputs=tuple(spec.name for spec in file.ends(1)),
        layout=(manifest.recipe.layout if manifest else None) or Layout.NCHW,
        scales=scales,
        manifest=manifest,
    )


def _engine(path: Path, name: str) -> Artifact:
    manifest = read_manifest(path)
    if manifest is None:
        raise UnsupportedError(
            f"{name}: what an engine takes is known from its manifest, and there is none beside it",
            hint="keep the two files in one folder, or convert the model again",
        )
    return Artifact(
        name=name,
        sha256=manifest.sha256,
        size_bytes=manifest.size_bytes,
        format=Format.TENSORRT,
        inputs=manifest.inputs,
        outputs=tuple(spec.name for spec in manifest.outputs),
        manifest=manifest,
    )


def _not_numbers(spec: str, name: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name}: input {spec!r} is not a tensor of numbers",
        hint="cut the graph after the step that takes text or sequences",
    )


def _parse(path: Path) -> Any:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError as error:
        raise ModelError(
            f"{path}: not a valid ONNX file", hint="it may be truncated: fetch or convert it again"
        ) from error
    except OSError as error:
        raise ModelError(
            f"{path}: can't be read: {error.strerror or error}", hint="check its permissions"
        ) from error
    # Protobuf takes an empty file, and some random bytes, for a message with nothing in it.
    if not model.graph.node:
        raise ModelError(
            f"{path}: an ONNX file without a graph",
            hint="it may be truncated: fetch or convert it again",
        )
    return model


def _external_files(model: Any, path: Path) -> list[Path]:
    from onnx.external_data_helper import ExternalDataInfo, uses_external_data

    locations = {
        ExternalDataInfo(tensor).location
        for tensor in _tensors(model.graph)
        if uses_external_data(tensor)
    }
    files = [path.parent / location for location in sorted(locations)]
    for file in files:
        if not file.is_file():
            raise ModelError(
                f"{path}: its weights are in {file.name}, which is not there",
                hint="keep the two files in one folder",
            )
    return files


def _tensors(graph: Any) -> Iterator[Any]:
    """A graph's constants, those of its branches and loops included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _inputs(model: Any, name: str) -> tuple[TensorSpec, ...]:
    # Before IR 4 an initializer is listed as an input too.
    constants = {tensor.name for tensor in model.graph.initializer}
    return tuple(_spec(v, name) for v in model.graph.input if v.name not in constants)


def _spec(value: Any, name: str) -> TensorSpec:
    import onnx

    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or tensor.elem_type in (0, onnx.TensorProto.STRING):
        raise _not_numbers(value.name, name)
    if not tensor.HasField("shape"):
        raise UnsupportedError(
            f"{name}: input {value.name!r} has no shape", hint="export it with its input's rank"
        )
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    shape = tuple(
        dim.dim_value
        if dim.HasField("dim_value") and dim.dim_value >= 0  # -1 is some exporters' dynamic
        else dim.dim_param or f"{value.name}.{axis}"
        for axis, dim in enumerate(tensor.shape.dim)
    )
    spec = TensorSpec(name=value.name, dtype=dtype, shape=shape)
    check_numbers(name, spec)
    return spec
