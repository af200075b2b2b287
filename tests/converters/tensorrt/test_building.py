"""Building engines where no GPU is, and what is said when that fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from edgeopt.converters.build_options import BuildOptions
from edgeopt.converters.tensorrt import building
from edgeopt.converters.tensorrt.building import Built, ask_support, build_engine
from edgeopt.converters.tensorrt.complaints import failed, killed
from edgeopt.converters.tensorrt.delivery import RTX, RTX_CAPABILITIES, Builder
from edgeopt.core.errors import (
    BuildError,
    EdgeOptError,
    MissingExtraError,
    ModelError,
    OutputError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.manifest import ShapeRange

Build = Callable[..., Built]
Model = Callable[..., Path]
WEIGHTS = np.random.default_rng(0).standard_normal((16, 8, 3, 3)).astype(np.float32)


@pytest.fixture
def net(model: Model) -> Path:
    """A convolution of any batch."""
    layer = helper.make_node("Conv", ["x", "w"], ["y"], "layer")
    return model([layer], {"w": WEIGHTS}, shape=("n", 8, 16, 16))


def batches(largest: int) -> tuple[ShapeRange, ...]:
    one, most = (1, 8, 16, 16), (largest, 8, 16, 16)
    return (ShapeRange(input="x", least=one, usual=one, largest=most),)


@pytest.mark.parametrize("capability", ["SM86", "SM120", None])
def test_an_engine_for_a_gpu_that_is_not_here(
    net: Path, build: Build, tmp_path: Path, capability: str | None
) -> None:
    built = build(net, capability=capability, shapes=batches(8))
    assert (tmp_path / "net.engine").stat().st_size > len(WEIGHTS.tobytes())
    assert [layer.inputs[0] for layer in built.layers if "layer" in layer.nodes] == ["float32"]
    assert built.version.startswith("1.")


def test_the_capabilities_are_those_of_the_module() -> None:
    import tensorrt_rtx

    members = tensorrt_rtx.ComputeCapability.__members__
    assert {f"SM{c.replace('.', '')}" for c in RTX_CAPABILITIES} == {*members} - {"NONE", "CURRENT"}


def test_a_build_that_failed_does_not_spoil_the_next(net: Path, build: Build, model: Model) -> None:
    with pytest.raises(UsageError):
        build(net)
    assert build(net, shapes=batches(1)).layers


def test_a_timing_cache_that_cannot_be_written_is_told(
    net: Path, build: Build, tmp_path: Path
) -> None:
    with refuses(OutputError, "building can't read or write .*nowhere/timings.*--timing-cache"):
        build(net, shapes=batches(1), timing_cache=tmp_path / "nowhere" / "timings")


def test_a_timing_cache_is_written_and_read_again(net: Path, build: Build, tmp_path: Path) -> None:
    cache = tmp_path / "timings"
    build(net, shapes=batches(1), timing_cache=cache)
    assert cache.stat().st_size
    build(net, shapes=batches(1), timing_cache=cache)
    cache.write_bytes(b"of another version")
    build(net, shapes=batches(1), timing_cache=cache)
    assert cache.read_bytes() != b"of another version"


def refuses(kind: type[EdgeOptError], told: str) -> pytest.RaisesExc[EdgeOptError]:
    """One line of a kind, with a next step."""
    return pytest.RaisesExc(
        kind, match=told, check=lambda error: bool(error.hint) and "\n" not in str(error)
    )


def test_an_operator_that_it_lacks(model: Model, build: Build) -> None:
    nodes = [
        helper.make_node("Det", ["x"], ["d"], "determinant"),
        helper.make_node("Relu", ["d"], ["y"], "relu"),
    ]
    with refuses(UnsupportedError, r"TensorRT doesn't take Det 'determinant'.*--for tensorrt"):
        build(model(nodes, {}))


def test_a_dynamic_input_without_a_range(net: Path, build: Build) -> None:
    with refuses(UsageError, r"needs other ranges.*no optimization profile.*--input 'name:float32"):
        build(net)


def test_a_range_that_the_model_does_not_allow(net: Path, build: Build) -> None:
    wrong = ShapeRange("x", (1, 8, 16, 16), (1, 8, 16, 16), (1, 8, 32, 16))
    with refuses(UsageError, "needs other ranges.*max=32 but tensor has 16"):
        build(net, shapes=(wrong,))


def test_a_corrupt_file(net: Path, build: Build) -> None:
    net.write_bytes(net.read_bytes()[:1000])
    with refuses(ModelError, "TensorRT can't read the ONNX file: Failed to parse"):
        build(net)


def test_a_compute_capability_that_the_module_lacks(net: Path, build: Build) -> None:
    with refuses(UnsupportedError, "no compute capability SM87"):
        build(net, capability="SM87", shapes=batches(1))


def test_a_type_that_the_gpu_lacks(model: Model, build: Build) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], "half", to=16),  # bfloat16
        helper.make_node("Cast", ["w"], ["wh"], "weights", to=16),
        helper.make_node("Conv", ["h", "wh"], ["c"], "layer"),
        helper.make_node("Cast", ["c"], ["y"], "end", to=1),
    ]
    with refuses(UnsupportedError, "can't build it for this target: .*datatypes: b16"):
        build(model(nodes, {"w": WEIGHTS}), capability="SM75")


def test_too_little_memory(net: Path, build: Build) -> None:
    with refuses(BuildError, "not enough .*memory to build it: allow more with --build-memory"):
        build(net, shapes=batches(1), memory=1 << 20)


def test_too_little_time(net: Path, build: Build, tmp_path: Path) -> None:
    with refuses(BuildError, r"no engine after 0\.01 s: give it longer with --build-timeout"):
        build(net, shapes=batches(1), timeout=0.01)
    assert not (tmp_path / "net.engine").exists()


def test_a_module_that_is_missing_or_broken(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine, options = tmp_path / "net.engine", BuildOptions()
    with refuses(BuildError, "TensorRT is installed, but can't be imported: .*no_such_tensorrt"):
        build_engine(Builder("no_such_tensorrt"), net, engine, batches(1), options, "net")
    (tmp_path / "broken_trt.py").write_text("raise ImportError('libnvinfer.so.10: not found')")
    with refuses(BuildError, "can't be imported: .*libnvinfer.so.10: not found"):
        build_engine(Builder("broken_trt"), net, engine, batches(1), options, "net")
    told = failed("module", f"ModuleNotFoundError: No module named '{RTX}'", [], "net")
    assert isinstance(told, MissingExtraError)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_process_that_dies(tmp_path: Path, net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    monkeypatch.setattr(building, "PROGRAM", program)
    with refuses(BuildError, r"TensorRT crashed on it \(signal 6\)"):
        ask_support(Builder(RTX), net, "net", 60)
    with pytest.raises(RuntimeError, match="the building program failed"):
        killed(1, "Traceback (most recent call last):\n  ...\nKeyError: 'x'", "net")
    assert isinstance(killed(-9, "", "net"), BuildError)


def test_the_support_report_names_every_node(model: Model) -> None:
    nodes = [
        helper.make_node("Det", ["x"], ["d"], "determinant"),
        helper.make_node("Unique", ["x"], ["u"], "unique"),
        helper.make_node("Relu", ["d"], ["y"], "relu"),
    ]
    found = ask_support(Builder(RTX), model(nodes, {}), "net", 60)
    assert not found.supported
    assert [(r.op, r.node) for r in found.refused] == [("Det", "determinant"), ("Unique", "unique")]
