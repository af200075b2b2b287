"""``edgeopt convert``: a trained model in, verified artifacts out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

from edgeopt.benchmarks.metrics import UserFunction
from edgeopt.converters.registry import WRITERS
from edgeopt.converters.writer import Kept, Writer, WriteRequest, Written
from edgeopt.core.errors import DataError
from edgeopt.core.execution import Opened, open_artifact
from edgeopt.core.files import (
    move_into_place,
    new_folder,
    reporting,
    sha256,
    working_folder,
    write_bytes,
)
from edgeopt.core.graph import FloatGraph
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.manifest import (
    Manifest,
    Verification,
    manifest_path,
    write_manifest,
)
from edgeopt.core.precision import Format, Precision
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.core.record import Record, to_json
from edgeopt.core.runtime import saturates
from edgeopt.data import Dataset, check_exists
from edgeopt.pipeline.calibrated import Calibrated
from edgeopt.pipeline.checking import Checked, Checker
from edgeopt.pipeline.failures import raise_failures
from edgeopt.pipeline.kept import kept_layers
from edgeopt.pipeline.naming import artifact_name, check_replaceable, failed_path
from edgeopt.pipeline.observation import Share
from edgeopt.pipeline.options import (
    AUTO,
    ConvertOptions,
    check_images,
    parse_effort,
    parse_layers,
    parse_names,
    parse_one,
    parse_ranges,
    read_preprocessing,
)
from edgeopt.pipeline.preparation import Preparation
from edgeopt.pipeline.recipe import recipe_of
from edgeopt.pipeline.search.automatic import search_within_budget, with_mix
from edgeopt.pipeline.search.judge import Judge
from edgeopt.pipeline.search.options import SECONDS, TOP1, read_auto_options
from edgeopt.pipeline.search.outcome import notes, spared, unreachable
from edgeopt.pipeline.search.record import (
    Mix,
    SearchRecord,
    check_search_replaceable,
    search_path,
)
from edgeopt.pipeline.split import Split, split_data
from edgeopt.pipeline.verify import compare, verification
from edgeopt.pipeline.versions import versions
from edgeopt.targets import DEFAULT_TARGET, Profile, load_target

SOURCE_SAMPLES = 32
"""The float graph is checked against the source on at most this many samples: what differs between
two float programs shows on the first."""


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


class ConvertResult(Record, frozen=True):
    """What a conversion made, in the order it was asked for."""

    artifacts: tuple[Artifact, ...]
    warnings: tuple[str, ...] = ()


def convert(
    model: Any,
    *,
    to: str | Iterable[str] = "onnx",
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
    progress: Progress = silent,
) -> ConvertResult:
    """Convert a trained model into artifacts, each verified against its float source.

    Args:
        model: A ``.pt2``, ``.onnx`` or TorchScript file, ``module:factory``, ``file.py:factory``,
            or a live ``torch.nn.Module``.
        to: Formats: ``onnx``, ``tflite``.
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
            ``name=16000`` makes an input of an ONNX model a constant.
        weights: The weights of a factory's model: ``.safetensors``, or ``.pt`` with weights only.
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
        progress: Told how far each step is.

    Raises:
        EdgeOptError: One of its family, for anything wrong with what was given.
        VerificationError: If an artifact is below its floor; it is kept as ``<file>.failed``.
    """
    options = ConvertOptions(
        to=parse_names(Format, to, "--to"),
        precision=parse_names(Precision, precision, "--precision"),
        calibration=calibration,
        table=None if table is None else Path(table),
        evaluation=evaluation,
        output=Path(output),
        target=target,
        effort=parse_effort(effort),
        ranges=parse_ranges(ranges),
        input=tuple(input),
        weights=None if weights is None else Path(weights),
        preprocessing=read_preprocessing(preprocess),
        min_sqnr=min_sqnr,
        verify=verify,
        force=force,
        code_allowed=code,
        keep_float=parse_layers(keep_float),
        keep_16bit=parse_layers(keep_16bit),
        layout=parse_one(Layout, layout, "--layout"),
        io=parse_one(Ends, io, "--io"),
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
    return _Conversion(model, options, progress).run()


class _Conversion:
    """One run of :func:`convert`: its steps share the folders and the open models."""

    def __init__(self, model: Any, options: ConvertOptions, progress: Progress) -> None:
        self.options, self.progress = options, progress
        self.judges: dict[Format, Judge] = {}
        self.target: Profile = load_target(options.target)
        for wanted in self._wanted():
            self.target.check(*wanted, wide=bool(options.keep_16bit))
            WRITERS[wanted].check()
        for data in (options.calibration, options.evaluation):
            check_exists(data)
        if options.table is not None and not options.table.is_file():
            raise DataError(f"{options.table}: no such file", hint="make it: edgeopt calibrate")
        self.model = model

    def run(self) -> ConvertResult:
        output = self.options.output
        with (
            tempfile.TemporaryDirectory(prefix="edgeopt-") as scratch,
            new_folder(output),
        ):
            self.prepared = self._prepare(Path(scratch))
            paths = {
                key: output / artifact_name(self.prepared.source.name, *key, self.target)
                for key in self._wanted()
            }
            with working_folder(output) as self.work:
                for path in paths.values():
                    self._check_replaceable(path)
                self._check_model()
                made = [self._make(*key, path) for key, path in paths.items()]
                self._place(made)
        raise_failures([a.manifest for a in made if a.path.endswith(".failed")])
        return ConvertResult(artifacts=tuple(made), warnings=self._warnings(made))

    def _check_replaceable(self, path: Path) -> None:
        check_replaceable(path, force=self.options.force)
        check_replaceable(failed_path(path), force=self.options.force)
        if Precision.AUTO in self.options.precision:
            check_search_replaceable(search_path(path), force=self.options.force)

    def _prepare(self, scratch: Path) -> Preparation:
        options = self.options
        return Preparation(
            self.model,
            scratch,
            options.input,
            options.weights,
            options.preprocessing,
            options.code_allowed,
            self.progress,
        )

    def _check_model(self) -> None:
        """Refuse what the model doesn't allow, before any long step."""
        if self.options.layout is Layout.NHWC:
            check_images(self.graph.inputs)
        if Format.TFLITE in self.options.to:
            from edgeopt.converters.tflite.survey import check_fits

            check_fits(self.graph.path, self.prepared.source.record.location)

    def _wanted(self) -> list[tuple[Format, Precision]]:
        return [(f, p) for f in self.options.to for p in self.options.precision]

    # What every artifact is made from, each found once ------------------------------------------

    @property
    def graph(self) -> FloatGraph:
        return self.prepared.graph

    @cached_property
    def data(self) -> Dataset | None:
        given = self.options.calibration
        return None if given is None else self.prepared.dataset(given)

    @cached_property
    def split(self) -> Split:
        given = self.options.evaluation
        evaluation = None if given is None else self.prepared.dataset(given)
        return split_data(self.graph.inputs, self.data, evaluation, hold_out=self.options.verify)

    @cached_property
    def calibrated(self) -> Calibrated:
        share = None if self.data is None else Share(self.data, 0, self.split.calibrated)
        return Calibrated(
            self.prepared,
            share,
            self.options.table,
            self.options.effort,
            self.options.ranges,
            self.progress,
        )

    @cached_property
    def kept(self) -> Kept:
        return kept_layers(self.graph.path, self.options)

    @cached_property
    def reference(self) -> Opened:
        return open_artifact(self.graph.path, Format.ONNX)

    @cached_property
    def checker(self) -> Checker:
        return Checker(
            self.graph, self.reference.run, self.split, self.options, self.target, self.progress
        )

    @cached_property
    def source_check(self) -> Verification | None:
        """The float graph against the source."""
        if not self.options.verify:
            return None
        checks = compare(
            lambda inputs, _: self.prepared.source.run(inputs),
            self.reference.run,
            self.split.samples(SOURCE_SAMPLES),
            self.graph.outputs,
            step="checking the float graph",
            total=self.split.count(SOURCE_SAMPLES),
            parallel=False,  # PyTorch has threads of its own
            progress=self.progress,
        )
        data, floor = self.split.record(SOURCE_SAMPLES), self.options.floor(Precision.FP32)
        return verification("source", data, floor, checks)

    def judge(self, fmt: Format) -> Judge:
        """What a search asks, its data already checked."""
        if fmt not in self.judges:
            emulated = fmt is Format.ONNX and self.target.exact_sums and saturates()
            metric = self.options.search.metric
            layout = self.options.layout_of(fmt)
            judge = Judge(self.graph, fmt, self.split, metric, emulated, self.progress, layout)
            judge.check()
            self.judges[fmt] = judge
        return self.judges[fmt]

    # One artifact -------------------------------------------------------------------------------

    def _make(self, fmt: Format, precision: Precision, path: Path) -> Artifact:
        began = perf_counter()
        # Data is opened, and so checked, before the first long step.
        self.split  # noqa: B018 - opens it
        if precision is Precision.AUTO:
            self.judge(fmt)  # checks labels
        self.progress(f"writing {path.name}", 0, None)
        temporary = self.work / path.name
        request = WriteRequest(self.graph, self.target, temporary, self.prepared.scratch)
        request = replace(
            request,
            kept=self.kept,
            name=self.prepared.source.record.location,
            layout=self.options.layout_of(fmt),
            io=self.options.io_of(fmt, precision),
        )
        if self.options.calibrates(precision):
            request = replace(
                request,
                table=self.calibrated.table,
                ranges=self.calibrated.ranges,
                effort=self.calibrated.effort,
                samples=self.calibrated.samples,
                progress=self.progress,
            )
        write = WRITERS[fmt, precision].load()
        search = None
        if precision is Precision.AUTO:
            search = self._search(request, write, self.judge(fmt), path)
        found = Mix() if search is None or search.chosen is None else search.chosen
        request = with_mix(request, found)
        with reporting(self.options.output):
            written: Written = spared(write(request), search)
        checked = self._check(fmt, precision, temporary)
        failed = checked is not None and not self._passed(checked)
        final = failed_path(path) if failed else path
        manifest = self._manifest(final.name, temporary, fmt, precision, written, checked, found)
        finished = temporary.replace(self.work / final.name)
        write_manifest(finished, manifest)
        if search is not None:
            write_bytes(search_path(finished), to_json(search))
        seconds = perf_counter() - began
        return Artifact(path=str(final), manifest=manifest, search=search, seconds=seconds)

    def _place(self, made: list[Artifact]) -> None:
        # Only now, when nothing more can go wrong: a command makes all of its files or none.
        for artifact in made:
            final = Path(artifact.path)
            files = [final, manifest_path(final)]
            files += [search_path(final)] if artifact.search is not None else []
            for file in files:
                move_into_place(self.work / file.name, file)

    def _search(
        self, request: WriteRequest, write: Writer, judge: Judge, path: Path
    ) -> SearchRecord:
        options = self.options.search
        if self.options.verify:  # an artifact below the floor is none
            floor = self.options.floor(Precision.AUTO)
            options = replace(options, budget=options.budget.with_floor(floor))
        search = search_within_budget(request, write, judge, options, self.progress)
        if search.chosen is None:
            kept = search_path(path)
            write_bytes(kept, to_json(search))
            raise unreachable(search, kept)
        return search

    def _check(self, fmt: Format, precision: Precision, artifact: Path) -> Checked | None:
        if not self.options.verify:
            return None
        if precision is Precision.FP32 and fmt is Format.ONNX:
            assert self.source_check is not None
            return Checked(self.source_check)  # the artifact is the float graph
        return self.checker.check(fmt, precision, artifact)

    def _passed(self, checked: Checked) -> bool:
        return all(v is None or v.passed for v in (checked.verification, self.source_check))

    def _manifest(
        self,
        name: str,
        file: Path,
        fmt: Format,
        precision: Precision,
        written: Written,
        checked: Checked | None,
        found: Mix,
    ) -> Manifest:
        calibrated = self.calibrated if self.options.calibrates(precision) else None
        return Manifest(
            artifact=name,
            sha256=sha256(file),
            size_bytes=file.stat().st_size,
            format=fmt,
            precision=precision,
            source=self.prepared.source.record,
            graph_sha256=self.graph.sha256,
            recipe=recipe_of(self.options, self.target, fmt, precision, calibrated, found),
            versions=versions(fmt),
            inputs=self.graph.inputs,
            outputs=self.graph.outputs,
            preprocessing=self.options.preprocessing,
            calibration=calibrated.table.header.data if calibrated else (),
            encodings=written.encodings,
            integer_layers=written.integer_layers,
            float_layers=written.float_layers,
            source_check=self.source_check,
            verification=checked.verification if checked else None,
            builtin=checked.builtin if checked else None,
            delegation=checked.delegation if checked else None,
            warnings=(*written.warnings, *(checked.warnings if checked else ())),
        )

    def _warnings(self, made: list[Artifact]) -> tuple[str, ...]:
        found = []
        precisions = self.options.precision
        # It is about ONNX Runtime's kernels; LiteRT's add exactly.
        rounds = Format.ONNX in self.options.to and any(p.adds_integers for p in precisions)
        if self.target.warning and rounds:
            found.append(f"int8 is {self.target.warning}")
        if any(self.options.calibrates(p) for p in precisions):
            found += self.calibrated.warnings
        for artifact in made:
            found += () if artifact.search is None else notes(artifact.search, self.target)
        if self.options.verify and self.split.record().kind == "random":
            found.append(
                "verified on random inputs: give --evaluation or --calibration for real ones"
            )
        return tuple(found)
