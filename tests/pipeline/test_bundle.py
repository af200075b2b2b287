"""Bundles as they are made here, run by themselves, and taken in again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeopt.benchmarks.bundle import CONTENT, RUN, program
from edgeopt.benchmarks.result import Kind, Measurement
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import (
    DataError,
    EdgeOptError,
    MeasurementError,
    OutputError,
    UsageError,
    VerificationError,
)
from edgeopt.pipeline.bundle import bundle
from edgeopt.pipeline.convert import convert
from edgeopt.pipeline.printable import printable
from edgeopt.pipeline.results import check_outputs, import_results

QUICK: dict[str, Any] = {"duration": 0.05, "processes": 2}


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a bundle where nothing of this package can be imported."""
    # The lock of a device of its own: tests run beside one another.
    own = {"PYTHONSAFEPATH": "1", "TMPDIR": str(folder.parent)}
    environment = {**os.environ, **own, **variables}
    return subprocess.run(
        [sys.executable, str(folder / RUN), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=folder.parent,
    )


@pytest.fixture
def labelled(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "labelled.npz"
    images = rng.standard_normal((50, 3, 8, 8)).astype(np.float32)
    np.savez(path, image=images, labels=rng.integers(0, 5, 50))
    return path


@pytest.fixture
def artifacts(conv_net: Path, conv_data: Path, tmp_path: Path) -> list[Path]:
    made = convert(
        conv_net, to=["onnx", "tflite"], precision=["int8"], calibration=conv_data,
        layout="nhwc", output=tmp_path / "out",
    )  # fmt: skip
    return [Path(artifact.path) for artifact in made.artifacts]


@pytest.fixture
def net(conv_net: Path, tmp_path: Path) -> Path:
    """One artifact with its bundle in ``device/``."""
    bundle([conv_net], tmp_path / "device", **QUICK)
    return conv_net


def test_from_here_to_a_device_and_back(
    artifacts: list[Path], labelled: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "device"
    made = bundle(artifacts, folder, evaluation=labelled, samples=20, target="arm64", **QUICK)
    assert [sum(a.answers.counted) for a in made.bundle.artifacts] == [17, 17]  # every third of 50
    ran = start(folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "edgeopt benchmark" in ran.stdout
    report = import_results(folder / "result.json", artifacts)
    for path, measured in zip(artifacts, report.measurements, strict=True):
        assert read_measurement(measurement_path(path, "arm64")) == measured
        assert (measured.kind, measured.artifact) == (Kind.MEASURED, str(path))
        assert measured.verification is not None
        assert measured.verification.worst.sqnr_db is None or measured.verification.passed
        assert measured.accuracy.data is not None
        assert measured.accuracy.data.stride == 3
        assert len(measured.latency.process_q10) == 2
        assert measured.drift is not None
    assert report.ratios[1] is not None
    check_outputs(report)


def test_accuracy_is_what_it_is_here(artifacts: list[Path], labelled: Path, tmp_path: Path) -> None:
    from edgeopt.pipeline.benchmark import benchmark

    bundle(artifacts, tmp_path / "device", evaluation=labelled, **QUICK)
    assert start(tmp_path / "device").returncode == 0
    there = import_results(tmp_path / "device" / "result.json", artifacts, save=False)
    here = benchmark(artifacts, evaluation=labelled, save=False, **QUICK)
    assert [m.accuracy.values for m in there.measurements] == [
        m.accuracy.values for m in here.measurements
    ]


def test_without_data_there_are_seeded_inputs(net: Path, tmp_path: Path) -> None:
    ran = start(tmp_path / "device", "-o", str(tmp_path / "r.json"))
    assert ran.returncode == 0
    (measured,) = import_results(tmp_path / "r.json", [net], save=False).measurements
    assert measured.inputs.kind == "random"
    assert measured.accuracy.absent == "no evaluation data was given"
    assert measured.target == "device"


def test_a_batch_that_is_fixed(conv_data: Path, save_model: Callable[..., Path]) -> None:
    from onnx import TensorProto, helper

    ends = [("image", TensorProto.FLOAT, [4, 3, 8, 8]), ("y", TensorProto.FLOAT, [4, 3, 8, 8])]
    model = save_model([helper.make_node("Relu", ["image"], ["y"])], ends[:1], ends[1:])
    folder = model.parent / "device"
    made = bundle([model], folder, evaluation=conv_data, samples=10, **QUICK)
    assert made.bundle.artifacts[0].answers.counted == (4, 4, 2)
    assert start(folder).returncode == 0


def test_the_same_sources_give_the_same_program() -> None:
    assert program() == program()


def test_a_copy_that_was_cut_off_is_noticed(net: Path, tmp_path: Path) -> None:
    copied = tmp_path / "device" / net.name
    copied.write_bytes(copied.read_bytes()[:-100])
    ran = start(tmp_path / "device")
    assert ran.returncode == 2
    assert f"{net.name} is not what was bundled" in ran.stderr
    with pytest.raises(MeasurementError, match="not what was bundled"):
        import_results(tmp_path / "device" / "result.json", [net])


def test_a_runtime_that_is_missing_is_one_line(net: Path, tmp_path: Path) -> None:
    (tmp_path / "empty" / "onnxruntime").mkdir(parents=True)
    (tmp_path / "empty" / "onnxruntime" / "__init__.py").write_text("raise ImportError('none')")
    ran = start(tmp_path / "device", PYTHONPATH=str(tmp_path / "empty"))
    assert ran.returncode == 3
    assert ran.stderr.splitlines() == [
        f"Error: {net.name}: onnxruntime is not installed here: none: "
        "python3 -m pip install onnxruntime"
    ]
    with pytest.raises(MeasurementError, match="onnxruntime is not installed"):
        import_results(tmp_path / "device" / "result.json", [net])


def test_numpy_that_is_missing_is_one_line(net: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "numpy.py").write_text("raise ImportError('no numpy')")
    ran = start(tmp_path / "device", PYTHONPATH=str(tmp_path / "empty"))
    assert ran.returncode == 3
    assert ran.stderr.startswith("Error: numpy can't be imported (no numpy): ")


def test_outputs_that_differ_are_named(net: Path, tmp_path: Path) -> None:
    folder = tmp_path / "device"
    content = json.loads((folder / CONTENT).read_text())
    references = folder / content["artifacts"][0]["answers"]["references"]
    with np.load(references) as stored:
        changed = {name: -array for name, array in stored.items()}
    np.savez(references, **changed)
    from edgeopt.core.files import sha256

    content["files"][references.name] = sha256(references)
    (folder / CONTENT).write_text(json.dumps(content))
    ran = start(folder)
    assert ran.returncode == 1
    assert "output 'scores' is -6.0 dB" in ran.stdout
    report = import_results(folder / "result.json", [net])
    assert measurement_path(net, "device").is_file(), "the evidence is kept"
    with pytest.raises(VerificationError, match=r"'scores' is -6\.0 dB .*\(floor 10 dB"):
        check_outputs(report)


def test_another_artifact_is_not_given_the_result(net: Path, tflite_net: Path) -> None:
    folder = net.parent / "device"
    assert start(folder).returncode == 0
    with pytest.raises(UsageError, match="no artifact named here is that file"):
        import_results(folder / "result.json", [tflite_net])
    with pytest.raises(UsageError, match="nothing of"):
        import_results(folder / "result.json", [net, tflite_net])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", "../../etc/passwd"),
        ("target", "host"),
        ("kind", "estimated"),
        ("kind", "real"),
        ("latency", {"p50": "fast"}),
        ("extra", 1),
    ],
)
def test_hostile_results_are_refused(net: Path, field: str, value: Any) -> None:
    folder = net.parent / "device"
    assert start(folder).returncode == 0
    result = json.loads((folder / "result.json").read_text())
    result["measurements"][0][field] = value
    (folder / "result.json").write_text(json.dumps(result))
    before = sorted(net.parent.iterdir())
    with pytest.raises(EdgeOptError):
        import_results(folder / "result.json", [net])
    assert sorted(net.parent.iterdir()) == before


def test_what_a_terminal_would_obey_is_taken_out(net: Path) -> None:
    folder = net.parent / "device"
    assert start(folder).returncode == 0
    result = json.loads((folder / "result.json").read_text())
    result["measurements"][0]["machine"]["cpu"] = {"value": "\x1b[2Jfast", "absent": None}
    (folder / "result.json").write_text(json.dumps(result))
    (measured,) = import_results(folder / "result.json", [net], save=False).measurements
    assert measured.machine.cpu.value == "?[2Jfast"
    assert len(printable("x" * 10_000)) == 500


def test_what_is_no_result(net: Path, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    with pytest.raises(DataError, match=r"r\.json: not a result of a benchmark: name the result"):
        import_results(tmp_path / "r.json", [net])
    with pytest.raises(DataError, match="No such file"):
        import_results(tmp_path / "none.json", [net])
    (tmp_path / "big.json").write_bytes(b" " * (17 << 20))
    with pytest.raises(DataError, match="bytes are no result"):
        import_results(tmp_path / "big.json", [net])


def test_a_folder_that_is_no_bundle_is_left_alone(conv_net: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no bundle"):
        bundle([conv_net], folder)
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]
    bundle([conv_net], folder, force=True, **QUICK)
    assert (folder / "notes.txt").read_text() == "mine"
    bundle([conv_net], folder, **QUICK)  # its own is replaced


def test_what_fails_leaves_no_folder(conv_net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", image=np.zeros((2, 5), np.float32))
    with pytest.raises(DataError):
        bundle([conv_net], tmp_path / "device", evaluation=tmp_path / "wrong.npz")
    assert not (tmp_path / "device").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"accuracy": "metrics.py:iou"}, "no code of yours"),
        ({"samples": 0}, "samples is 0"),
        ({"target": "raspery-pi"}, "no target called"),
        ({"target": "pi@kitchen"}, "no target called 'pi@kitchen': a device is written ssh://"),
        ({"target": "arm64@ssh:kitchen"}, "'arm64@ssh:kitchen': a device is written ssh://"),
    ],
)
def test_options_that_are_refused(
    conv_net: Path, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        bundle([conv_net], tmp_path / "device", **options)


def test_two_files_of_one_name(conv_net: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / conv_net.name
    twin.write_bytes(conv_net.read_bytes())
    with pytest.raises(UsageError, match="have the same name"):
        bundle([conv_net, twin], tmp_path / "device")


def test_an_emulated_result_stays_one(net: Path) -> None:
    folder = net.parent / "device"
    assert start(folder).returncode == 0
    result = json.loads((folder / "result.json").read_text())
    result["measurements"][0]["kind"] = "emulated"
    (folder / "result.json").write_text(json.dumps(result))
    report = import_results(folder / "result.json", [net])
    saved: Measurement = read_measurement(measurement_path(net, "device"))
    assert saved.kind is Kind.EMULATED
    assert any("no real device's" in note for note in report.notes)


def test_an_emulated_result_replaces_none_of_a_device(net: Path) -> None:
    folder = net.parent / "device"
    assert start(folder).returncode == 0
    import_results(folder / "result.json", [net])
    measured = measurement_path(net, "device").read_bytes()
    result = json.loads((folder / "result.json").read_text())
    result["measurements"][0]["kind"] = "emulated"
    (folder / "result.json").write_text(json.dumps(result))
    with pytest.raises(OutputError, match="was measured on a device, and this is emulated"):
        import_results(folder / "result.json", [net])
    assert measurement_path(net, "device").read_bytes() == measured


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_an_old_python_says_that_it_is_old(net: Path, version: str) -> None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    ran = subprocess.run(
        [found[0], net.parent / "device" / RUN], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 3
    assert ran.stderr == f"Error: this is Python {version}, and 3.8 or newer is needed\n"


def test_sums_that_saturate_on_the_device_are_noted(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    made = convert(conv_net, precision=["int8"], calibration=conv_data, output=tmp_path / "out")
    artifact = Path(made.artifacts[0].path)
    bundle([artifact], tmp_path / "device", **QUICK)
    assert start(tmp_path / "device").returncode in (0, 1)
    result = tmp_path / "device" / "result.json"
    said = json.loads(result.read_text())
    notes = {}
    for isa in (["avx2"], ["avx2", "avx_vnni"], None):
        machine = said["measurements"][0]["machine"]
        machine["architecture"] = "x86_64"
        machine["isa"] = {"value": isa, "absent": None if isa else "not told"}
        result.write_text(json.dumps(said))
        report = import_results(result, [artifact], save=False)
        notes[str(isa)] = [n for n in report.notes if "saturate in the device's kernels" in n]
    assert list(map(len, notes.values())) == [1, 0, 0]


def test_a_target_s_threads_are_taken(conv_net: Path, tmp_path: Path) -> None:
    made = bundle([conv_net], tmp_path / "device", target="raspberry-pi-5", **QUICK)
    assert made.bundle.plan.threads == 4
    asked = bundle([conv_net], tmp_path / "asked", target="raspberry-pi-5", threads=1, **QUICK)
    assert asked.bundle.plan.threads == 1
