"""One measurement at a time, whoever starts it and however it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.lock import alone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked there")

HOLD = """
import sys, time
from edgeopt.benchmarks.device.lock import alone
with alone("lea@laptop", 0, sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with (
        alone("lea@laptop", 0, path),
        pytest.raises(Failure, match="lea@laptop"),
        alone("tom", 0, path),
    ):
        pass
    with alone("tom", 0, path):
        pass


def test_the_second_waits_if_it_wants_to(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    entered = threading.Event()

    def hold() -> None:
        with alone("lea", 0, path):
            entered.set()
            time.sleep(0.5)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    with alone("tom", 30, path):
        thread.join(0.3)
        assert "tom" in Path(path).read_text()
    thread.join()


def test_it_is_free_once_its_holder_is_dead(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
        holder.wait()
    with alone("tom", 0, path):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failure), alone("tom", 0, str(tmp_path / "lock")):
        pass
    assert not (tmp_path / "elsewhere").exists()
