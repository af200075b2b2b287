"""Kits: what the device is given, and what it makes of it.

No device is here. TensorRT for RTX builds in its place where the building counts; a stand-in for
trtexec, which writes recorded output, where the command does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import edgeopt
from edgeopt.benchmarks.device.statistics import latency as summarized
from edgeopt.benchmarks.result import Measurement
from edgeopt.converters.tensorrt.device.results import latency
from edgeopt.core.manifest import read_manifest
from edgeopt.core.record import from_json, to_json

RECORDED = Path(__file__).with_name("recorded")
Run = Callable[..., "subprocess.CompletedProcess[str]"]

STAND_IN = """#!{python}
# A stand-in for trtexec: it builds nothing, and writes what a real one recorded.
import json, shutil, sys
options = dict(a[2:].partition("=")[::2] for a in sys.argv[1:] if a.startswith("--"))
print("&&&& RUNNING TensorRT.trtexec [TensorRT v100300] [b30] # trtexec")
if "failing" in {behaviour!r}:
    print("[11/28/2026-03:00:00] [E] Error[4]: no kernel for that"); sys.exit(1)
if "onnx" in options:
    open(options["saveEngine"], "wb").write(b"ftrt stand-in")
    nodes = {nodes!r}
    kind = "Int8" if "int8" in {behaviour!r} else "FP16"
    layer = lambda n: {{"Name": n, "LayerType": "CaskConvolution", "Outputs": [],
        "Inputs": [{{"Format/Datatype": "Row major %s format" % kind}}],
        "Metadata": "[ONNX Layer: %s]" % n}}
    json.dump({{"Layers": [layer(n) for n in nodes]}}, open(options["exportLayerInfo"], "w"))
if "exportTimes" in options:
    shutil.copyfile({times!r}, options["exportTimes"])
"""


@pytest.fixture
def kit(conv_net: Path, conv_data: Path, tmp_path: Path) -> Path:
    made = edgeopt.convert(
        conv_net, to="tensorrt", precision="int8", calibration=conv_data, effort="fast",
        target="jetson-orin-nano", output=tmp_path / "out", input=["image:float32[1..4,3,8,8]"],
    )  # fmt: skip
    return Path(made.artifacts[0].path)


@pytest.fixture
def run(kit: Path, tmp_path: Path) -> Run:
    """Run a kit's program, in a folder of the device's, with a stand-in for trtexec if asked to."""

    def run(*arguments: str, behaviour: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "EDGEOPT_TRTEXEC": str(tmp_path / "trtexec")}
        if behaviour is not None:
            nodes = ["conv1", "depthwise", "fc"]
            text = STAND_IN.format(
                python=sys.executable, behaviour=behaviour, nodes=nodes,
                times=str(RECORDED / "times.json"),
            )  # fmt: skip
            (tmp_path / "trtexec").write_text(text)
            (tmp_path / "trtexec").chmod(0o755)
        device = tmp_path / "device"
        device.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, str(kit / "run.py"), "-o", str(device), *arguments],
            env=environment, capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    return run


def test_it_holds_all_that_the_device_needs(kit: Path) -> None:
    assert {p.name for p in kit.iterdir()} == {
        "README.txt", "edgeopt_device", "edgeopt_tensorrt", "kit.json", "manifest.json",
        "model.onnx", "run.py",
    }  # fmt: skip
    order = json.loads((kit / "kit.json").read_bytes())
    assert order["profiles"] == {"image": [[1, 3, 8, 8], [1, 3, 8, 8], [4, 3, 8, 8]]}
    assert {plan["node"] for plan in order["planned"]} >= {"conv1", "depthwise"}
    assert order["modules"] == ["tensorrt"]


def test_an_engine_is_built_described_and_inspected(run: Run, tmp_path: Path) -> None:
    done = run("--module", "tensorrt_rtx", "--duration", "0")
    assert done.returncode == 0, done.stderr
    engine = tmp_path / "device" / "conv_net.int8.jetson-orin-nano.engine"
    assert done.stdout == f"{engine}: built, 3 of 3 layers integer\n"
    manifest = read_manifest(engine)
    assert manifest is not None
    assert manifest.integer_layers == 3
    assert manifest.engine is not None
    assert (manifest.engine.builder or "").startswith("tensorrt_rtx 1.")
    assert manifest.verification is not None
    assert {layer.name: layer.arithmetic for layer in edgeopt.inspect(engine).layers}[
        "conv1"
    ] == "integer"
    assert run("--module", "tensorrt_rtx", "--duration", "0").returncode == 0  # ours is replaced
    engine.write_bytes(b"somebody's")
    refused = run("--module", "tensorrt_rtx", "--duration", "0")
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert engine.read_bytes() == b"somebody's"


def test_without_tensorrt_it_says_what_to_install(run: Run, tmp_path: Path) -> None:
    done = run()
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "apt install tensorrt python3-libnvinfer" in done.stderr
    assert list((tmp_path / "device").iterdir()) == []


def test_without_a_gpu_the_engine_is_there_and_the_times_are_not(run: Run) -> None:
    done = run("--module", "tensorrt_rtx")
    assert done.returncode == 3
    assert "3 of 3 layers integer" in done.stdout
    assert len(done.stderr.splitlines()) == 1


def test_trtexec_builds_and_times(run: Run, tmp_path: Path) -> None:
    done = run(behaviour="int8")
    assert done.returncode == 0, done.stderr
    engine = tmp_path / "device" / "conv_net.int8.jetson-orin-nano.engine"
    result = Path(f"{engine}.jetson-orin-nano.benchmark.json")
    found = from_json(result.read_bytes(), Measurement, where=str(result))
    assert (found.target, found.kind.value, found.runtime.name) == (
        "jetson-orin-nano", "measured", "trtexec",
    )  # fmt: skip
    assert found.latency.p50 == 0.27832
    assert found.stages is not None
    assert found.stages.compute_ms == found.stages.end_to_end_ms == 0.27832
    assert found.load_ms is None
    assert from_json(to_json(found), Measurement, where="it") == found
    manifest = read_manifest(engine)
    assert manifest is not None
    assert manifest.engine is not None
    assert manifest.engine.builder == "trtexec 10.3.0"


def test_int8_that_became_float_is_a_failure(run: Run, tmp_path: Path) -> None:
    done = run(behaviour="float16")
    assert done.returncode == 1
    assert "0 of 3 layers integer" in done.stdout
    assert done.stderr.count("Warning: ") == 3
    names = {p.name for p in (tmp_path / "device").iterdir()}
    engine = "conv_net.int8.jetson-orin-nano.engine.failed"
    assert names == {engine, f"{engine}.json"}


def test_what_trtexec_complains_of_is_told(run: Run) -> None:
    done = run(behaviour="failing")
    assert done.returncode == 2
    assert "no kernel for that" in done.stderr


def test_the_summary_is_the_host_s(rng: np.random.Generator) -> None:
    ns = [int(each) for each in rng.lognormal(13, 0.2, 700)]
    ours = latency([each / 1e6 for each in ns])
    theirs = summarized([ns])
    for name in ("count", "mean", "stdev", "min", "max", "q10", "p50", "p90", "p99"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-9)
    assert ours["process_q10"] == pytest.approx(theirs["process_q10"])
