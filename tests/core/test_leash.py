"""What a killed process had started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeopt.core.leash import run_leashed

STARTER = """
import sys
from pathlib import Path
from edgeopt.core.leash import run_leashed
run_leashed(Path(sys.argv[1]), sys.argv[2:], 60)
"""


def test_a_program_is_run_with_its_arguments(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys\nprint(sys.argv[1:])\nsys.stderr.write('x')\nsys.exit(3)")
    ran = run_leashed(program, ["a b", "-c"], 60)
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (3, [b"['a", b"b',", b"'-c']"], b"x")


def test_one_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import time\ntime.sleep(60)")
    with pytest.raises(subprocess.TimeoutExpired):
        run_leashed(program, [], 0.5)


@pytest.mark.skipif(os.name != "posix", reason="POSIX: kill")
def test_it_ends_with_its_starter(tmp_path: Path) -> None:
    program, told = tmp_path / "program.py", tmp_path / "told"
    program.write_text(
        "import os, sys, time\n"
        "with open(sys.argv[1] + '.part', 'w') as file:\n    file.write(str(os.getpid()))\n"
        "os.rename(sys.argv[1] + '.part', sys.argv[1])\n"
        "time.sleep(60)"
    )
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(program), str(told)], env={**os.environ, **path}
    )
    until(told.exists)
    child = int(told.read_text())
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    until(lambda: not running(child))


def running(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may be there to wait for it


def until(condition: object) -> None:
    deadline = time.monotonic() + 30
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
