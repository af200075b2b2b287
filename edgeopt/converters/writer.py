"""What writing an artifact takes and gives, the same for every format and precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.calibration.table import CalibrationTable
from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.sources.source import Source
from edgeopt.core.effort import Effort
from edgeopt.core.graph import FloatGraph
from edgeopt.core.layout import Ends, Layout
from edgeopt.core.manifest import Encoding, Engine, FloatLayer, Official
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.progress import Progress, silent
from edgeopt.data import Sample
from edgeopt.targets import Profile


@dataclass(frozen=True)
class Kept:
    """Layers that the user keeps from 8 bits, by node name.

    Args:
        floating: They stay float.
        wide: Their activations have 16 bits.
    """

    floating: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()


@dataclass(frozen=True)
class WriteRequest:
    """What an artifact is made from.

    Args:
        graph: The float graph.
        target: The device it is for.
        path: Where it goes: a temporary name in the output folder.
        scratch: A folder for intermediate files.
        table: The calibration table, where the precision needs one.
        ranges: How ranges are chosen from it.
        effort: What is done for accuracy.
        samples: Gives the few samples that corrections look at; none where there is no data.
        progress: Told how far a long step is.
        kept: Layers that the user keeps from 8 bits.
        name: The model's, for messages.
        layout: Of the artifact's image inputs; formats that have no choice leave it alone.
        io: What an int8 artifact takes and gives, likewise.
        preprocessing: How pictures become its input, for formats that have a word for it.
        build: How engines are built.
        source: The model itself, for official converters.
        calibration: Gives every sample that may be calibrated on, for those that do it themselves.
        reason: Why an official converter is fallen back to; empty where it is asked for.
    """

    graph: FloatGraph
    target: Profile
    path: Path
    scratch: Path
    table: CalibrationTable | None = None
    ranges: RangeMethod = RangeMethod.MIN_MAX
    effort: Effort = Effort.DEFAULT
    samples: Callable[[], Iterable[Sample]] = tuple
    progress: Progress = silent
    kept: Kept = Kept()
    name: str = "model"
    layout: Layout = Layout.NCHW
    io: Ends = Ends.FLOAT
    preprocessing: Preprocessing | None = None
    build: BuildOptions = field(default_factory=BuildOptions)
    source: Source | None = None
    calibration: Callable[[], Iterable[Sample]] = tuple
    reason: str = ""


@dataclass(frozen=True)
class Written:
    """What is known of an artifact that was just written.

    Args:
        encodings: Every scale in the file, by tensor.
        integer_layers: How many convolutions and matrix products the runtime computes in integers.
        float_layers: Those that it doesn't, and why.
        warnings: What the user should know.
        engine: What is known of a TensorRT engine or kit besides.
        stand_in: What can be run in the artifact's place; None where it runs itself.
        official: An official converter's part in it.
    """

    encodings: tuple[Encoding, ...] = ()
    integer_layers: int | None = None
    float_layers: tuple[FloatLayer, ...] = ()
    warnings: tuple[str, ...] = ()
    engine: Engine | None = None
    stand_in: Path | None = None
    official: Official | None = None


class Writer(Protocol):
    """Writes one artifact to ``request.path``.

    Raises:
        UnsupportedError: If the graph holds what the format can't express.
        GateError: If an integer artifact was asked for and nothing in it could be integer.
    """

    def __call__(self, request: WriteRequest) -> Written:
        """Write it."""
