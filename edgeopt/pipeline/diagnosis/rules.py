"""The next step, chosen by written rules: the first that applies is suggested.

==================  ==============================================================================
real-data           there was no data: nothing else can be concluded
unlike-scales       columns of an output share a scale that is too coarse for some of them
few-samples         an output is below the threshold, after calibration on fewer than 16 samples
shared-weight-scale an output is below it, and weights have one scale for unlike channels
only-saturation     exact sums are at or above it, and this machine's kernels cost 3 dB or more
nothing-to-do       every output is at or above the threshold
corrections         an output is below it, made with --effort fast
clipping            most of the noise that layers add is values clipped at the ends of their ranges
one-layer           one layer or tensor in float gains 3 dB or more, or lifts it above the threshold
outlier-channels    tensors that lose to resolution have channels 8 times as large as the median
more-effort         the noise is spread out, and a higher ``--effort`` is left
search              the noise is spread out, and no search has chosen the layers yet
saturation          as only-saturation, with an output that is below it whatever the kernels do
other-precision     nothing above applies
==================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edgeopt.calibration.ranges import RangeMethod
from edgeopt.core.effort import Effort
from edgeopt.core.manifest import Recipe
from edgeopt.core.precision import Precision
from edgeopt.pipeline.diagnosis.keeping import keep_float
from edgeopt.pipeline.diagnosis.records import (
    Cause,
    LayerDiagnosis,
    OutputDiagnosis,
    Suggestion,
    Trial,
    UnlikeScales,
    WeightDiagnosis,
    worst,
)
from edgeopt.pipeline.diagnosis.samples import RANDOM

NOTHING_TO_DO = "nothing-to-do"

COSTS = 3.0
"""A difference in dB that is worth a step: noise doubles."""

LIFTS = 1.0
"""The least gain in dB that counts where it is enough to reach the threshold."""

FEW_SAMPLES = 16
FEW_TENSORS = 2
"""More than these at 16 bit would cost the speed that integers are for."""

SPREAD = 4.0
"""Weights this many times as large as the median channel's leave that channel 6 of 8 bits."""

NEAR = 10.0
"""A layer whose own noise is more than this many dB below the threshold is no cause."""


@dataclass(frozen=True)
class Findings:
    """What the rules look at; every field is that of the result."""

    precision: Precision
    recipe: Recipe
    data_from: str
    calibrated: int | None
    threshold_db: float
    saturating: bool
    outputs: tuple[OutputDiagnosis, ...]
    layers: tuple[LayerDiagnosis, ...]
    weights: tuple[WeightDiagnosis, ...]
    unlike_scales: tuple[UnlikeScales, ...]
    trials: tuple[Trial, ...]

    @property
    def worst_db(self) -> float:
        """The lowest SQNR of any output, with exact sums; infinite if all are exact."""
        return _number(worst([output.exact for output in self.outputs]))

    @property
    def worst_kernels_db(self) -> float:
        """The same with this machine's kernels."""
        return _number(worst([o.kernels or o.exact for o in self.outputs]))

    def matters(self, layer: LayerDiagnosis) -> bool:
        """Whether a layer's own noise is near enough to the threshold to be a cause."""
        return _number(layer.own.total_db) < self.threshold_db + NEAR


Rule = Callable[[Findings], Suggestion | None]


def suggest(findings: Findings) -> Iterator[Suggestion]:
    """The steps of every rule that applies, in the rules' order; the first is the one to take.

    Where nothing needs to be done, the others are what would be done for :data:`NEAR` dB more.
    """
    fine = _nothing_to_do(findings) is not None
    wanting = replace(findings, threshold_db=max(findings.threshold_db, findings.worst_db + NEAR))
    first = next(step for rule in RULES if (step := rule(findings)) is not None)
    yield first
    given = {first.rule}
    for rule in RULES:
        step = rule(wanting if fine else findings)
        if step is not None and step.rule not in given:
            given.add(step.rule)
            yield step


def _real_data(found: Findings) -> Suggestion | None:
    if found.data_from != RANDOM:
        return None
    return Suggestion(
        rule="real-data",
        because="random inputs don't show what real ones lose",
        step="diagnose again with --evaluation and samples like those the model will see",
    )


def _only_saturation(found: Findings) -> Suggestion | None:
    return _saturation(found) if found.worst_db >= found.threshold_db else None


def _saturation(found: Findings) -> Suggestion | None:
    lost = found.worst_db - found.worst_kernels_db
    if not found.saturating or not lost >= COSTS:
        return None
    return Suggestion(
        rule="saturation",
        because=f"this CPU's 8-bit kernels saturate, which costs {lost:.1f} dB here and nothing on "
        f"{found.recipe.target}",
        step="to run it on this CPU, convert with weights that can't saturate",
        options="--target x86-64",
    )


def _unlike_scales(found: Findings) -> Suggestion | None:
    hidden = [u for u in found.unlike_scales if _number(u.small.sqnr_db) < found.threshold_db]
    if not hidden:
        return None
    first = hidden[0]
    return Suggestion(
        rule="unlike-scales",
        because=f"{first.tensor!r} holds values up to {first.large.largest:.3g} beside others up "
        f"to {first.small.largest:.3g}, in steps of {first.scale:.2g}: the small ones are left "
        f"with {_number(first.small.sqnr_db):.1f} dB",
        step=f"keep {first.node} in float, or let the model give the two as outputs of their own",
        options=keep_float(first.node).options,
    )


def _nothing_to_do(found: Findings) -> Suggestion | None:
    if found.worst_db < found.threshold_db:
        return None
    return Suggestion(
        rule=NOTHING_TO_DO,
        because="every output is exact"
        if found.worst_db == float("inf")
        else f"the worst output has {found.worst_db:.1f} dB, {found.threshold_db:g} are asked for",
        step="nothing needs to be done",
    )


def _few_samples(found: Findings) -> Suggestion | None:
    few = found.calibrated is not None and found.calibrated < FEW_SAMPLES
    if not few or found.worst_db >= found.threshold_db:
        return None
    return Suggestion(
        rule="few-samples",
        because=f"it was calibrated on {found.calibrated} samples only",
        step="calibrate on a few hundred samples like those the model will see",
        options="--calibration DATA",
    )


def _shared_weight_scale(found: Findings) -> Suggestion | None:
    shared = {w.node: w for w in found.weights if not w.per_channel and w.spread >= SPREAD}
    layers = [
        layer
        for layer in found.layers
        if layer.node in shared and layer.own.cause is Cause.WEIGHTS and found.matters(layer)
    ]
    if not layers or found.worst_db >= found.threshold_db:
        return None
    layer = min(layers, key=lambda x: _number(x.own.weights_db))
    return Suggestion(
        rule="shared-weight-scale",
        because=f"the weights of {_count(len(layers), 'layer')} have one scale for all channels; "
        f"in {layer.node} the largest is {shared[layer.node].spread:.0f} times the median "
        f"channel's, and rounding leaves {_number(layer.own.weights_db):.1f} dB",
        step="give each channel a scale: per_channel = true for the weights of target "
        f"{found.recipe.target}",
    )


def _corrections(found: Findings) -> Suggestion | None:
    if found.recipe.effort != Effort.FAST or found.worst_db >= found.threshold_db:
        return None
    return Suggestion(
        rule="corrections",
        because=f"it was made with --effort {Effort.FAST}, which corrects no biases and smooths no "
        "outlier channels",
        step="let both be done",
        options=f"--effort {Effort.DEFAULT}",
    )


def _clipping(found: Findings) -> Suggestion | None:
    if _main_cause(found.layers) is not Cause.RANGE:
        return None
    layer = min(found.layers, key=lambda x: _number(x.own.range_db))
    because = (
        f"{layer.tensor!r} has {layer.own.clipped:.2%} of its values outside of its range, which "
        f"leaves {_number(layer.own.range_db):.1f} dB"
    )
    if found.precision is Precision.FP16:
        return Suggestion(
            rule="clipping", because=because, step="stay with float32", options="--precision fp32"
        )
    if found.recipe.ranges != RangeMethod.MIN_MAX.value:
        return Suggestion(
            rule="clipping",
            because=because,
            step="choose ranges that hold every value seen",
            options=f"--ranges {RangeMethod.MIN_MAX.value}",
        )
    return Suggestion(
        rule="clipping",
        because=because,
        step="calibrate on more samples like these, which go beyond what it was calibrated on",
        options="--calibration DATA",
    )


def _one_layer(found: Findings) -> Suggestion | None:
    best = max(found.trials, key=lambda trial: trial.gain_db, default=None)
    if best is None:
        return None
    lifts = _number(best.sqnr_db) >= found.threshold_db > _number(best.sqnr_db) - best.gain_db
    if best.gain_db < (LIFTS if lifts else COSTS):
        return None
    what = best.node if best.keep.floating else repr(best.tensor)
    return Suggestion(
        rule="one-layer",
        because=f"tried out here: with {what} in float the worst output has "
        f"{_number(best.sqnr_db):.1f} dB, {best.gain_db:.1f} more",
        step=f"give {what} more bits",
        options=best.keep.options,
    )


def _outlier_channels(found: Findings) -> Suggestion | None:
    layers = [
        layer
        for layer in found.layers
        if layer.channels is not None
        and layer.channels.outliers
        and layer.own.cause is Cause.RESOLUTION
        and found.matters(layer)
    ]
    if not layers:
        return None
    layer = max(layers, key=lambda x: x.channels.ratio if x.channels else 0.0)
    assert layer.channels is not None
    top = layer.channels.outliers[0]
    because = (
        f"outlier channels take the resolution of {_count(len(layers), 'tensor')}: channel "
        f"{top.index} of {layer.tensor!r} is {top.ratio:.0f} times the median one"
    )
    if len(layers) <= FEW_TENSORS:
        assert layer.more_bits is not None, "only what is quantized has a resolution"
        step, options = f"give {layer.tensor!r} more bits", layer.more_bits.options
    else:
        step, options = "use a precision with more bits", f"--precision {Precision.FP16}"
    return Suggestion(rule="outlier-channels", because=because, step=step, options=options)


def _more_effort(found: Findings) -> Suggestion | None:
    if not found.precision.static or found.recipe.effort != Effort.DEFAULT:
        return None
    return Suggestion(
        rule="more-effort",
        because=f"the worst output has {found.worst_db:.1f} dB, and no layer stands out",
        step="let the weights be rounded by what their layers' outputs become",
        options=f"--effort {Effort.HIGH}",
    )


def _search(found: Findings) -> Suggestion | None:
    if found.precision is not Precision.INT8:
        return None
    return Suggestion(
        rule="search",
        because=f"the worst output has {found.worst_db:.1f} dB, and no layer stands out",
        step="let a search find the fewest layers that need more bits",
        options=f"--precision {Precision.AUTO} --min-sqnr {found.threshold_db:g}",
    )


def _other_precision(found: Findings) -> Suggestion | None:
    better = Precision.FP32 if found.precision is Precision.FP16 else Precision.FP16
    return Suggestion(
        rule="other-precision",
        because=f"the worst output has {found.worst_db:.1f} dB, and no layer stands out",
        step="use a precision with more bits",
        options=f"--precision {better}",
    )


RULES: tuple[Rule, ...] = (
    _real_data,
    _unlike_scales,
    _few_samples,
    _shared_weight_scale,
    _only_saturation,
    _nothing_to_do,
    _corrections,
    _clipping,
    _one_layer,
    _outlier_channels,
    _more_effort,
    _search,
    _saturation,
    _other_precision,
)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _number(ratio: float | None) -> float:
    return float("inf") if ratio is None else ratio


def _main_cause(layers: Sequence[LayerDiagnosis]) -> Cause | None:
    """The cause with the most noise over all layers, each relative to its own signal."""
    total = dict.fromkeys(Cause, 0.0)
    for layer in layers:
        own = layer.own
        total[Cause.WEIGHTS] += _share(own.weights_db)
        total[Cause.RANGE] += _share(own.range_db)
        total[Cause.RESOLUTION] += _share(own.resolution_db)
    main = max(total, key=lambda cause: total[cause])
    return main if total[main] > 0 else None


def _share(ratio: float | None) -> float:
    return 0.0 if ratio is None else min(10 ** (-ratio / 10), 1.0)
