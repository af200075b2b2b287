"""kill -9 at any moment of a command: the same command again gives what it would have given.

Nothing is left, neither beside the artifacts nor in the folder for temporary files. Moments are
drawn at random, and each file operation has its turn; EDGEOPT_KILLS=100 tries so many of each.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX: fork and kill")

KILLS = int(os.environ.get("EDGEOPT_KILLS", "0"))

ZYGOTE = """
import json, os, signal, sys, tempfile, time
import edgeopt.pipeline.convert, edgeopt.pipeline.calibrate, edgeopt.cli.views.conversion
import edgeopt.cli.commands.convert, ai_edge_litert.interpreter
from edgeopt.cli import main

tempfile.gettempdir()  # which writes a file of its own, to see whether it can

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "tempfile.mkstemp"}

seen = 0

def die_at(number):
    def hook(event, arguments):
        global seen
        if event in CHANGES or (event == "open" and arguments[1] in ("w", "wb")):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for line in sys.stdin:
    order = json.loads(line)
    began = time.monotonic()
    count, counted = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        die_at(order["operation"])
        code = 99
        try:
            code = main(order["arguments"])
        finally:
            os.write(counted, str(seen).encode())
            os._exit(code)
    os.close(counted)
    if order["seconds"] is not None:
        time.sleep(order["seconds"])
        (os.killpg if order["group"] else os.kill)(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code, seconds = os.waitstatus_to_exitcode(status), time.monotonic() - began
    with open(count, "rb") as file:
        operations = int(file.read() or 0)
    told = {"code": code, "seconds": seconds, "operations": operations}
    print(json.dumps(told), flush=True)
"""
"""Forks for each command, so that what a command imports is there already."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and how many times it changed a folder or opened a file to write."""

    code: int
    seconds: float
    operations: int


class Zygote:
    """Runs commands whose temporary files are in a folder of the test's own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._mark = f"EDGEOPT_TEST={folder}"
        self._process = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "TMPDIR": str(self.temporary), "EDGEOPT_TEST": str(folder)},
            text=True,
        )

    def run(self, arguments: list[str], **how: Any) -> Ended:
        order = {"arguments": arguments, "seconds": None, "operation": None, "group": False}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order | how), file=self._process.stdin, flush=True)
        return Ended(**json.loads(next(line for line in self._process.stdout if line[0] == "{")))

    def orphans(self) -> list[str]:
        """The commands of processes that the killed ones started and that still run."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if self._mark.encode() in environment and folder.name != str(self._process.pid):
                found.append(command.decode(errors="replace"))
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def opened(folder: Path, environment: dict[str, str]) -> Iterator[Zygote]:
    zygote = Zygote(folder, environment)
    try:
        yield zygote
    finally:
        zygote.close()


@pytest.fixture
def zygote(tmp_path: Path, environment: dict[str, str]) -> Iterator[Zygote]:
    with opened(tmp_path, environment) as found:
        yield found


Contents = dict[str, bytes]


def contents(folder: Path) -> Contents:
    """Every file below a folder, hidden ones too."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@dataclass
class Trial:
    """A command, and what it makes when nothing comes between."""

    zygote: Zygote
    arguments: list[str]
    output: Path

    def undisturbed(self) -> tuple[Contents, Ended]:
        self.zygote.run(self.arguments)  # what is made once, such as caches of others
        ended = self.zygote.run(self.arguments)
        assert ended.code == 0
        return contents(self.output), ended

    def check_again(self, due: Contents, when: str) -> None:
        assert self.zygote.orphans() == [], when
        assert self.zygote.run(self.arguments).code == 0, when
        assert contents(self.output) == due, when
        assert [p for p in self.output.iterdir() if p.name.startswith(".")] == [], when
        assert list(self.zygote.temporary.iterdir()) == [], when


@pytest.fixture
def conversion(zygote: Zygote, conv_net: Path, conv_data: Path, tmp_path: Path) -> Trial:
    output = tmp_path / "out"
    arguments = [
        *("convert", str(conv_net), "--to", "onnx,tflite", "--precision", "fp32,int8"),
        *("--calibration", str(conv_data), "-o", str(output)),
    ]
    return Trial(zygote, arguments, output)


def test_at_random_moments(conversion: Trial) -> None:
    due, whole = conversion.undisturbed()
    seed = random.SystemRandom().randrange(1 << 32)
    draw, died = random.Random(seed), 0
    for number in range(KILLS or 4):
        seconds = draw.uniform(0, whole.seconds)
        ended = conversion.zygote.run(conversion.arguments, seconds=seconds, group=number % 2 == 0)
        died += ended.code == -9
        conversion.check_again(due, f"seed {seed}: kill {number} after {seconds:.3f} s")
    sys.stderr.write(f"{died} of {KILLS or 4} died, with seed {seed}")  # shown with -rP
    assert died > 0


def test_at_each_file_operation(conversion: Trial) -> None:
    due, whole = conversion.undisturbed()
    # Towards the end there are the renames into place, and what is removed after them.
    last = whole.operations
    for number in range(1, last + 1) if KILLS else range(last - 15, last + 1, 3):
        if number % 2:  # into an empty folder, or over what is there
            shutil.rmtree(conversion.output)
        conversion.zygote.run(conversion.arguments, operation=number)
        conversion.check_again(due, f"killed at operation {number} of {last}")
