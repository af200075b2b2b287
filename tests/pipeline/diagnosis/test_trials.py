"""Changes that are tried out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from edgeopt.pipeline.diagnose import diagnose

Make = Callable[..., Path]


def test_the_best_is_first_and_a_spoilt_layer_gains_most(
    conv_net: Path, make: Make, conv_data: Path, shared_target: str
) -> None:
    net = onnx.load(conv_net)
    (weight,) = [t for t in net.graph.initializer if t.name == "w1"]
    array = numpy_helper.to_array(weight).copy()
    array[3] = 0
    array[3, 0, 0, 0] = 300  # a channel that ReLU6 saturates, and that spoils the others' scale
    weight.CopyFrom(numpy_helper.from_array(array, "w1"))
    onnx.save(net, conv_net)
    found = diagnose(make(conv_net, target=shared_target), evaluation=conv_data, samples=8)
    gains = [trial.gain_db for trial in found.trials]
    assert gains == sorted(gains, reverse=True)
    assert found.trials[0].keep.options == "--keep-float conv1"
    assert gains[0] > 10
    reached = min(found.trials[0].sqnr_db or 0.0, found.ceiling_db)
    assert gains[0] == pytest.approx(reached - (found.worst_db or 0.0), abs=0.1)


def test_each_change_is_tried_once(artifact: Path) -> None:
    found = diagnose(artifact, samples=2)
    options = [trial.keep.options for trial in found.trials]
    assert 1 < len(options) == len(set(options)) <= 6
    by_name = {layer.tensor: layer for layer in found.layers}
    for trial in found.trials:
        keep = by_name[trial.tensor].more_bits
        whole = trial.keep.layers == (trial.node,) and trial.keep.floating
        assert whole or trial.keep == keep
