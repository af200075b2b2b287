"""Making one artifact: written, verified, described."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import msgspec

from edgeopt.converters.micro.check import check_runs
from edgeopt.converters.tensorrt.kit import complete_kit
from edgeopt.converters.writer import Writer, WriteRequest, Written
from edgeopt.core.files import sha256, size_of, write_bytes
from edgeopt.core.manifest import Manifest, write_manifest
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record, to_json
from edgeopt.core.refusals import reporting
from edgeopt.core.tflite_file import read_tflite
from edgeopt.pipeline.beside import for_runtime
from edgeopt.pipeline.checking import Checked
from edgeopt.pipeline.material import Material
from edgeopt.pipeline.naming import failed_path
from edgeopt.pipeline.recipe import recipe_of
from edgeopt.pipeline.search.automatic import search_within_budget, with_mix
from edgeopt.pipeline.search.outcome import spared, unreachable
from edgeopt.pipeline.search.record import Mix, SearchRecord, search_path
from edgeopt.pipeline.versions import versions
from edgeopt.targets import TfliteRuntime


class Artifact(Record, frozen=True):
    """One file that was made.

    Args:
        path: Where it is.
        manifest: All that is known of it; the file beside it holds the same.
        search: How ``auto`` found which layers to spare; another file beside it holds the same.
        seconds: How long it took, verification included; what several artifacts are made from (the
            float graph, the calibration) counts for the first of them.
    """

    path: str
    manifest: Manifest
    search: SearchRecord | None = None
    seconds: float = 0.0


def make_artifact(
    material: Material, fmt: Format, precision: Precision, path: Path, work: Path
) -> Artifact:
    """Write one artifact, verify it, and describe it.

    Args:
        material: What it is made from.
        fmt: Its format.
        precision: Its precision.
        path: Where it is to be in the end; below its verification floor beside it, as ``.failed``.
        work: The folder it is left in with its manifest, under the names they are to have.

    Raises:
        EdgeOptError: For anything wrong with model, data or options.
    """
    began = perf_counter()
    # Data is opened, and so checked, before the first long step.
    material.split  # noqa: B018 - opens it
    if precision is Precision.AUTO:
        material.judge(fmt)  # checks labels
    material.progress(f"writing {path.name}", 0, None)
    temporary = work / path.name
    request = _request(material, fmt, precision, temporary)
    write = material.route.entry(fmt, precision).load()
    search = None
    if precision is Precision.AUTO:
        search = _search(material, request, write, fmt, path)
    found = Mix() if search is None or search.chosen is None else search.chosen
    request = with_mix(request, found)
    with reporting(material.options.output):
        written: Written = spared(write(request), search)
    checked = _check(material, fmt, precision, temporary, written.stand_in)
    failed = checked is not None and not _passed(material, checked)
    final = failed_path(path) if failed else path
    manifest = _manifest(material, final.name, temporary, fmt, precision, written, checked, found)
    if temporary.is_dir():
        complete_kit(temporary, manifest)
        manifest = _of_file(manifest, temporary)
    finished = temporary.replace(work / final.name)
    if fmt is Format.TFLITE and not failed:
        manifest = for_runtime(manifest, finished, material.target)
    write_manifest(finished, manifest)
    if search is not None:
        write_bytes(search_path(finished), to_json(search))
    seconds = perf_counter() - began
    return Artifact(path=str(final), manifest=manifest, search=search, seconds=seconds)


def check_runs_there(material: Material) -> None:
    """Refuse what the target's runtime can't run, before any long step: by the float file.

    Raises:
        UnsupportedError: Says which operators TFLite Micro lacks.
    """
    if (
        material.target.tflite is not TfliteRuntime.MICRO
        or Format.TFLITE not in material.options.to
    ):
        return
    path = material.prepared.scratch / "float.tflite"
    write = material.route.entry(Format.TFLITE, Precision.FP32).load()
    write(_request(material, Format.TFLITE, Precision.FP32, path))
    check_runs(read_tflite(path), material.prepared.source.record.location)


def _of_file(manifest: Manifest, file: Path) -> Manifest:
    return msgspec.structs.replace(manifest, sha256=sha256(file), size_bytes=size_of(file))


def _request(material: Material, fmt: Format, precision: Precision, path: Path) -> WriteRequest:
    request = WriteRequest(material.graph, material.target, path, material.prepared.scratch)
    request = replace(
        request,
        kept=material.kept,
        name=material.prepared.source.record.location,
        layout=material.options.layout_of(fmt),
        io=material.options.io_of(fmt, precision),
        preprocessing=material.options.model.preprocessing,
        build=material.build,
        source=material.prepared.source,
        calibration=material.calibration_samples,
        reason=material.route.reason,
    )
    if material.calibrates(fmt, precision):
        request = replace(
            request,
            table=material.calibrated.table,
            ranges=material.calibrated.ranges,
            effort=material.calibrated.effort,
            samples=material.calibrated.samples,
            progress=material.progress,
        )
    return request


def _search(
    material: Material, request: WriteRequest, write: Writer, fmt: Format, path: Path
) -> SearchRecord:
    options = material.options.search
    if material.options.verify:  # an artifact below the floor is none
        floor = material.options.floor(Precision.AUTO)
        options = replace(options, budget=options.budget.with_floor(floor))
    search = search_within_budget(request, write, material.judge(fmt), options, material.progress)
    if search.chosen is None:
        kept = search_path(path)
        write_bytes(kept, to_json(search))
        raise unreachable(search, kept)
    return search


def _check(
    material: Material,
    fmt: Format,
    precision: Precision,
    artifact: Path,
    stand_in: Path | None,
) -> Checked | None:
    if not material.options.verify:
        return None
    if precision is Precision.FP32 and fmt is Format.ONNX:
        assert material.source_check is not None
        return Checked(material.source_check)  # the artifact is the float graph
    return material.checker.check(fmt, precision, artifact, stand_in)


def _passed(material: Material, checked: Checked) -> bool:
    return all(v is None or v.passed for v in (checked.verification, material.source_check))


def _manifest(
    material: Material,
    name: str,
    file: Path,
    fmt: Format,
    precision: Precision,
    written: Written,
    checked: Checked | None,
    found: Mix,
) -> Manifest:
    calibrated = material.calibrated if material.calibrates(fmt, precision) else None
    return Manifest(
        artifact=name,
        sha256=sha256(file),
        size_bytes=size_of(file),
        format=fmt,
        precision=precision,
        source=material.prepared.source.record,
        graph_sha256=material.graph.sha256,
        recipe=recipe_of(material.options, material.target, fmt, precision, calibrated, found),
        versions=versions(fmt),
        inputs=material.graph.inputs,
        outputs=material.graph.outputs,
        preprocessing=material.options.model.preprocessing,
        calibration=material.calibration_records(fmt, precision),
        encodings=written.encodings,
        integer_layers=written.integer_layers,
        float_layers=written.float_layers,
        source_check=material.source_check,
        verification=checked.verification if checked else None,
        builtin=checked.builtin if checked else None,
        delegation=checked.delegation if checked else None,
        oldest_runtime=read_tflite(file).oldest_runtime if fmt is Format.TFLITE else "",
        engine=written.engine,
        official=written.official,
        warnings=(*written.warnings, *(checked.warnings if checked else ())),
    )
