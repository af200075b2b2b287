"""Ctrl-C and SIGTERM in the middle of a conversion leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")

SCRIPT = """
import signal, sys
# A test run in the background ignores SIGINT, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from edgeopt.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [(signal.SIGINT, 130, "Interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_a_signal_while_calibrating(
    conv_net: Path,
    tmp_path: Path,
    rng: np.random.Generator,
    environment: dict[str, str],
    number: signal.Signals,
    code: int,
    told: str,
) -> None:
    many = np.broadcast_to(rng.standard_normal((1, 3, 8, 8)).astype(np.float32), (200_000, 3, 8, 8))
    np.savez(tmp_path / "many.npz", image=many)
    output, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", SCRIPT, "convert", str(conv_net), "--precision", "int8"),
            *("--calibration", str(tmp_path / "many.npz"), "-o", str(output)),
        ],
        env={**environment, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until_calibrating(process, temporary)
        assert list(output.iterdir())  # its working folder
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (code, "", told)
    assert not output.exists()
    assert list(temporary.iterdir()) == []


def wait_until_calibrating(process: subprocess.Popen[str], temporary: Path) -> None:
    deadline = time.monotonic() + 60
    while not list(temporary.glob("edgeopt-*/float.onnx")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
