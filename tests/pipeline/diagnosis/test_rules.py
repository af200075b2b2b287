"""The next step: each rule by what it needs, and the order between them."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from edgeopt.cli.application import application
from edgeopt.core.manifest import OutputCheck, Recipe
from edgeopt.core.precision import Precision
from edgeopt.pipeline.diagnosis import rules
from edgeopt.pipeline.diagnosis.keeping import keep_16bit, keep_float
from edgeopt.pipeline.diagnosis.records import (
    Cause,
    Channels,
    ColumnGroup,
    LayerDiagnosis,
    OutlierChannel,
    OutputDiagnosis,
    OwnNoise,
    Trial,
    UnlikeScales,
    WeightDiagnosis,
)
from edgeopt.pipeline.diagnosis.rules import RULES, Findings, suggest


def output(exact: float | None, kernels: float | None = None) -> OutputDiagnosis:
    one, other = (OutputCheck("y", db, 0.0, None) for db in (exact, kernels or exact))
    return OutputDiagnosis(exact=one, kernels=other)


def layer(
    node: str, cause: Cause, own: float, channels: Channels | None = None, clipped: float = 0.0
) -> LayerDiagnosis:
    parts = {c: own if c is cause else None for c in Cause}
    noise = OwnNoise(
        own, parts[Cause.WEIGHTS], parts[Cause.RANGE], parts[Cause.RESOLUTION], clipped, cause, 1.0
    )
    return LayerDiagnosis(
        f"{node}_out", node, "Conv", 15.0, None, 5.0, noise, None, channels, keep_16bit(node)
    )


BAD = Findings(
    precision=Precision.INT8,
    recipe=Recipe(target="x86-64-vnni", ranges="l2.4", effort="default"),
    data_from="evaluation",
    calibrated=128,
    threshold_db=20.0,
    saturating=False,
    outputs=(output(12.0),),
    layers=(layer("a", Cause.RESOLUTION, 32.0), layer("b", Cause.WEIGHTS, 35.0)),
    weights=(),
    unlike_scales=(),
    trials=(),
)
GOOD = replace(BAD, outputs=(output(30.0), output(None)))
OUTLIERS = Channels(1, 64, 40.0, (OutlierChannel(7, 40.0, 40.0),))
HIDDEN = UnlikeScales(
    "both",
    "head",
    ("y",),
    1,
    2.5,
    ColumnGroup(((0, 4),), 640.0, 55.0),
    ColumnGroup(((4, 7),), 1.0, 0.0),
)
SHARED = WeightDiagnosis("b", "Conv", "int8", 8, False, 30.0, 50.0, ())


def steps(found: Findings) -> list[str]:
    return [step.rule for step in suggest(found)]


def test_every_rule_is_in_the_table() -> None:
    *_, table = (rules.__doc__ or "").split("\n\n", 1)
    named = [line.split()[0] for line in table.splitlines() if line and line[0] != "="]
    assert len(named) == len(RULES)
    for rule, name in zip(RULES, named, strict=True):
        assert rule.__name__.strip("_").replace("_", "-") == name


def test_a_good_artifact_needs_nothing() -> None:
    assert steps(GOOD)[0] == "nothing-to-do"


def test_what_would_give_more_comes_after() -> None:
    layers = (layer("b", Cause.WEIGHTS, 25.0),)
    found = steps(replace(GOOD, layers=layers, weights=(SHARED,), calibrated=8))
    assert found[:3] == ["nothing-to-do", "few-samples", "shared-weight-scale"]
    assert found.count("nothing-to-do") == 1


def test_exact_outputs_are_good() -> None:
    (first, *_) = suggest(replace(GOOD, outputs=(output(None),)))
    assert (first.rule, first.because) == ("nothing-to-do", "every output is exact")


def test_random_data_come_first() -> None:
    assert steps(replace(GOOD, data_from="random"))[0] == "real-data"


def test_saturation_is_told_where_it_costs_something() -> None:
    (first, *_) = suggest(replace(GOOD, saturating=True, outputs=(output(30.0, 18.0),)))
    assert (first.rule, first.options) == ("saturation", "--target x86-64")
    assert "12.0 dB" in first.because
    assert steps(replace(GOOD, saturating=True, outputs=(output(30.0, 29.0),)))[0] != "saturation"
    assert steps(replace(GOOD, outputs=(output(30.0, 18.0),)))[0] != "saturation"


def test_what_is_bad_on_its_target_too_comes_before_saturation() -> None:
    found = steps(replace(BAD, saturating=True, calibrated=4, outputs=(output(12.0, 4.0),)))
    assert found[0] == "few-samples"
    assert found.count("saturation") == 1


def test_hidden_columns_come_before_a_good_total() -> None:
    (first, *_) = suggest(replace(GOOD, unlike_scales=(HIDDEN,)))
    assert first.rule == "unlike-scales"
    assert "640" in first.because
    assert first.options == "--keep-float head"


def test_columns_that_are_fine_are_no_cause() -> None:
    small = ColumnGroup(((4, 7),), 1.0, 30.0)
    fine = UnlikeScales("both", "head", ("y",), 1, 0.01, HIDDEN.large, small)
    assert steps(replace(GOOD, unlike_scales=(fine,)))[0] == "nothing-to-do"


def test_few_samples() -> None:
    assert steps(replace(BAD, calibrated=4))[0] == "few-samples"
    assert steps(replace(GOOD, calibrated=4))[0] == "nothing-to-do"


def test_weights_that_share_a_scale() -> None:
    layers = (layer("b", Cause.WEIGHTS, 15.0),)
    (first, *_) = suggest(replace(BAD, layers=layers, weights=(SHARED,)))
    assert first.rule == "shared-weight-scale"
    assert "per_channel = true" in first.step
    harmless = (layer("b", Cause.WEIGHTS, 45.0),)
    assert "shared-weight-scale" not in steps(replace(BAD, layers=harmless, weights=(SHARED,)))


def test_clipping() -> None:
    clipped = replace(BAD, layers=(layer("a", Cause.RANGE, 10.0, clipped=0.02),))
    (first, *_) = suggest(clipped)
    assert (first.rule, first.options) == ("clipping", "--ranges min-max")
    assert "2.00%" in first.because
    seen = replace(clipped, recipe=Recipe(target="x86-64-vnni", ranges="min-max"))
    (first, *_) = suggest(seen)
    assert "more samples" in first.step
    half = replace(clipped, precision=Precision.FP16, recipe=Recipe(target="x86-64-vnni"))
    (first, *_) = suggest(half)
    assert first.options == "--precision fp32"


def test_one_layer() -> None:
    tried = (
        Trial("a_out", "a", keep_16bit("a"), 12.5, 0.5),
        Trial("b_out", "b", keep_float("b"), 17.0, 5.0),
    )
    (first, *_) = suggest(replace(BAD, trials=tried))
    assert (first.rule, first.options) == ("one-layer", "--keep-float b")
    assert "17.0 dB, 5.0 more" in first.because


def test_a_small_gain_counts_where_it_is_enough() -> None:
    almost = replace(BAD, outputs=(output(19.0),))
    tried = Trial("b_out", "b", keep_float("b"), 20.5, 1.5)
    assert steps(replace(almost, trials=(tried,)))[0] == "one-layer"
    lower = Trial("b_out", "b", keep_float("b"), 13.5, 1.5)
    assert "one-layer" not in steps(replace(BAD, trials=(lower,)))


def test_outlier_channels() -> None:
    layers = (layer("a", Cause.RESOLUTION, 18.0, OUTLIERS),)
    (first, *_) = suggest(replace(BAD, layers=layers))
    assert (first.rule, first.options) == ("outlier-channels", "--keep-16bit a")
    (first, *_) = suggest(replace(BAD, layers=layers * 3))
    assert first.options == "--precision fp16"


def test_corrections_come_before_all_that_gives_up_speed() -> None:
    fast = replace(BAD, recipe=Recipe(target="x86-64-vnni", effort="fast"))
    tried = (Trial("b_out", "b", keep_float("b"), 17.0, 5.0),)
    (first, *_) = suggest(replace(fast, trials=tried))
    assert (first.rule, first.options) == ("corrections", "--effort default")
    assert steps(replace(fast, outputs=GOOD.outputs))[:2] == ["nothing-to-do", "corrections"]


def test_noise_that_is_spread_out() -> None:
    assert steps(BAD) == ["more-effort", "search", "other-precision"]
    high = replace(BAD, recipe=Recipe(target="x86-64-vnni", effort="high"))
    assert steps(high) == ["search", "other-precision"]
    assert next(iter(suggest(high))).options == "--precision auto --min-sqnr 20"
    assert steps(replace(BAD, precision=Precision.AUTO)) == ["more-effort", "other-precision"]


def test_there_is_always_a_step() -> None:
    assert steps(replace(BAD, layers=(), precision=Precision.FP16)) == ["other-precision"]


@pytest.mark.parametrize(
    "found",
    [
        BAD,
        replace(BAD, saturating=True, outputs=(output(30.0, 18.0),)),
        replace(BAD, unlike_scales=(HIDDEN,), calibrated=4),
        replace(BAD, layers=(layer("a", Cause.RANGE, 10.0),)),
        replace(BAD, trials=(Trial("b_out", "b", keep_16bit("b"), 17.0, 5.0),)),
        replace(BAD, layers=(layer("a", Cause.RESOLUTION, 18.0, OUTLIERS),)),
    ],
)
def test_options_that_are_suggested_exist(found: Findings) -> None:
    command = application.get_command(click.Context(application), "convert")
    assert command is not None
    known = {name for parameter in command.params for name in parameter.opts}
    for step in suggest(found):
        used = {word for word in step.options.split() if word.startswith("--")}
        assert used <= known
