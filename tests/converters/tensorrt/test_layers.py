"""Layers read from the log of a build. It is text, which another version may write otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.converters.tensorrt.building import FoundLayer
from edgeopt.converters.tensorrt.device.layers import arithmetic, layer_of, read_layers
from edgeopt.converters.tensorrt.planned import Planned
from edgeopt.converters.tensorrt.readback import read_back
from edgeopt.core.errors import GateError

IMAGE = "Dimensions: [1,8,16,16], Strides: [2048,1,128,8], StrideOrder: [3,0,2,1]"
FORMAT = "Format: (NHWC) Channel major format"

RTX_LINES = (
    f"Name: __myl_Move_myl0_0, LayerType: kgen, Inputs: [ {{ Name: x, {IMAGE}, Datatype: Float, "
    f"{FORMAT} }}], Constants: [], Outputs: [ {{ Name: a_2_myl0, {IMAGE}, Datatype: Int8, {FORMAT} "
    "}], TacticName: __myl_Move_0x3ea9, StreamId: 0, Metadata: ",
    f"Name: conv_myl0_1, LayerType: correlation, Inputs: [ {{ Name: a_2_myl0, {IMAGE}, Datatype: "
    f"Int8, {FORMAT} }}], Constants: [ {{ Name: w_myl0, {IMAGE}, Datatype: Int8, {FORMAT} }}, {{ "
    f"Name: s_myl0, {IMAGE}, Datatype: Float, {FORMAT} }}], Outputs: [ {{ Name: b_3_myl0, {IMAGE}, "
    f"Datatype: Half, {FORMAT} }}], TacticName: __myelin_CASK_STUB, StreamId: 0, Metadata: [ONNX "
    "Layer: conv][ONNX Layer: a [1] DQ]",
)
"""As TensorRT for RTX 1.7.1 writes them, two layers of a small net."""


def test_the_lines_of_tensorrt_for_rtx() -> None:
    move, conv = read_layers(["Engine Layer Information:", *RTX_LINES])
    assert (move["name"], move["kind"], move["nodes"]) == ("__myl_Move_myl0_0", "kgen", [])
    assert (move["inputs"], move["constants"], move["outputs"]) == (["float32"], [], ["int8"])
    assert conv["nodes"] == ["conv", "a [1] DQ"]
    assert conv["constants"] == ["int8", "float32"]
    assert (arithmetic(conv), conv["outputs"]) == ("int8", ["float16"])


def test_the_recorded_lines_of_tensorrt_10() -> None:
    log = Path(__file__).with_name("recorded") / "build.log"
    layers = read_layers(log.read_text().splitlines())
    assert [found["kind"] for found in layers] == ["Reformat", "CaskConvolution", "gemm"]
    conv = layer_of(layers, "/features/features.0/Conv")
    assert conv is not None
    assert conv["nodes"] == ["/features/features.0/Conv", "/features/features.1/Relu"]
    assert (arithmetic(conv), conv["constants"], conv["outputs"]) == (
        "float16", ["float16"], ["float16"],
    )  # fmt: skip
    gemm = layer_of(layers, "/classifier/classifier.6/Gemm")
    assert gemm is not None
    assert gemm["inputs"] == ["float16", "float16", "float32"]


def layer(kind: str, *inputs: str, outputs: tuple[str, ...] = ("float32",)) -> FoundLayer:
    return FoundLayer(kind, kind, inputs, ("int8", "float32"), outputs, ("layer",))


@pytest.mark.parametrize(
    ("layers", "computes"),
    [
        ([layer("correlation", "int8")], "int8"),
        ([layer("kgen", "float32"), layer("gemm", "int8")], "int8"),
        ([layer("kgen", "float16", outputs=("float16",))], "float16"),
        # Integers go in, and are made float before the product.
        ([layer("runtime_fusion", "int8")], "float32"),
    ],
)
def test_the_type_that_a_layer_computes_in(layers: list[FoundLayer], computes: str) -> None:
    import msgspec

    found = layer_of([msgspec.to_builtins(one) for one in layers], "layer")
    assert found is not None
    assert arithmetic(found) == computes


def test_int8_that_became_float_is_an_error() -> None:
    told = r"none of the 1 layers.*\(Conv 'layer': TensorRT didn't make it integer: it is float16\)"
    with pytest.raises(GateError, match=told):
        read_back([layer("correlation", "float16")], [Planned("layer", "Conv")])


def test_fewer_than_planned_is_a_warning_with_names() -> None:
    planned = [Planned("layer", "Conv"), Planned("other", "Gemm")]
    back = read_back([layer("correlation", "int8")], planned)
    assert back.integer == 1
    assert [(s.node, s.op) for s in back.stayed] == [("other", "Gemm")]
    assert "no layer of the engine names it" in back.stayed[0].reason
    (warning,) = back.warnings
    assert warning == (
        "TensorRT computes 1 of the 2 layers that were to be integer in float: other"
    )
