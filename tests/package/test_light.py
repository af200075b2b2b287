"""Heavy dependencies are optional: EdgeOpt's wheel works where none of the extras is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.cli.application import COMMANDS
from edgeopt.converters.registry import FALLBACK, OFFICIAL, SOURCES, WRITERS, Entry
from edgeopt.converters.tensorrt.delivery import rtx_installs_here
from edgeopt.targets.profile import shipped_targets

Core = Callable[..., CompletedProcess[str]]

HEAVY = (
    "torch",
    "tensorflow",
    "onnxscript",
    "safetensors",
    "ai_edge_litert",
    "fsspec",
    "tensorrt_rtx",
)

_TENSORFLOW = "edgeopt.converters.sources.tensorflow"
_OFFICIAL = "edgeopt.converters.official"
BESIDE_ENTRIES = {
    *(f"edgeopt.converters.sources.{name}" for name in ("exported", "unread")),
    *(f"{_TENSORFLOW}.{name}" for name in ("export", "framework", "freezing", "older", "program")),
    *(f"{_TENSORFLOW}.{name}" for name in ("safety", "signature", "weights")),
    *(f"{_OFFICIAL}.{name}" for name in ("order", "quantizer")),
}
"""Modules that need an extra without being an entry of the registry: entries import them."""

PLUGIN = {f"edgeopt.integrations.pytest.{name}" for name in ("plugin", "fixture")}
"""Modules that only pytest imports."""

IMPORT_ALL = """
import importlib, json, pkgutil
import edgeopt
failed = {}
for module in pkgutil.walk_packages(edgeopt.__path__, "edgeopt.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        failed[module.name] = (error.name or str(error)).partition(".")[0]
print(json.dumps(failed))
"""

CONTENT = """
import json
from importlib import resources
import edgeopt
from edgeopt.targets.profile import shipped_targets
package = resources.files("edgeopt")
print(json.dumps({
    "place": edgeopt.__file__,
    "typed": (package / "py.typed").is_file(),
    "targets": shipped_targets(),
}))
"""


def entries() -> list[Entry]:
    return [*SOURCES.values(), *WRITERS.values(), *OFFICIAL.values(), *FALLBACK.values()]


def test_none_of_the_extras_is_there(core: Core, tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([n for n in {HEAVY} if find_spec(n)])"
    assert core("-c", code).stdout.strip() == "[]"


def test_every_module_imports_except_those_of_an_extra(core: Core, tmp_path: Path) -> None:
    ran = core("-c", IMPORT_ALL)
    assert ran.returncode == 0, ran.stderr
    failed = json.loads(ran.stdout)
    # The writers of TFLite import theirs on use.
    on_use = {e.path.partition(":")[0] for e in WRITERS.values()}
    extras = {e.path.partition(":")[0] for e in entries() if e.extra is not None}
    may_fail = extras - on_use | BESIDE_ENTRIES
    packages = {package for e in entries() for package in e.packages}
    assert set(failed) == may_fail | PLUGIN
    assert {failed.pop(module) for module in PLUGIN} == {"pytest"}
    assert set(failed.values()) <= packages


def test_the_wheel_holds_types_and_profiles(core: Core, tmp_path: Path, root: Path) -> None:
    ran = core("-c", CONTENT)
    content = json.loads(ran.stdout)
    assert content["typed"]
    assert content["targets"] == shipped_targets()
    assert not Path(content["place"]).is_relative_to(root / "edgeopt")


def test_a_missing_extra_is_one_line_that_names_it(core: Core, tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(b"never opened")
    ran = core("-m", "edgeopt", "convert", "model.pt2", "-o", "out")
    assert ran.returncode == 2
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "pip install 'edgeopt[torch]'" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "saved"])
def test_tensorflow_that_is_missing_is_one_line_too(core: Core, tmp_path: Path, name: str) -> None:
    (tmp_path / "model.keras").write_bytes(b"never opened")
    (tmp_path / "model.h5").write_bytes(b"never opened")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"never opened")
    ran = core("-m", "edgeopt", "convert", name, "-o", "out")
    assert ran.returncode == 2
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "pip install 'edgeopt[tensorflow]'" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_factory_that_needs_what_is_missing_says_so(core: Core, tmp_path: Path) -> None:
    for framework, extra in (("torch", "torch"), ("keras", "tensorflow")):
        (tmp_path / f"{framework}_net.py").write_text(f"import {framework}\n")
        ran = core("-m", "edgeopt", "convert", f"{framework}_net.py:make", "-o", "out")
        assert ran.returncode == 2
        assert f"pip install 'edgeopt[{extra}]'" in ran.stderr


def test_an_onnx_model_becomes_fp32_and_int8(core: Core, tmp_path: Path) -> None:
    onnx.save(convolution(), tmp_path / "net.onnx")
    images = np.random.default_rng(0).standard_normal((32, 3, 8, 8), dtype=np.float32)
    np.savez(tmp_path / "images.npz", image=images)
    ran = core(
        "-m",
        "edgeopt",
        *("convert", "net.onnx", "--precision", "fp32,int8"),
        *("--calibration", "images.npz", "-o", "out"),
    )
    assert ran.returncode == 0, ran.stderr
    manifest = json.loads((tmp_path / "out" / "net.int8.onnx.json").read_text())
    assert manifest["integer_layers"] == 1
    assert (tmp_path / "out" / "net.fp32.onnx").is_file()


def test_tflite_names_its_extra_wherever_it_is_needed(core: Core, tmp_path: Path) -> None:
    onnx.save(convolution(), tmp_path / "net.onnx")
    (tmp_path / "net.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    for arguments in (
        ("convert", "net.onnx", "--to", "onnx,tflite", "-o", "out"),
        ("benchmark", "net.tflite"),
        ("inspect", "net.tflite"),
        ("validate", "model", "net.tflite"),
    ):
        ran = core("-m", "edgeopt", *arguments)
        assert ran.returncode == 2, ran.stderr
        assert len(ran.stderr.strip().splitlines()) == 1
        assert (
            "'ai_edge_litert', which is not installed: pip install 'edgeopt[tflite]'" in ran.stderr
        )
    assert not (tmp_path / "out").exists()
    assert core("-m", "edgeopt", "inspect", "net.onnx", "--for", "tflite").returncode == 0


def test_data_and_models_are_validated(core: Core, tmp_path: Path) -> None:
    onnx.save(convolution(), tmp_path / "net.onnx")
    images = np.random.default_rng(2).standard_normal((100, 3, 8, 8), dtype=np.float32)
    np.savez(tmp_path / "images.npz", image=images)
    for arguments in (
        ("data", "images.npz", "--model", "net.onnx"),
        ("model", "net.onnx", "--reference", "net.onnx", "--evaluation", "images.npz"),
    ):
        ran = core("-m", "edgeopt", "validate", *arguments)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "Result: PASS" in ran.stdout


def test_a_store_at_a_url_names_its_extra_and_a_folder_needs_none(
    core: Core, tmp_path: Path
) -> None:
    onnx.save(convolution(), tmp_path / "net.onnx")
    save = ("-m", "edgeopt", "baseline", "save", "net.onnx", "--name", "main")
    ran = core(*save, "--store", "s3://models/baselines")
    assert ran.returncode == 2, ran.stderr
    assert "'fsspec', which is not installed: pip install 'edgeopt[store]'" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert core(*save).returncode == 0
    assert (tmp_path / ".edgeopt" / "baselines" / "names" / "main.json").is_file()


def test_an_engine_names_its_extra_and_a_kit_needs_none(core: Core, tmp_path: Path) -> None:
    onnx.save(convolution(), tmp_path / "net.onnx")
    arguments = ("-m", "edgeopt", "convert", "net.onnx", "--to", "tensorrt", "-o", "out")
    if rtx_installs_here():  # elsewhere it is a kit, too
        ran = core(*arguments, "--target", "rtx-4090")
        assert ran.returncode == 2, ran.stderr
        told = "'tensorrt_rtx', which is not installed: pip install 'edgeopt[tensorrt]'"
        assert told in ran.stderr
        assert not (tmp_path / "out").exists()
    ran = core(*arguments, "--target", "jetson-orin-nano")
    assert ran.returncode == 0, ran.stderr
    kit = tmp_path / "out" / "net.fp32.jetson-orin-nano.kit"
    assert (kit / "edgeopt_device" / "tensorrt_runner.py").is_file()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(core: Core, command: str) -> None:
    ran = core("-m", "edgeopt", *filter(None, [command]), "--help")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"Usage: edgeopt {command}")


def convolution() -> onnx.ModelProto:
    weights = np.random.default_rng(1).standard_normal((4, 3, 3, 3), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["scores"], name="conv")],
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 4, 6, 6])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
