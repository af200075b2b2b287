"""What a killed process leaves is removed, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeopt.core.errors import OutputError
from edgeopt.core.files import write_bytes
from edgeopt.core.scratch import part_file, scratch_folder, sweep

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such locks")

HOLDING = """
import sys
from pathlib import Path
from edgeopt.core.scratch import part_file, scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder, part_file(Path(sys.argv[1])):
    (folder / "file").write_text("mine")
    print(folder, flush=True)
    sys.stdin.read()
"""

Hold = Callable[[], subprocess.Popen[str]]


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process with a folder and a file of its own there."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_gone_afterwards_whatever_happens(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "file").write_text("x")
        assert len(names(tmp_path)) == 2
    with pytest.raises(KeyError), scratch_folder(tmp_path) as folder:
        raise KeyError
    assert names(tmp_path) == []


def test_what_a_living_process_has_stays_and_what_a_dead_one_had_goes(tmp_path: Path) -> None:
    living, dead = holder(tmp_path), holder(tmp_path)
    with scratch_folder(tmp_path) as mine:
        assert len(names(tmp_path)) == 8  # each a folder with its lock, and two a file
        dead.send_signal(signal.SIGKILL)
        dead.communicate()
        write_bytes(tmp_path / "a.json", b"{}")
        assert len(names(tmp_path)) == 8  # the dead one's file is gone, its folder isn't
        with scratch_folder(tmp_path) as other:
            assert len(names(tmp_path)) == 8
            assert mine.exists()
            assert other.exists()
    assert len(names(tmp_path)) == 4
    living.communicate()
    assert names(tmp_path) == ["a.json"]


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    kept = ["edgeopt-examples", "edgeopt-abcd-efgh", ".edgeopt-12345678.part", "a.alive", "b.part"]
    for name in kept:
        (tmp_path / name).mkdir()
    with scratch_folder(tmp_path) as folder:
        machine = folder.name.split("-")[1]
    (tmp_path / f"edgeopt-{machine}-abcdefgh").mkdir()  # without a lock
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / f"edgeopt-{machine}-aaaaaaaa").symlink_to(tmp_path / "elsewhere")
    (tmp_path / f"edgeopt-{machine}-aaaaaaaa.alive").touch()
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before
    assert (tmp_path / "elsewhere" / "file").exists()


def test_another_machines_go_after_a_day(tmp_path: Path) -> None:
    left = tmp_path / ".edgeopt-0000-abcdefgh.part"
    left.touch()
    (tmp_path / ".edgeopt-0001-abcdefgh.part").touch()
    sweep(tmp_path)
    assert left.exists()
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    sweep(tmp_path)
    assert names(tmp_path) == [".edgeopt-0001-abcdefgh.part"]


def test_a_file_that_gets_its_name_keeps_it(tmp_path: Path) -> None:
    with part_file(tmp_path) as (handle, path):
        os.write(handle, b"x")
        os.close(handle)
        sweep(tmp_path)
        path.replace(tmp_path / "named")
    assert names(tmp_path) == ["named"]


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((OutputError, OSError)), scratch_folder(tmp_path / "file"):
        pass
    sweep(tmp_path / "nowhere")
