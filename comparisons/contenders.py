"""One side of a comparison: a command that turns a float model and samples into an artifact."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from environments import OURS, python, versions
from kept import cpu, digest
from processes import Run, run_on_one_core

HERE = Path(__file__).resolve().parent
MADE = HERE / ".cache" / "made"
UNFINISHED = "unfinished"
"""The file beside an artifact that is still being made."""


@dataclass(frozen=True)
class Task:
    """What all sides of a comparison are given.

    Args:
        name: Its name.
        model: The float model.
        calibration: Samples to calibrate on.
        held_out: Samples to judge on.
        harder: More of them, judged apart.
    """

    name: str
    model: Path
    calibration: Path
    held_out: Path
    harder: Path | None = None


@dataclass(frozen=True)
class Contender:
    """A tool at one setting.

    Args:
        name: How the table calls it.
        command: Its words, apart by spaces. ``{model}``, ``{calibration}``, ``{held_out}`` and
            ``{out}``, a folder that is new each time, stand for paths; ``{peers}`` for the drivers'
            folder. The first word is ``edgeopt`` or ``python``, of its environment.
        environment: The peer's name, or ``edgeopt``.
    """

    name: str
    command: str
    environment: str = OURS

    @property
    def ours(self) -> bool:
        """Whether it is EdgeOpt."""
        return self.environment == OURS

    def words(self, task: Task) -> list[str]:
        """The command to run.

        Raises:
            EnvironmentUnavailableError: If its environment can't be made.
        """
        paths = {
            "model": task.model,
            "calibration": task.calibration,
            "held_out": task.held_out,
            "out": self.folder(task),
            "peers": HERE / "peers",
            "here": HERE,
        }
        program, *rest = (word.format_map(paths) for word in self.command.split())
        interpreter = str(python(self.environment))
        return [interpreter, *(["-m", "edgeopt"] if program == "edgeopt" else []), *rest]

    def shown(self, task: Task) -> str:
        """The command as a reader may repeat it, from the repository's folder."""
        names = {
            "model": task.model.name,
            "calibration": task.calibration.name,
            "held_out": task.held_out.name,
            "out": "out",
            "peers": "comparisons/peers",
            "here": "comparisons",
            "count": "N",
        }
        text = self.command.format_map(names)
        return text if self.ours else f"comparisons/.cache/{self.environment}/bin/{text}"

    def folder(self, task: Task) -> Path:
        """Where it writes."""
        plain = "".join(letter if letter.isalnum() else "-" for letter in self.name.lower())
        return MADE / task.name / plain

    def depends(self, task: Task) -> dict[str, str]:
        """What its results depend on."""
        words = [word for word in self.command.split() if word.startswith("{peers}")]
        drivers = [HERE / w.format(peers="peers") for w in words if w.endswith(".py")]
        return {
            "command": self.command,
            "versions": versions(self.environment),
            "driver": digest(*drivers, HERE / "peers" / "samples.py"),
            "model": digest(task.model),
            "calibration": digest(task.calibration),
            "machine": cpu(),
        }


def artifact(contender: Contender, task: Task) -> Path:
    """The model that a contender made; made now if it isn't there.

    Raises:
        EnvironmentUnavailableError: If its environment can't be made.
        ProcessFailedError: If it fails.
    """
    folder = contender.folder(task)
    if (folder / UNFINISHED).exists() or not any(folder.glob("*.onnx")):
        produce(contender, task)
    (made,) = folder.glob("*.onnx")
    return made


def produce(contender: Contender, task: Task) -> Run:
    """Run a contender in a folder that is new; what an interrupted run leaves there is marked.

    Raises:
        EnvironmentUnavailableError: If its environment can't be made.
        ProcessFailedError: If it fails.
    """
    folder, words = contender.folder(task), contender.words(task)
    fresh(folder)
    (folder / UNFINISHED).touch()
    run = run_on_one_core(words)
    (folder / UNFINISHED).unlink()
    return run


def fresh(folder: Path) -> None:
    """Empty a folder, so that nobody can reuse what was made before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
