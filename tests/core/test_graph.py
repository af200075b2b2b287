"""The canonical digest: what a model computes and what its tensors are called, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeopt.converters.simplify import simplify
from edgeopt.core.graph import graph_digest
from edgeopt.core.ir import ir


@pytest.fixture
def path(conv_net: Path, tmp_path: Path) -> Path:
    simplify(conv_net, tmp_path / "float.onnx", "net")
    return tmp_path / "float.onnx"


def test_how_a_file_was_written_has_no_part_in_it(path: Path) -> None:
    digest = graph_digest(ir.load(path))
    proto = onnx.load(path)
    proto.producer_name, proto.doc_string = "another", "made on another day"
    weights = list(proto.graph.initializer)
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(reversed(weights))
    for node in proto.graph.node:
        attributes = list(node.attribute)
        del node.attribute[:]
        node.attribute.extend(reversed(attributes))
    assert graph_digest(ir.from_proto(proto)) == digest


def test_weights_apart_are_the_same_weights(path: Path, tmp_path: Path) -> None:
    onnx.save(
        onnx.load(path), tmp_path / "apart.onnx", save_as_external_data=True, size_threshold=0
    )
    assert graph_digest(ir.load(tmp_path / "apart.onnx")) == graph_digest(ir.load(path))


def change_weight(model: ir.Model) -> None:
    value = next(iter(model.graph.initializers.values()))
    assert value.const_value is not None
    value.const_value = ir.tensor(np.nextafter(value.const_value.numpy(), np.float32(9)))


def change_attribute(model: ir.Model) -> None:
    conv = next(node for node in model.graph if node.op_type == "Conv")
    conv.attributes.add(ir.AttrInt64s("dilations", [2, 2]))


def change_name(model: ir.Model) -> None:
    next(iter(model.graph)).outputs[0].name = "other"


@pytest.mark.parametrize("change", [change_weight, change_attribute, change_name])
def test_what_the_model_is_has(path: Path, change: object) -> None:
    model = ir.load(path)
    change(model)  # type: ignore[operator]
    assert graph_digest(model) != graph_digest(ir.load(path))


def test_it_is_the_float_graphs(conv_net: Path, tmp_path: Path) -> None:
    graph = simplify(conv_net, tmp_path / "float.onnx", "net")
    assert graph.sha256 == graph_digest(ir.load(graph.path))
