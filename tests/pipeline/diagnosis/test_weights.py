"""Weights against their integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.weights import compare_weights

Make = Callable[..., Path]


def spoil(model: Path) -> None:
    """Make one channel of the first layer's weights 200 times as large."""
    net = onnx.load(model)
    (weight,) = [t for t in net.graph.initializer if t.name == "w1"]
    array = numpy_helper.to_array(weight).copy()
    array[3] *= 200
    weight.CopyFrom(numpy_helper.from_array(array, "w1"))
    onnx.save(net, model)


def test_scales_by_channel_hold_every_channel(conv_net: Path, make: Make) -> None:
    spoil(conv_net)
    made = make(conv_net)
    found = {w.node: w for w in compare_weights(ir.load(conv_net).graph, ir.load(made).graph)}
    assert list(found) == ["conv1", "depthwise", "head"]
    assert found["conv1"].per_channel
    assert found["conv1"].channels == 8
    assert found["conv1"].spread > 100
    assert all(c.sqnr_db is None or c.sqnr_db > 30 for w in found.values() for c in w.worst)


def test_one_scale_loses_the_small_channels(conv_net: Path, make: Make, shared_target: str) -> None:
    spoil(conv_net)
    made = make(conv_net, target=shared_target)
    first = next(compare_weights(ir.load(conv_net).graph, ir.load(made).graph))
    assert not first.per_channel
    assert first.sqnr_db is not None
    assert first.sqnr_db > 30  # nearly all of the power is the large channel's
    worst = first.worst[0]
    assert worst.index != 3
    assert worst.sqnr_db is not None
    assert worst.sqnr_db < 10


def test_an_all_zero_channel_is_exact(conv_net: Path, make: Make) -> None:
    net = onnx.load(conv_net)
    (weight,) = [t for t in net.graph.initializer if t.name == "w1"]
    array = numpy_helper.to_array(weight).copy()
    array[5] = 0
    weight.CopyFrom(numpy_helper.from_array(array, "w1"))
    onnx.save(net, conv_net)
    first = next(compare_weights(ir.load(conv_net).graph, ir.load(make(conv_net)).graph))
    assert np.isfinite(first.spread)
    assert 5 not in [c.index for c in first.worst]
