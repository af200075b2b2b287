"""Measuring on a device by a native program that the user names."""

from __future__ import annotations

import random
import secrets
import shlex
import shutil
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

from edgeopt.benchmarks.artifact import Artifact, files_of
from edgeopt.benchmarks.inputs import batch_size
from edgeopt.benchmarks.native import litert, perf_test
from edgeopt.benchmarks.native.answer import AFTER, BEFORE, Answer, Said
from edgeopt.benchmarks.native.program import Program
from edgeopt.benchmarks.native.report import Setting, report
from edgeopt.benchmarks.native.times import Process
from edgeopt.benchmarks.plan import Plan
from edgeopt.benchmarks.result import Kind
from edgeopt.core.errors import MeasurementError, UnsupportedError, UsageError
from edgeopt.core.files import sha256
from edgeopt.core.precision import Format
from edgeopt.core.progress import Progress
from edgeopt.core.record import to_json
from edgeopt.pipeline.runner import holder
from edgeopt.targets import Profile
from edgeopt.targets.transport import Transport

SCRIPT, ANSWER, PROGRAM = "measure.sh", "answer.txt", "program"
MOST_BYTES = 256 << 20
"""The largest answer that is read: a line for each call of five processes is some megabytes."""

_ELF = {3: "x86", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
"""``e_machine`` of an ELF file: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html."""

_HINTS = {
    "not executable": "it is built for another processor or system: name one for the device",
    "exec format": "it is built for another processor or system: name one for the device",
    "no such file": "it is built for another system, or a library is missing beside it",
    "cannot link": "put the libraries that it needs beside it: they go along",
    "shared libraries": "put the libraries that it needs beside it: they go along",
    "not found": "put the libraries that it needs beside it: they go along",
    "permission denied": "the device's folder may not execute programs",
}


PROGRAMS: dict[Format, Program] = {
    Format.TFLITE: litert.PROGRAM,
    Format.ONNX: perf_test.PROGRAM,
}
"""By the format that they run."""


class _Step(NamedTuple):
    """One process of the program."""

    name: str
    artifact: int
    memory: bool


class NativeProgram:
    """A native program that times artifacts and says so.

    Args:
        binary: The program, built for the device; libraries beside it go along.
        artifacts: What it times, of one format.
        target: What the device is called in the results.
        profile: What is known of it.
        plan: How they are timed.

    Raises:
        UsageError: If the program isn't a file, or for another processor, or can't run them.
        UnsupportedError: If there is no such program for their format.
    """

    def __init__(
        self,
        binary: Path,
        artifacts: Sequence[Artifact],
        target: str,
        profile: Profile | None,
        plan: Plan,
    ) -> None:
        self._program = _program(artifacts)
        _check_binary(binary, profile)
        self._binary, self._artifacts, self._target, self._plan = binary, artifacts, target, plan
        self._batches = [batch_size(artifact, plan.batch) for artifact in artifacts]
        self._token = f"#{secrets.token_hex(8)}"

    def pack(self, folder: Path, progress: Progress) -> None:
        """The script, the program and the artifacts, each in a folder of its own."""
        del progress
        (folder / PROGRAM).mkdir(parents=True)
        libraries = sorted(self._binary.parent.glob("*.so*"))
        for file in (self._binary, *(lib for lib in libraries if lib.is_file())):
            shutil.copy(file, folder / PROGRAM)
        for index, artifact in enumerate(self._artifacts):
            for file in files_of(artifact):
                place = folder / str(index) / file.relative_to(artifact.path.parent)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
        text = (resources.files("edgeopt.benchmarks.native") / SCRIPT).read_text(encoding="utf-8")
        text = text.replace("@TOKEN@", self._token)
        text = text.replace("@PROGRAMS@", self._called)
        text = text.replace("@STEPS@", "\n".join(map(self._line, self._steps())))
        (folder / SCRIPT).write_text(text, encoding="utf-8", newline="\n")

    def measure(self, device: Transport, run: str, folder: Path, progress: Progress) -> bytes:
        """What the program said, as a report."""
        progress(f"copying to {device.address}", 0, None)
        device.push(folder, run)
        progress(f"measuring on {device.address}", 0, None)
        code, words = device.start(run, ("sh", SCRIPT, holder()), self._patience())
        noted = device.pull(run, ANSWER, MOST_BYTES)
        if code != 0 or not noted:
            told = words.removeprefix("Error: ") or f"it ended with code {code}"
            raise MeasurementError(
                f"{device.address}: {told}", hint="mend that on the device, and measure again"
            )
        return to_json(self._report(Answer(noted, self._token), folder))

    def _report(self, answer: Answer, scratch: Path) -> object:
        found = {step: self._read(answer.said(step.name), step) for step in self._steps()}
        count = len(self._artifacts)
        # Those of a round are put back into the artifacts' order.
        rounds = [
            sorted((s for s in found if s.name.startswith(f"{p}-")), key=lambda s: s.artifact)
            for p in range(self._plan.processes)
        ]
        setting = Setting(
            target=self._target,
            kind=Kind.EMULATED if answer.emulated else Kind.MEASURED,
            machine=answer.machine(scratch),
            before=answer.conditions(scratch, BEFORE),
            after=answer.conditions(scratch, AFTER),
            plan=self._plan,
            program=self._program.name,
            version=f"sha256:{sha256(self._binary)[:12]}",
            why=self._program.why,
        )
        solos = [found[_solo(index)] for index in range(count)]
        paired = [[found[step] for step in steps] for steps in rounds]
        return report(
            setting, list(zip(self._artifacts, self._batches, strict=True)), solos, paired
        )

    def _steps(self) -> Iterator[_Step]:
        count = len(self._artifacts)
        yield from map(_solo, range(count))
        for process in range(self._plan.processes):
            order = list(range(count))
            random.Random(f"{self._plan.seed}/{process}").shuffle(order)  # noqa: S311 - an order
            for index in order:
                yield _Step(f"{process}-{index}", index, memory=False)

    def _line(self, step: _Step) -> str:
        artifact, program = self._artifacts[step.artifact], self._program
        options = program.arguments(
            artifact, self._plan, self._batches[step.artifact], memory=step.memory
        )
        path = f"./{step.artifact}/{artifact.path.name}"
        words = [*options, *program.file_arguments(path)]
        return f"step {step.name} {self._called} {shlex.join(words)}"

    @property
    def _called(self) -> str:
        return shlex.quote(f"./{PROGRAM}/{self._binary.name}")

    def _read(self, said: Said | None, step: _Step) -> Process:
        name = self._artifacts[step.artifact].name
        if said is None:
            raise MeasurementError(
                f"{name}: {self._binary.name} was not started on the device", hint="measure again"
            )
        last = next((w.strip() for w in reversed(said.words.splitlines()) if w.strip()), "")
        if said.code != 0:
            raise MeasurementError(
                f"{name}: {self._binary.name} ended with code {said.code} on the device: "
                f"{_printable(last) or 'it left no message'}",
                hint=_hint(said),
            )
        found = self._program.read(said)
        if found is None:
            raise MeasurementError(
                f"{name}: what {self._binary.name} said isn't what {self._program.name} says: "
                f"{_printable(last) or 'nothing'}",
                hint=f"name a {self._program.name}",
            )
        return found

    def _patience(self) -> float:
        return len(list(self._steps())) * self._plan.patience(1)


def _solo(index: int) -> _Step:
    return _Step(f"solo-{index}", index, memory=True)


def _program(artifacts: Sequence[Artifact]) -> Program:
    formats = list(dict.fromkeys(artifact.format for artifact in artifacts))
    if len(formats) > 1:
        raise UsageError(
            f"one program doesn't run both {' and '.join(f.value for f in formats)}",
            hint="measure them apart, each with its own --benchmark-binary",
        )
    if formats[0] not in PROGRAMS:
        raise UnsupportedError(
            f"{artifacts[0].name}: there is no benchmark binary for {formats[0].value}",
            hint="its kit times it on the device by trtexec: see the guide's page on TensorRT",
        )
    return PROGRAMS[formats[0]]


def _check_binary(binary: Path, profile: Profile | None) -> None:
    try:
        with binary.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        raise UsageError(
            f"{binary}: {error.strerror or error}",
            hint=f"name {' or '.join(p.name for p in PROGRAMS.values())}, built for the device",
        ) from error
    if not head.startswith(b"\x7fELF") or profile is None or profile.cpu is None:
        return
    order: Literal["little", "big"] = "little" if head[5] == 1 else "big"
    built = _ELF.get(int.from_bytes(head[18:20], order), "another processor")
    # A processor of 64 bits may run its forerunner's programs, too.
    forerunner = {"aarch64": "arm", "x86_64": "x86"}.get(profile.cpu.arch)
    if built not in (profile.cpu.arch, forerunner):
        raise UsageError(
            f"{binary}: is built for {built}, and {profile.name} is {profile.cpu.arch}",
            hint="name one that is built for the device",
        )


def _hint(said: Said) -> str:
    lower = said.words.lower()
    found = next((hint for told, hint in _HINTS.items() if told in lower), "")
    if said.code == 137:
        return "the device may be out of memory"
    return found or "run it there by hand and see what it says"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:300])
