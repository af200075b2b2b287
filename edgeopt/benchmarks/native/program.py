"""How a native program is called and read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from edgeopt.benchmarks.artifact import Artifact
from edgeopt.benchmarks.native.answer import Said
from edgeopt.benchmarks.native.times import Process
from edgeopt.benchmarks.plan import Plan


class Arguments(Protocol):
    """A program's arguments, but for the artifact's file."""

    def __call__(self, artifact: Artifact, plan: Plan, batch: int, *, memory: bool) -> list[str]:
        """Those that time an artifact.

        Args:
            artifact: What is timed.
            plan: How.
            batch: Samples a call.
            memory: Whether its memory is watched, which may slow the calls down.
        """


class Program(NamedTuple):
    """A native program.

    Args:
        name: What it is called.
        why: Why there are no percentiles, where it gives none.
        arguments: Its arguments, but for the artifact's file.
        file_arguments: Those that name that file, from its path.
        read: What a process told; None if it isn't what the program says.
    """

    name: str
    why: str
    arguments: Arguments
    file_arguments: Callable[[str], list[str]]
    read: Callable[[Said], Process | None]
