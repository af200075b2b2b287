"""``edgeopt convert``: a trained model in, verified artifacts out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgeopt.benchmarks.metrics import UserFunction
from edgeopt.converters.build_options import PATIENCE, BuildOptions
from edgeopt.converters.onnx import size
from edgeopt.converters.onnx.products import check_products
from edgeopt.converters.registry import OFFICIAL, WRITERS
from edgeopt.converters.tensorrt import delivery
from edgeopt.converters.tensorrt.shapes import shape_ranges, unsaid_batches
from edgeopt.core.blas import one_thread
from edgeopt.core.errors import DataError
from edgeopt.core.files import new_folder
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.manifest import (
    manifest_path,
)
from edgeopt.core.placing import place, working_folder
from edgeopt.core.precision import Format, Precision
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record
from edgeopt.core.scratch import scratch_folder
from edgeopt.core.via import Via
from edgeopt.data import check_exists
from edgeopt.pipeline.beside import check_beside_replaceable, files_beside, left_over
from edgeopt.pipeline.failures import raise_failures
from edgeopt.pipeline.given import read_given
from edgeopt.pipeline.making import Artifact, check_runs_there, make_artifact
from edgeopt.pipeline.material import Material
from edgeopt.pipeline.naming import artifact_name, check_replaceable, failed_path
from edgeopt.pipeline.options import ConvertOptions, check_images
from edgeopt.pipeline.parsing import (
    AUTO,
    parse_effort,
    parse_layers,
    parse_names,
    parse_one,
    parse_ranges,
    parse_seconds,
    parse_size,
)
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.search.options import SECONDS, TOP1, read_auto_options
from edgeopt.pipeline.search.outcome import notes
from edgeopt.pipeline.search.record import (
    check_search_replaceable,
    search_path,
)
from edgeopt.targets import DEFAULT_TARGET, Profile, load_target


class ConvertResult(Record, frozen=True):
    """What a conversion made, in the order it was asked for.

    Args:
        artifacts: One a format and precision.
        warnings: What the user should know, one sentence each.
    """

    artifacts: tuple[Artifact, ...]
    warnings: tuple[str, ...] = ()


def convert(
    model: Any,
    *,
    to: str | Iterable[str] | None = None,
    precision: str | Iterable[str] = "fp32",
    calibration: Any = None,
    table: str | Path | None = None,
    evaluation: Any = None,
    output: str | Path = "out",
    target: str = DEFAULT_TARGET,
    effort: str | None = None,
    ranges: str = AUTO,
    input: Iterable[str] = (),
    weights: str | Path | None = None,
    signature: str | None = None,
    preprocess: str | Path | Preprocessing | None = None,
    min_sqnr: float | None = None,
    max_drop: str | None = None,
    min_agreement: str | float | None = None,
    accuracy: str | UserFunction = TOP1,
    search_time: float = SECONDS,
    replay: str | Path | None = None,
    verify: bool = True,
    force: bool = False,
    code: bool = True,
    keep_float: str | Iterable[str] = (),
    keep_16bit: str | Iterable[str] = (),
    layout: str | None = None,
    io: str | None = None,
    build_memory: int | str | None = None,
    build_timeout: float = PATIENCE,
    timing_cache: str | Path | None = None,
    via: str | None = None,
    progress: Progress = silent,
) -> ConvertResult:
    """Convert a trained model into artifacts, each verified against its float source.

    Args:
        model: A ``.pt2``, ``.onnx``, ``.keras``, ``.h5`` or TorchScript file, a SavedModel's
            folder, ``module:factory``, ``file.py:factory``, or a live ``torch.nn.Module`` or
            Keras model.
        to: Formats: ``onnx``, ``tflite``, ``tensorrt``.
        precision: Precisions: ``fp32``, ``fp16``, ``int8``, ``int8-dynamic``, ``int8-weight``,
            ``int16x8``, ``int4-weight``; ``auto`` is int8 with as few layers float
            or at 16 bits as a budget needs.
        calibration: Data that int8 is calibrated on: a ``.npz`` with an array for each input,
            samples along axis 0; a folder of images; ``module:function`` or a function.
        table: A calibration table of this model, made by :func:`edgeopt.calibrate`: nothing is
            observed again. With ``calibration`` too, corrections use that data.
        evaluation: Data the artifacts are verified on, in the same forms. Without it: the last
            tenth of the calibration samples (1 to 64, then not calibrated on), else random inputs.
        output: The folder the artifacts go to; made if it isn't there.
        target: A target's name, or a TOML file of your own.
        effort: What is done for int8's accuracy: ``fast`` (ranges), ``default`` (corrections too)
            or ``high`` (rounding too); as far as data and table allow, up to ``default``, if None.
        ranges: How int8 chooses activation ranges: ``min-max``, ``percentile``, ``entropy``,
            ``l2``, ``l2.4``; ``auto`` is ``l2.4`` for convolutional nets, ``min-max`` for others.
        input: ``name:float32[1,3,224,224]`` for what the model's file can't tell of its inputs;
            ``name=16000`` makes an input of an ONNX model a constant;
            ``name:float32[1..8,3,224,224]`` gives the sizes that an engine takes.
        weights: The weights of a factory's model: ``.safetensors``, ``.pt`` with weights only, or
            Keras's ``.weights.h5``.
        signature: The signature of a SavedModel to convert; ``serving_default`` or the only one if
            None.
        preprocess: The preprocessing contract, or a TOML file of it.
        min_sqnr: The verification floor in dB, instead of 80 (fp32), 40 (fp16) and 10 (int8).
        max_drop: A budget of ``auto``: how far accuracy may fall, ``"0.5pp"`` (percentage points).
        min_agreement: Another: the least agreement with float, ``"99%"`` or 0.99. ``min_sqnr`` is
            one too.
        accuracy: What ``max_drop`` is of: ``top1``, or ``module:function``, called as
            ``function(outputs, labels)``.
        search_time: How long ``auto`` may search, in s.
        replay: A ``.search.json`` that ``auto`` takes gains and latencies from.
        verify: False leaves verification out.
        force: Replace files that weren't made by EdgeOpt.
        code: False refuses to run code that the other options name.
        keep_float: Layers that integer precisions leave float, by node name or glob pattern.
        keep_16bit: Layers of an int8 artifact whose activations have 16 bits, likewise.
        layout: The order of the axes of a TFLite artifact's image inputs: ``nchw`` or ``nhwc``;
            the model's own if None. Data is given in the model's own in any case.
        io: What an int8 TFLite artifact takes and gives: ``float``, or ``int8`` integers.
        build_memory: What building an engine may take of memory, and the engine of scratch memory
            on the GPU: bytes, or ``"2GB"``.
        build_timeout: How long building one engine may take, in s.
        timing_cache: A file of timings that building an engine reads and adds to.
        via: An official converter that makes TFLite artifacts, with its own calibration, instead
            of EdgeOpt's compiler: ``tensorflow`` or, for PyTorch models, ``litert-torch``.
        progress: Told how far each step is.

    Raises:
        EdgeOptError: One of its family, for anything wrong with what was given.
        VerificationError: If an artifact is below its floor; it is kept as ``<file>.failed``.
    """
    options = ConvertOptions(
        model=read_given(
            model,
            input=input,
            weights=weights,
            signature=signature,
            preprocess=preprocess,
            code=code,
        ),
        to=_formats(to, target),
        precision=parse_names(Precision, precision, "--precision"),
        calibration=calibration,
        table=None if table is None else Path(table),
        evaluation=evaluation,
        output=Path(output),
        target=target,
        effort=parse_effort(effort),
        ranges=parse_ranges(ranges),
        min_sqnr=min_sqnr,
        verify=verify,
        force=force,
        keep_float=parse_layers(keep_float),
        keep_16bit=parse_layers(keep_16bit),
        layout=parse_one(Layout, layout, "--layout"),
        io=parse_one(Ends, io, "--io"),
        build=BuildOptions(
            memory=parse_size(build_memory, "--build-memory"),
            timeout=parse_seconds(build_timeout, "--build-timeout"),
            timing_cache=None if timing_cache is None else Path(timing_cache),
        ),
        via=parse_one(Via, via, "--via"),
        search=read_auto_options(
            max_drop=max_drop,
            min_sqnr=min_sqnr,
            min_agreement=min_agreement,
            accuracy=accuracy,
            search_time=search_time,
            replay=replay,
            code_allowed=code,
        ),
    )
    return _run(options, progress)


def _formats(to: str | Iterable[str] | None, target: str) -> tuple[Format, ...]:
    return load_target(target).usual_formats if to is None else parse_names(Format, to, "--to")


def _run(options: ConvertOptions, progress: Progress) -> ConvertResult:
    target = _checked_target(options)
    with (
        one_thread(),
        scratch_folder() as scratch,
        new_folder(options.output),
    ):
        prepared = Preparation(options.model, scratch, progress)
        options = options.with_layout_of(prepared.source.layout)
        material = Material(prepared, options, target, progress)
        paths = {
            key: options.output / artifact_name(material.prepared.source.name, *key, target)
            for key in _wanted(options)
        }
        with working_folder(options.output) as work:
            for (fmt, _), path in paths.items():
                _check_replaceable(path, options)
                check_beside_replaceable(path, fmt, target, force=options.force)
            _check_model(material)
            made = [make_artifact(material, *key, path, work) for key, path in paths.items()]
            _place(made, work, options.output)
    result = ConvertResult(artifacts=tuple(made), warnings=_warnings(material, made))
    raise_failures([a for a in made if a.path.endswith(".failed")], result)
    return result


def _checked_target(options: ConvertOptions) -> Profile:
    """The target, once all that can be refused before any work is refused."""
    target = load_target(options.target)
    for fmt, precision in _wanted(options):
        target.check(fmt, precision, wide=bool(options.keep_16bit))
        if fmt is Format.TENSORRT:
            delivery.check(target)  # what isn't installed isn't needed for a kit
        else:
            WRITERS[fmt, precision].check()
        if options.via is not None and fmt is Format.TFLITE:
            OFFICIAL[options.via, precision].check()
    for data in (options.calibration, options.evaluation):
        check_exists(data)
    if options.table is not None and not options.table.is_file():
        raise DataError(f"{options.table}: no such file", hint="make it: edgeopt calibrate")
    return target


def _wanted(options: ConvertOptions) -> list[tuple[Format, Precision]]:
    return [(f, p) for f in options.to for p in options.precision]


def _check_replaceable(path: Path, options: ConvertOptions) -> None:
    check_replaceable(path, force=options.force)
    check_replaceable(failed_path(path), force=options.force)
    if Precision.AUTO in options.precision:
        check_search_replaceable(search_path(path), force=options.force)


def _check_model(material: Material) -> None:
    """Refuse what the model doesn't allow, before any long step."""
    if material.options.layout is Layout.NHWC:
        check_images(material.graph.inputs)
    if set(material.options.to) - {Format.TFLITE}:
        size.check_fits(material.graph.path, material.prepared.source.record.location)
    check_products(material.graph.path, _wanted(material.options), material.kept.floating)
    if Format.TENSORRT in material.options.to:
        _check_engine(material)
    material.route  # noqa: B018 - finds out whether there is one
    check_runs_there(material)


def _check_engine(material: Material) -> None:
    from edgeopt.converters.tensorrt.support import check_fits

    graph, builder = material.graph, delivery.builder_for(material.target)
    shape_ranges(graph.inputs, material.prepared.ranges)
    if builder is not None:
        check_fits(builder, graph.path, material.prepared.source.record.location)


def _place(made: list[Artifact], work: Path, output: Path) -> None:
    # Only now, when nothing more can go wrong: a command makes all of its files or none.
    files: list[Path] = []
    former: list[Path] = []
    for artifact in made:
        final = Path(artifact.path)
        former += left_over(final, artifact.manifest)
        files += [*files_beside(artifact.manifest, final), final, manifest_path(final)]
        files += [search_path(final)] if artifact.search is not None else []
    place(work, output, [file.name for file in files])
    for file in former:
        file.unlink()


def _warnings(material: Material, made: list[Artifact]) -> tuple[str, ...]:
    found, options = [*material.route.note], material.options
    precisions = options.precision
    # It is about ONNX Runtime's kernels; LiteRT's add exactly.
    rounds = Format.ONNX in options.to and any(p.adds_integers for p in precisions)
    if material.target.warning and rounds:
        found.append(f"int8 is {material.target.warning}")
    if Format.TENSORRT in options.to:
        found += unsaid_batches(material.graph.inputs, material.prepared.ranges)
    if any(material.calibrates(*wanted) for wanted in _wanted(options)):
        found += material.calibrated.warnings
    for artifact in made:
        found += () if artifact.search is None else notes(artifact.search, material.target)
    found += material.undefined.warnings(material.split.record()) if options.verify else ()
    if options.verify and material.split.record().kind == "random":
        found.append("verified on random inputs: give --evaluation or --calibration for real ones")
    return tuple(found)
