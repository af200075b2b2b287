"""int16x8: activations of 16 bits in all of the pairs, and next to nothing lost by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeopt.core.errors import UnsupportedError
from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]


@pytest.mark.parametrize(("net", "data"), [("conv_net", "conv_data"), ("encoder", "texts")])
def test_weights_have_8_bits_and_activations_16(
    request: pytest.FixtureRequest, make: Make, net: str, data: str
) -> None:
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    artifact = make(model, "int16x8", calibration=samples)
    kinds = {(e.dtype, e.axis is None and len(e.scale) == 1) for e in artifact.manifest.encodings}
    assert kinds <= {("uint16", True), ("int8", False), ("int32", False)}
    assert {dtype for dtype, _ in kinds} >= {"uint16", "int8"}
    imports = {o.domain: o.version for o in onnx.load(artifact.path).opset_import}
    assert imports[""] >= 21
    assert artifact.manifest.integer_layers is None
    assert any("slower than fp32" in w for w in artifact.manifest.warnings)


@pytest.mark.parametrize(("net", "data"), [("conv_net", "conv_data"), ("encoder", "texts")])
def test_only_the_weights_rounding_is_left(
    request: pytest.FixtureRequest, make: Make, net: str, data: str
) -> None:
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    sixteen, eight = (
        make(model, precision, calibration=samples, effort="fast", target="x86-64-vnni")
        for precision in ("int16x8", "int8")
    )
    found = []
    for artifact in (sixteen, eight):
        check = artifact.manifest.verification
        assert check is not None
        assert check.worst.sqnr_db is not None
        found.append(check.worst.sqnr_db)
    assert found[0] > max(found[1], 36)


def test_the_runtime_makes_no_8_bits_of_them(
    encoder: Path, texts: Path, make: Make, outputs: Outputs
) -> None:
    # MatMulNBits rounds activations to 8 bits; ONNX Runtime would fuse some pairs into it.
    artifact = make(encoder, "int16x8", calibration=texts)
    x = dict(np.load(texts))
    (fast,), (plain,) = (outputs(artifact.path, x, level=level) for level in ("all", "none"))
    np.testing.assert_allclose(fast, plain, atol=2e-3)


def test_a_target_without_16_bits_refuses(conv_net: Path, conv_data: Path, make: Make) -> None:
    with pytest.raises(UnsupportedError, match="no 16-bit integer activations"):
        make(conv_net, "int16x8", calibration=conv_data, target="tensorrt")
