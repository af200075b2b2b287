"""The options of a conversion, as one frozen object."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.registry import LACKING, OFFICIAL, formats, precisions
from edgeopt.core.effort import Effort
from edgeopt.core.ends import image
from edgeopt.core.errors import UnsupportedError, UsageError
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.precision import Format, Precision
from edgeopt.core.tensors import TensorSpec
from edgeopt.core.via import Via
from edgeopt.pipeline.given import GivenModel
from edgeopt.pipeline.search.options import AutoOptions
from edgeopt.targets import DEFAULT_TARGET


@dataclass(frozen=True)
class ConvertOptions:
    """Everything ``edgeopt convert`` can be told, checked as far as that goes without a model.

    Args:
        model: The model, and what is told of it.
        to: The formats to make.
        precision: The precisions to make each in.
        calibration: Data that integer precisions are calibrated on.
        table: A calibration table that was made before.
        evaluation: Data that artifacts are verified on.
        output: The folder they go to.
        target: A profile's name or TOML file.
        effort: What is done for int8's accuracy; None: as much as the data allows, up to default.
        ranges: How activation ranges are chosen; None: as suits the net.
        min_sqnr: The verification floor in dB, instead of each precision's own.
        verify: Whether artifacts are verified.
        force: Whether files that aren't ours may be replaced.
        search: What holds for ``--precision auto``.
        keep_float: Names and patterns of layers that stay float.
        keep_16bit: The same of layers whose activations have 16 bits.
        layout: Of TFLite artifacts' image inputs; None: the model's own.
        io: What int8 TFLite artifacts take and give; None: floats.
        channels_last: Whether the model itself has its images' channels last.
        build: How engines are built.
        via: The official converter that makes TFLite artifacts; None: EdgeOpt's own compiler.
    """

    model: GivenModel
    to: tuple[Format, ...]
    precision: tuple[Precision, ...]
    calibration: Any = None
    table: Path | None = None
    evaluation: Any = None
    output: Path = Path("out")
    target: str = DEFAULT_TARGET
    effort: Effort | None = None
    ranges: RangeMethod | None = None
    min_sqnr: float | None = None
    verify: bool = True
    force: bool = False
    search: AutoOptions = field(default_factory=AutoOptions)
    keep_float: tuple[str, ...] = ()
    keep_16bit: tuple[str, ...] = ()
    layout: Layout | None = None
    io: Ends | None = None
    channels_last: bool = False
    build: BuildOptions = field(default_factory=BuildOptions)
    via: Via | None = None

    def __post_init__(self) -> None:
        for fmt in self.to:
            _check_exists(fmt, self.precision)
        if self.keep_float and not any(p.quantizes for p in self.precision):
            raise UsageError(
                "--keep-float keeps layers of integer precisions float, and none is asked for",
                hint="add --precision int8, say",
            )
        if self.min_sqnr is not None and not math.isfinite(self.min_sqnr):
            raise UsageError(f"--min-sqnr is {self.min_sqnr}", hint="use a number of dB")
        self._check_search()
        self._check_ends()
        self._check_build()
        self._check_via()
        if self.keep_16bit and not any(p.static for p in self.precision):
            raise UsageError(
                "--keep-16bit is for int8", hint="add --precision int8; int16x8 has 16 bits anyway"
            )
        needing = [p for p in self.precision if p.needs_calibration]
        if self.effort is not None and self.effort.rounds:
            needing += [p for p in self.precision if p.gains_from_calibration]
        if needing and not self._has_data:
            high = "" if needing[0].needs_calibration else " at --effort high"
            raise UsageError(
                f"{needing[0].value}{high} needs calibration data",
                hint="add --calibration with a .npz, a folder of images or module:function; a few "
                "hundred samples like those the model will see; or --table with a table of them",
            )

    def _check_search(self) -> None:
        if Precision.AUTO in self.precision and self.search.budget.empty:
            raise UsageError(
                "--precision auto needs a budget",
                hint="add --max-drop 0.5pp, --min-agreement 99% or --min-sqnr 20",
            )
        if self.search.given and Precision.AUTO not in self.precision:
            raise UsageError(
                f"{self.search.given[0]} belongs to --precision auto",
                hint="add --precision auto, or leave it out",
            )
        if self.search.replayed is None or len(self.to) == 1:
            return
        raise UsageError("--replay is of one format's search", hint="name one format with --to")

    def _check_ends(self) -> None:
        if self.layout is not None and Format.TFLITE not in self.to:
            raise UsageError(
                "--layout is of TFLite artifacts, and none is asked for; others keep the model's",
                hint="add --to tflite, or leave --layout out",
            )
        integer = any(p.static for p in self.precision)
        if self.io is not None and not (Format.TFLITE in self.to and integer):
            raise UsageError(
                "--io is of int8 TFLite artifacts, and none is asked for",
                hint="add --to tflite --precision int8, or leave --io out",
            )

    def _check_build(self) -> None:
        asked = self.build != BuildOptions(self.build.ranges)
        if asked and Format.TENSORRT not in self.to:
            raise UsageError(
                "--build-memory, --build-timeout and --timing-cache are for engines, and none is "
                "asked for",
                hint="add --to tensorrt, or leave them out",
            )

    def _check_via(self) -> None:
        if self.via is None:
            return
        if Format.TFLITE not in self.to:
            raise UsageError(
                f"--via {self.via} makes TFLite artifacts, and none is asked for",
                hint="add --to tflite, or leave --via out",
            )
        for precision in self.precision:
            if (self.via, precision) not in OFFICIAL:
                has = [p for via, p in OFFICIAL if via is self.via]
                raise UnsupportedError(
                    f"there is no {precision.value} TFLite by way of {self.via.converter}",
                    hint=f"it has: {', '.join(has)}; leave --via out for the rest",
                )
        if self.keep_float or self.keep_16bit:
            raise UsageError(
                f"--keep-float and --keep-16bit are EdgeOpt's own, not {self.via.converter}'s",
                hint="leave --via out",
            )
        if self.calibration is None and any(p.needs_calibration for p in self.precision):
            raise UsageError(
                f"{self.via.converter} calibrates by itself and can't read a table",
                hint="give --calibration with samples",
            )

    def layout_of(self, fmt: Format) -> Layout:
        """The order of the axes of image inputs of an artifact."""
        return self.layout or Layout.NCHW if fmt is Format.TFLITE else Layout.NCHW

    def with_layout_of(self, own: Layout) -> ConvertOptions:
        """The options for a model whose image inputs have this order.

        Raises:
            UsageError: If ``--layout`` asks for channels first where the model has them last.
        """
        if own is Layout.NCHW:
            return self
        if self.layout is Layout.NCHW:
            raise UsageError(
                "--layout nchw: this model has channels last already, as LiteRT wants them",
                hint="leave it out",
            )
        return replace(self, layout=None, channels_last=True)

    def io_of(self, fmt: Format, precision: Precision) -> Ends:
        """What an artifact takes and gives."""
        chosen = fmt is Format.TFLITE and precision.static
        return self.io or Ends.FLOAT if chosen else Ends.FLOAT

    def calibrates(self, precision: Precision) -> bool:
        """Whether an artifact of ``precision`` is made with calibration data."""
        corrects = self._has_data and self.effort is not Effort.FAST
        return precision.needs_calibration or (corrects and precision.gains_from_calibration)

    @property
    def _has_data(self) -> bool:
        return self.calibration is not None or self.table is not None

    def floor(self, precision: Precision) -> float:
        """The SQNR in dB that an artifact of ``precision`` must reach."""
        return precision.sqnr_floor if self.min_sqnr is None else self.min_sqnr


def _check_exists(fmt: Format, asked: Iterable[Precision]) -> None:
    has = precisions(fmt)
    if not has:
        raise UnsupportedError(
            f"there is no {fmt.value} yet", hint=f"there is: {', '.join(formats())}"
        )
    for precision in asked:
        if precision not in has:
            why = f": {LACKING[fmt, precision]}" if (fmt, precision) in LACKING else ""
            raise UnsupportedError(
                f"there is no {precision.value} {fmt.value}{why}",
                hint=f"{fmt.value} has: {', '.join(has)}",
            )


def check_images(inputs: Iterable[TensorSpec]) -> None:
    """Refuse ``--layout nhwc`` for a model that has no image input.

    Raises:
        UsageError: If it has none.
    """
    if not any(image(len(spec.shape)) for spec in inputs):
        raise UsageError(
            "--layout nhwc is of image inputs (4 dimensions), and this model has none",
            hint=f"leave it out; its inputs are {', '.join(map(str, inputs))}",
        )
