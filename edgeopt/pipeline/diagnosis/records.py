"""What a diagnosis finds.

A ratio of signal to noise is in dB, ``10 log10(sum x^2 / sum (x - y)^2)`` over all samples; it is
None where there is no noise at all, and -999 where there is nothing but noise.
"""

from __future__ import annotations

from enum import StrEnum

from edgeopt.core.manifest import DataRecord, FloatLayer, OutputCheck
from edgeopt.core.precision import Precision
from edgeopt.core.record import Record
from edgeopt.pipeline.diagnosis.runtime_records import InsertedOp, Timing


class Cause(StrEnum):
    """What a layer's own noise comes from."""

    WEIGHTS = "weights"
    """Its weights were rounded."""
    RANGE = "range"
    """Values of its output lie outside of the range, and were clipped."""
    RESOLUTION = "resolution"
    """Its output was rounded to the steps that the range is cut into."""


class OwnNoise(Record, frozen=True):
    """The noise that one layer adds, each part computed alone on the float graph's own values.

    Args:
        total_db: All parts together.
        weights_db: The layer run on the float input with its quantized weights and bias.
        range_db: The float output, quantized: values whose error is more than half a step.
        resolution_db: The float output, quantized: all other values.
        clipped: The share of values beyond the range, 0 to 1.
        cause: The largest part.
        share: All parts together, as a share of the noise found after the layer; the rest came in
            with its inputs. It can exceed 1: noises may cancel.
    """

    total_db: float | None
    weights_db: float | None
    range_db: float | None
    resolution_db: float | None
    clipped: float
    cause: Cause | None
    share: float | None


class OutlierChannel(Record, frozen=True):
    """A channel that is much larger than the others.

    Args:
        index: Which.
        largest: Its largest absolute value.
        ratio: To the median of all channels' largest absolute values.
    """

    index: int
    largest: float
    ratio: float


class Channels(Record, frozen=True):
    """How alike a tensor's channels are.

    Args:
        axis: The channels' axis.
        count: How many there are.
        ratio: The largest absolute value of the largest channel to that of the median channel.
        outliers: The channels that are outliers, the largest first.
    """

    axis: int
    count: int
    ratio: float
    outliers: tuple[OutlierChannel, ...] = ()


class TensorRange(Record, frozen=True):
    """The integers' range of a tensor, and the values it must hold.

    Args:
        dtype: The integers' type.
        scale: The step.
        low: The smallest real value that they hold.
        high: The largest.
        seen_low: The smallest that the float graph has on these samples.
        seen_high: The largest.
    """

    dtype: str
    scale: float
    low: float
    high: float
    seen_low: float
    seen_high: float


class Keep(Record, frozen=True):
    """Layers that are given more bits than the rest.

    Args:
        layers: Their names.
        floating: Whether they become float; else their activations have 16 bits.
        options: The option of ``edgeopt convert`` that does it.
    """

    layers: tuple[str, ...]
    floating: bool
    options: str


class LayerDiagnosis(Record, frozen=True):
    """One layer, as its output tensor shows it.

    Args:
        tensor: The output's name in the float graph.
        node: The node it comes from; ``input`` for an input of the model.
        op: Its operator, with those merged into it: ``Conv+Clip``, ``MatMul+Add``.
        sqnr_db: What is left after this layer: float graph against artifact.
        input_sqnr_db: The lowest of the layers before it; None if all of them are exact.
        drop_db: How far ``sqnr_db`` is below that; both taken for ``ceiling_db`` at most.
        own: What the layer adds by itself.
        range: Its output's integers; None where the output stays float.
        channels: None where the output has no channels to tell apart.
        more_bits: What gives the output more bits; None where it isn't quantized.
    """

    tensor: str
    node: str
    op: str
    sqnr_db: float | None
    input_sqnr_db: float | None
    drop_db: float
    own: OwnNoise
    range: TensorRange | None = None
    channels: Channels | None = None
    more_bits: Keep | None = None


class WeightChannel(Record, frozen=True):
    """One output channel of a layer's weights.

    Args:
        index: Which one, from 0.
        sqnr_db: Of its weights, in dB; None where they are exact.
    """

    index: int
    sqnr_db: float | None


class WeightDiagnosis(Record, frozen=True):
    """A layer's weights against their integers.

    Args:
        node: The layer.
        op: Its operator.
        dtype: The integers' type.
        channels: How many output channels they have.
        per_channel: Whether each has a scale of its own.
        sqnr_db: Of all weights together.
        spread: The largest absolute weight, to the median of the channels' largest.
        worst: The channels with the lowest SQNR, the lowest first.
    """

    node: str
    op: str
    dtype: str
    channels: int
    per_channel: bool
    sqnr_db: float | None
    spread: float
    worst: tuple[WeightChannel, ...]


class ColumnGroup(Record, frozen=True):
    """Columns of like scale.

    Args:
        columns: Their indices, as ``[start, stop)``.
        largest: Their largest absolute value.
        sqnr_db: Of these columns alone: float graph against artifact.
    """

    columns: tuple[tuple[int, int], ...]
    largest: float
    sqnr_db: float | None


class UnlikeScales(Record, frozen=True):
    """A tensor on its way out of the model whose columns differ much in scale and share one.

    Args:
        tensor: Its name in the float graph.
        node: The node it comes from.
        outputs: The model's outputs that it goes into.
        axis: The columns' axis.
        scale: The step of the integers that they share.
        large: The columns that set the step.
        small: Those that it is too coarse for.
    """

    tensor: str
    node: str
    outputs: tuple[str, ...]
    axis: int
    scale: float
    large: ColumnGroup
    small: ColumnGroup


class OutputDiagnosis(Record, frozen=True):
    """One output of the model against the float graph's.

    Args:
        exact: With exact sums: what the artifact's target computes.
        kernels: With this machine's own integer kernels; None where there are no integers.
    """

    exact: OutputCheck
    kernels: OutputCheck | None = None


class Trial(Record, frozen=True):
    """One change to the artifact, tried out.

    Args:
        tensor: The output of the layer that it is for.
        node: That layer.
        keep: The change.
        sqnr_db: The worst output's SQNR with the change.
        gain_db: What the change gains there, on the same samples.
    """

    tensor: str
    node: str
    keep: Keep
    sqnr_db: float | None
    gain_db: float


class Distribution(Record, frozen=True):
    """How a tensor's values lie in its range.

    Args:
        tensor: Its name in the float graph.
        low: The range's lower end.
        high: The upper one.
        edges: The bins' edges, one more than there are bins.
        counts: Values in each bin.
    """

    tensor: str
    low: float
    high: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Suggestion(Record, frozen=True):
    """The next step.

    Args:
        rule: The name of the rule that chose it: see :mod:`edgeopt.pipeline.diagnosis.rules`.
        because: What was found.
        step: What to do, in the imperative.
        options: The options of ``edgeopt convert`` that do it; empty where none does.
    """

    rule: str
    because: str
    step: str
    options: str = ""


class DiagnosisResult(Record, frozen=True):
    """A diagnosis.

    Args:
        artifact: The file, as it was named.
        sha256: Its digest.
        precision: How it computes.
        target: The target that it is encoded for.
        reference: How the float graph was had.
        data: The samples.
        data_from: Why these: ``evaluation``, ``verification``, ``calibration`` or ``random``.
        calibrated: How many samples it was calibrated on; None for one that wasn't.
        threshold_db: What counts as fallen off.
        ceiling_db: The best SQNR that is told apart from an exact one.
        saturating: Whether this machine's 8-bit kernels saturate.
        outputs: Each output of the model.
        layers: In the graph's order.
        first_below: The first layer, in that order, that is below ``threshold_db``.
        largest_drop: The one that falls furthest below the layers before it.
        noisiest: The one that adds the most noise by itself.
        weights: The weights of every layer that has integer ones.
        unlike_scales: Outputs of unlike scale that share one.
        float_layers: What stays float, and why.
        inserted: Conversions and changes of layout that the runtime runs in the artifact and not
            in the float graph.
        timing: Where the time goes.
        trials: Changes that were tried out, the best first.
        distributions: The values of the tensors that lose most to range or resolution.
        suggestion: The next step.
        further: What other rules would suggest, after it.
        warnings: What the user should know.
    """

    artifact: str
    sha256: str
    precision: Precision
    target: str
    reference: str
    data: DataRecord
    data_from: str
    calibrated: int | None
    threshold_db: float
    ceiling_db: float
    saturating: bool
    outputs: tuple[OutputDiagnosis, ...]
    layers: tuple[LayerDiagnosis, ...]
    first_below: str | None
    largest_drop: str | None
    noisiest: str | None
    weights: tuple[WeightDiagnosis, ...]
    unlike_scales: tuple[UnlikeScales, ...]
    float_layers: tuple[FloatLayer, ...]
    inserted: tuple[InsertedOp, ...]
    timing: Timing
    trials: tuple[Trial, ...]
    distributions: tuple[Distribution, ...]
    suggestion: Suggestion
    further: tuple[Suggestion, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def worst_db(self) -> float | None:
        """The lowest SQNR of any output, with exact sums."""
        return worst([output.exact for output in self.outputs])

    @property
    def worst_kernels_db(self) -> float | None:
        """The lowest with this machine's kernels."""
        return worst([o.kernels or o.exact for o in self.outputs])


def worst(checks: list[OutputCheck]) -> float | None:
    """The lowest SQNR; None if all are exact."""
    return min((c.sqnr_db for c in checks if c.sqnr_db is not None), default=None)
