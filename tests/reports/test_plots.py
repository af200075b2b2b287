"""The geometry of plots."""

from __future__ import annotations

import pytest

from edgeopt.pipeline.diagnosis.records import DiagnosisResult, Distribution
from edgeopt.pipeline.diagnosis.runtime_records import OpTime
from edgeopt.reports.plots import histogram, noise_plot, sqnr_plot, time_plot


def test_a_dot_a_layer_from_left_to_right(result: DiagnosisResult) -> None:
    plot = sqnr_plot(result)
    after = [mark for mark in plot.marks if mark.kind.startswith("after")]
    assert len(after) == len(result.layers)
    assert [m.x for m in after] == sorted(m.x for m in after)
    assert all(plot.left <= m.x <= plot.width - plot.right for m in plot.marks)
    assert all(0 <= m.y <= plot.height for m in plot.marks)
    by_ratio = sorted(zip(result.layers, after, strict=True), key=lambda p: p[0].sqnr_db or 999)
    assert [m.y for _, m in by_ratio] == sorted((m.y for m in after), reverse=True)
    assert [m.label for m in after if m.label] == ["largest drop"]
    assert "conv1 (Conv+Clip)" in after[1].told


def test_bars_stack_to_the_layers_own_noise(result: DiagnosisResult) -> None:
    plot = noise_plot(result.layers)
    assert {bar.kind for bar in plot.bars} <= {"weights", "range", "resolution"}
    bottoms: dict[float, float] = {}
    for bar in plot.bars:
        base = bottoms.get(bar.x, plot.height - 24)
        assert bar.y + bar.height == pytest.approx(base, abs=0.02)
        bottoms[bar.x] = bar.y
    assert min(bottoms.values()) == pytest.approx(14, abs=0.02)  # the noisiest reaches the top


def test_bins_beyond_the_range_are_marked() -> None:
    found = Distribution("t", -1.0, 1.0, (-2.0, -1.0, 0.0, 1.0, 2.0), (5, 100, 0, 7))
    plot = histogram(found)
    assert [bar.kind for bar in plot.bars] == ["range", "inside", "range"]
    assert plot.outside == 12
    assert plot.ends[0] < plot.ends[1]
    tallest = min(plot.bars, key=lambda bar: bar.y)
    assert tallest.told == "-1 to 0: 100 values"


def test_an_operator_of_one_side_has_one_bar() -> None:
    ops = [OpTime("Conv", 2.0, 1.0, 0.0, 0.0), OpTime("QLinearConv", 0.0, 0.0, 1.0, 1.0)]
    plot = time_plot(ops)
    assert [[bar.kind for bar in row.bars] for row in plot.rows] == [["float"], ["artifact"]]
    widths = [row.bars[0].width for row in plot.rows]
    assert widths[0] == pytest.approx(2 * widths[1])
