"""Measuring over adb, by a native program.

The adb here is a stand-in, and so are the native programs: see `standins/`. What is real: the
shell, the script it runs, the files, the lock, and the models' runtimes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import edgeopt
from edgeopt.benchmarks.result import Kind
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import MeasurementError, UnsupportedError, UsageError
from edgeopt.targets.adb import AdbDevice
from edgeopt.targets.address import Address

STANDINS = Path(__file__).with_name("standins")
QUICK: dict[str, Any] = {"duration": 0.05, "processes": 2}
SERIAL = "R58M30ABCDE"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the stand-in's device is this machine, with flock and /proc"
)


@dataclass
class Phone:
    """The device: its /data/local/tmp is `folder`."""

    folder: Path
    programs: Path

    def state(self, state: str) -> None:
        (self.folder / "state").write_text(state)

    def program(self, text: str) -> Path:
        """A native program that does what a shell script says."""
        path = self.programs / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def left(self) -> list[str]:
        return [p.name for p in (self.folder / ".edgeopt").glob("*")]

    def measure(self, *artifacts: Path, **options: Any) -> Any:
        target = f"arm64@adb://{SERIAL}"
        return edgeopt.benchmark(artifacts, target=target, **{**QUICK, **options})


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Phone:
    programs = tmp_path / "programs"
    programs.mkdir()
    for standin in STANDINS.iterdir():
        place = programs / standin.name
        place.write_text(standin.read_text().replace("@PYTHON@", sys.executable))
        place.chmod(0o755)
    (programs / "bin").mkdir()
    (programs / "adb").rename(programs / "bin" / "adb")
    found = Phone(tmp_path / "device", programs)
    found.folder.mkdir()
    found.state("device")
    monkeypatch.setenv("STANDIN_DEVICE", str(found.folder))
    monkeypatch.setenv("PATH", f"{programs / 'bin'}:{os.environ['PATH']}")
    return found


def test_two_tflite_files_by_benchmark_model(phone: Phone, tflite_net: Path) -> None:
    other = tflite_net.with_name("other net.tflite")
    shutil.copy(tflite_net, other)
    other.write_bytes(other.read_bytes() + bytes(16))  # another digest
    report = phone.measure(tflite_net, other, benchmark_binary=phone.programs / "benchmark_model")
    first, second = report.measurements
    assert read_measurement(measurement_path(tflite_net, "arm64")) == first
    assert (first.kind, first.target, first.runtime.name) == (
        *(Kind.MEASURED, "arm64", "benchmark_model"),
    )
    assert first.runtime.providers == ("XNNPACK",)
    assert 0 < first.latency.min <= first.latency.p50 <= first.latency.max
    assert (first.latency.q10, first.latency.p90, first.latency.process_q10) == (None, None, ())
    assert "no times of single calls" in first.latency.absent
    assert len(first.latency.process_typical) == QUICK["processes"]
    assert first.peak_memory_bytes.value == round(25.5 * 1024 * 1024)
    assert first.idle_memory_bytes.absent == "benchmark_model does not tell it"
    assert first.accuracy.absent == "benchmark_model gives no outputs"
    assert first.machine.python is None
    assert first.machine.system == "Linux"
    assert first.machine.memory_bytes.value is not None
    assert first.before.load_average.value is not None
    assert second.artifact.endswith("other net.tflite")
    assert report.ratios[1].processes == QUICK["processes"]
    assert phone.left() == []


def test_an_onnx_file_by_perf_test_has_all_percentiles(phone: Phone, conv_net: Path) -> None:
    binary = phone.programs / "onnxruntime_perf_test"
    (found,) = phone.measure(conv_net, benchmark_binary=binary, batch=1).measurements
    latency = found.latency
    assert latency.q10 <= latency.p50 <= latency.p90
    assert latency.count == 300 * QUICK["processes"]
    assert latency.absent is None
    assert found.peak_memory_bytes.value == 36696064
    assert found.runtime.version.startswith("sha256:")


def test_the_command_line(phone: Phone, tflite_net: Path) -> None:
    binary = phone.programs / "benchmark_model"
    command = [sys.executable, "-m", "edgeopt", "benchmark", str(tflite_net), "--no-save"]
    options = ["--target", f"arm64@adb://{SERIAL}", "--benchmark-binary", str(binary)]
    ran = subprocess.run(
        [*command, *options, "--duration", "0.05", "--processes", "2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "with benchmark_model sha256:" in ran.stdout
    assert "No accuracy: benchmark_model gives no outputs." in ran.stdout


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("unauthorized", r"device unauthorized.*unlock the device and allow USB debugging"),
        ("offline", r"device offline.*plug it in again"),
        ("absent", rf"device '{SERIAL}' not found.*`adb devices` lists"),
        ("none", r"no devices/emulators found.*plug it in"),
        ("several", r"more than one device.*name one"),
        ("recovery", r"in the state 'recovery'"),
        ("full", r"No space left on device.*free some space in /data"),
    ],
)
def test_a_device_that_is_not_ready(phone: Phone, tflite_net: Path, state: str, told: str) -> None:
    phone.state(state)
    with pytest.raises(MeasurementError, match=rf"adb://{SERIAL}: .*{told}"):
        phone.measure(tflite_net, benchmark_binary=phone.programs / "benchmark_model")
    assert phone.left() == []
    assert not measurement_path(tflite_net, "arm64").exists()


def test_adb_that_is_missing(
    phone: Phone, tflite_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(phone.folder))
    with pytest.raises(MeasurementError, match="adb is not installed here"):
        phone.measure(tflite_net, benchmark_binary=phone.programs / "benchmark_model")


def test_adb_needs_a_native_program(phone: Phone, tflite_net: Path) -> None:
    with pytest.raises(UsageError, match=r"no Python.*--benchmark-binary"):
        phone.measure(tflite_net)


def test_a_device_without_python_is_not_probed(phone: Phone) -> None:
    from edgeopt.pipeline.probe import probe_device

    with pytest.raises(UnsupportedError, match=r"probing takes Python.*by hand"):
        probe_device(f"adb://{SERIAL}")


def test_the_profile_names_the_program(phone: Phone, tflite_net: Path, tmp_path: Path) -> None:
    profile = tmp_path / "phone.toml"
    profile.write_text(
        'name = "phone"\ndescription = "mine"\nlike = ["arm64"]\n'
        f'address = "adb://{SERIAL}"\nthreads = 2\n'
        f'binaries = {{ tflite = "{phone.programs / "benchmark_model"}" }}\n'
    )
    (found,) = edgeopt.benchmark([tflite_net], target=str(profile), **QUICK).measurements
    assert found.target == "phone"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo oops; exit 3", r"ended with code 3 on the device: oops"),
        ("echo hello", r"isn't what benchmark_model says: hello.*name a benchmark_model"),
        (
            "echo 'CANNOT LINK EXECUTABLE: library \"libx.so\" not found' >&2; exit 1",
            r"CANNOT LINK.*put the libraries that it needs beside it",
        ),
        ("kill -9 $$", r"ended with code 137.*may be out of memory"),
    ],
)
def test_a_program_that_fails(phone: Phone, tflite_net: Path, script: str, told: str) -> None:
    with pytest.raises(MeasurementError, match=told):
        phone.measure(tflite_net, benchmark_binary=phone.program(script))
    assert phone.left() == []


def test_a_program_for_another_processor(phone: Phone, tflite_net: Path) -> None:
    elf = b"\x7fELF\x02\x01" + bytes(12) + (62).to_bytes(2, "little")
    (phone.programs / "foreign").write_bytes(elf)
    with pytest.raises(UsageError, match=r"is built for x86_64, and arm64 is aarch64"):
        phone.measure(tflite_net, benchmark_binary=phone.programs / "foreign")


def test_what_a_native_program_cannot_do(
    phone: Phone, tflite_net: Path, conv_net: Path, tmp_path: Path
) -> None:
    binary = phone.programs / "benchmark_model"
    with pytest.raises(UsageError, match=r"one program doesn't run both tflite and onnx"):
        phone.measure(tflite_net, conv_net, benchmark_binary=binary)
    with pytest.raises(UsageError, match=r"can't be evaluated.*leave --evaluation out"):
        phone.measure(tflite_net, benchmark_binary=binary, evaluation=tmp_path / "data.npz")
    with pytest.raises(UsageError, match=r"nowhere: No such file"):
        phone.measure(tflite_net, benchmark_binary=phone.programs / "nowhere")
    with pytest.raises(UsageError, match=r"measures on a device.*--target"):
        edgeopt.benchmark([tflite_net], benchmark_binary=binary)


def _gone(process: int) -> bool:
    for _ in range(100):
        if not Path(f"/proc/{process}").exists():
            return True
        time.sleep(0.1)
    return False


def test_what_hangs_is_stopped_there_too(phone: Phone, tmp_path: Path) -> None:
    script = (Path(edgeopt.__file__).parent / "benchmarks/native/measure.sh").read_text()
    steps = {"@TOKEN@": "#t", "@PROGRAMS@": "hang", "@STEPS@": "step a ./hang"}
    for name, value in steps.items():
        script = script.replace(name, value)
    pushed = tmp_path / "pushed"
    pushed.mkdir()
    (pushed / "measure.sh").write_text(script)
    (pushed / "hang").write_text(f"#!/bin/sh\necho $$ > {phone.folder}/hanging; exec sleep 1000\n")
    with AdbDevice(Address(SERIAL, scheme="adb")) as device, device.folder() as run:
        device.push(pushed, run)
        with pytest.raises(MeasurementError, match="no result after 3 s, and it was stopped"):
            device.start(run, ["sh", "measure.sh", "me@here"], timeout=3)
        assert _gone(int((phone.folder / "hanging").read_text()))
    assert phone.left() == []


def test_the_second_is_told_who_measures(phone: Phone, tflite_net: Path) -> None:
    lock = phone.folder / "edgeopt-device.lock"
    lock.write_text("lea@laptop (process 12)")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(MeasurementError, match=r"another measurement runs.*lea@laptop"):
            phone.measure(tflite_net, benchmark_binary=phone.programs / "benchmark_model")
    assert phone.left() == []
    phone.measure(tflite_net, benchmark_binary=phone.programs / "benchmark_model")
    assert "(process " in lock.read_text()


def test_a_device_that_goes_away_is_tidied_up_at_the_next_connection(
    phone: Phone, tflite_net: Path
) -> None:
    cut = phone.program(f"echo offline > {phone.folder}/state; echo gone; exit 1")
    with pytest.raises(MeasurementError, match="device offline"):
        phone.measure(tflite_net, benchmark_binary=cut)
    assert len(phone.left()) == 1
    phone.state("device")
    phone.measure(tflite_net, benchmark_binary=phone.programs / "benchmark_model")
    assert phone.left() == []


@pytest.mark.skipif(shutil.which("adb") is None, reason="there is no adb here")
def test_the_real_adb_finds_no_such_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "15039")
    try:
        with (
            pytest.raises(MeasurementError, match=r"device 'nobody' not found.*adb devices"),
            AdbDevice(Address("nobody", scheme="adb")),
        ):
            pass
    finally:
        subprocess.run(["adb", "kill-server"], check=False)
