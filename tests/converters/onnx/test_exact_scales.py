"""Every scale in every file is the one that the table's range gives by the target's rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import edgeopt
from edgeopt.calibration.encodings import encode_range, integer_limits
from edgeopt.calibration.ranges import RangeMethod, choose_ranges
from edgeopt.calibration.table_file import load_table
from edgeopt.core.manifest import Encoding
from edgeopt.core.precision import Format, Precision
from edgeopt.pipeline.making import Artifact
from edgeopt.targets import load_target
from edgeopt.targets.profile import shipped_targets

Make = Callable[..., Artifact]

PRECISIONS = (
    Precision.INT8,
    Precision.INT8_DYNAMIC,
    Precision.INT8_WEIGHT,
    Precision.INT16X8,
    Precision.INT4_WEIGHT,
)
NETS = [("conv_net", "conv_data"), ("encoder", "texts")]


def scales(path: str) -> Iterator[tuple[str, np.ndarray]]:
    """Every constant scale in a file, by the name of the tensor that the manifest has it under."""
    graph = onnx.load(path).graph
    for tensor in graph.initializer:
        name = tensor.name.removesuffix("_scale")
        if name != tensor.name and not name.endswith("_quantized"):
            yield name, numpy_helper.to_array(tensor)


def made() -> Iterator[tuple[str, str]]:
    """Each precision for the first target of those that encode it alike."""
    seen = set()
    for target in shipped_targets():
        profile = load_target(target)
        for precision in set(PRECISIONS) & set(profile.precisions(Format.ONNX)):
            way = precision, repr(profile.rules(Format.ONNX).deciding(precision))
            if way not in seen:
                seen.add(way)
                yield precision.value, target


@pytest.mark.parametrize(("net", "data"), NETS)
@pytest.mark.parametrize(("precision", "target"), sorted(made()))
def test_the_file_holds_the_manifests_scales_and_no_others(
    request: pytest.FixtureRequest, make: Make, precision: str, target: str, net: str, data: str
) -> None:
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    artifact = make(model, precision, to="onnx", calibration=samples, target=target, effort="high")
    encodings = {e.tensor: e for e in artifact.manifest.encodings}
    found = dict(scales(artifact.path))
    assert set(found) == set(encodings)
    for name, scale in found.items():
        assert scale.dtype == np.float32
        assert tuple(map(float, scale.reshape(-1))) == encodings[name].scale


@pytest.mark.parametrize(("net", "data"), NETS)
@pytest.mark.parametrize(
    ("precision", "target", "ranges"),
    [
        *(("int8", "x86-64-vnni", ranges) for ranges in RangeMethod),
        *(("int8", target, RangeMethod.L24) for target in ("x86-64", "arm64", "tensorrt")),
        *(("int16x8", target, RangeMethod.MIN_MAX) for target in ("x86-64", "arm64")),
    ],
)
def test_activations_have_what_the_tables_range_gives(
    request: pytest.FixtureRequest, tmp_path: Path, make: Make, precision: str, target: str,
    net: str, data: str, ranges: RangeMethod,
) -> None:  # fmt: skip
    model, samples = (request.getfixturevalue(name) for name in (net, data))
    rules = load_target(target).rules(Format.ONNX)
    rules = rules.widened if precision == "int16x8" else rules
    path = Path(edgeopt.calibrate(model, samples, output=tmp_path / "t.npz", exact=True).path)
    artifact = make(
        model,
        precision,
        to="onnx",
        table=path,
        target=target,
        ranges=ranges,
        effort="fast",
        verify=False,
    )
    chosen = choose_ranges(load_table(path), ranges, symmetric=rules.activation.symmetric)
    checked = 0
    for encoding in artifact.manifest.encodings:
        if encoding.tensor in chosen:
            expected = encode_range(encoding.tensor, chosen[encoding.tensor], rules.activation)
            assert encoding == expected
            checked += 1
    assert checked >= 3
    assert_weights_follow(artifact, rules.weight)


def assert_weights_follow(artifact: Artifact, rule: Any) -> None:
    """Weights' scales: the largest of each channel is the largest integer, but for pair limits."""
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact.path).graph.initializer}
    for encoding in artifact.manifest.encodings:
        integers = stored.get(f"{encoding.tensor}_quantized")
        if integers is None or integers.dtype != np.int8:
            continue
        others = tuple(a for a in range(integers.ndim) if a != _axis(encoding, integers.ndim))
        largest = np.abs(integers.astype(int)).max(others)
        limit = integer_limits(rule)[1]
        assert largest.max() <= limit
        if rule.pair_limit is None:
            assert (largest == limit).all()


def _axis(encoding: Encoding, rank: int) -> int | None:
    return None if encoding.axis is None else encoding.axis % rank
