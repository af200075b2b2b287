"""Nothing that EdgeOpt does on this machine reaches for the internet, in whatever process.

A program that makes a socket for it is killed by the system: see tests/offline.py.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the system's filter is Linux's")

OFFLINE = Path(__file__).parents[1] / "offline.py"

WITHOUT_IPV6 = "import socket; socket.has_ipv6 = False\n"
"""tf2onnx imports requests, whose urllib3 tries at import whether ::1 can be bound."""

Offline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    """Runs Python where the internet is deadly; its temporary folder must be empty then."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_IPV6)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        ours = {"TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
        ran = subprocess.run(
            [sys.executable, OFFLINE, sys.executable, *arguments],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | ours,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        # ONNX Runtime keeps a file of its session there when it has something to report.
        left = [p.name for p in temporary.iterdir() if not p.name.startswith("torchinductor")]
        assert left == []
        return ran

    return run


def done(ran: subprocess.CompletedProcess[str]) -> bool:
    assert ran.returncode == 0, ran.stderr
    return True


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
@pytest.mark.parametrize("by", ["itself", "a child"])
def test_who_reaches_for_it_is_killed(offline: Offline, family: str, by: str) -> None:
    reach = f"import socket; socket.socket(socket.{family})"
    if by == "a child":
        reach = (
            "import os, subprocess, sys; "
            f"child = subprocess.run([sys.executable, '-c', {reach!r}]).returncode; "
            "os.kill(os.getpid(), -child)"
        )
    assert offline("-c", reach).returncode == -signal.SIGSYS


def test_what_stays_on_the_machine_is_not(offline: Offline) -> None:
    assert done(offline("-c", "import socket; socket.socketpair(); socket.socket(socket.AF_UNIX)"))


def test_a_model_is_converted_measured_and_looked_at(
    offline: Offline, conv_net: Path, conv_data: Path
) -> None:
    formats = ("--to", "onnx,tflite", "--precision", "fp32,int8")
    edgeopt = ("-m", "edgeopt")
    assert done(
        offline(*edgeopt, "convert", str(conv_net), *formats, "--calibration", str(conv_data))
    )
    made = ("out/conv_net.int8.onnx", "out/conv_net.int8.tflite")
    quickly = ("--processes", "2", "--duration", "0.1", "--evaluation", str(conv_data))
    assert done(offline(*edgeopt, "benchmark", *made, *quickly))
    for artifact in made:
        assert done(offline(*edgeopt, "inspect", artifact))


def test_an_engine_is_built(offline: Offline, conv_net: Path, tensorrt_is_here: None) -> None:
    arguments = ("--to", "tensorrt", "--target", "rtx-4090")
    assert done(offline("-m", "edgeopt", "convert", str(conv_net), *arguments))


@pytest.mark.slow
@pytest.mark.parametrize("source", ["model.pt2", "model.keras"])
def test_frameworks_do_not_either(offline: Offline, example: Path, source: str) -> None:
    assert done(offline("-m", "edgeopt", "convert", str(example / source)))
