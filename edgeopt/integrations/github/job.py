"""One step's surroundings, and what it leaves for the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeopt.core.errors import UsageError
from edgeopt.core.refusals import reporting
from edgeopt.integrations.github.channel import Channel
from edgeopt.integrations.github.commands import FAILURE
from edgeopt.integrations.github.event import Event, read_event
from edgeopt.integrations.github.inputs import Inputs, read_inputs, seconds
from edgeopt.integrations.github.running import Ran
from edgeopt.reports.markdown import plain
from edgeopt.reports.workflow_commands import workflow_command

HELP = "name another folder with the input report"
TIME_IS_UP = 3


@dataclass(frozen=True)
class Job:
    """A step's surroundings.

    Args:
        inputs: The action's.
        event: What started the workflow.
        channel: Where results go.
        environment: The step's variables.
    """

    inputs: Inputs
    event: Event
    channel: Channel
    environment: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the reports go."""
        return self.inputs.folder

    @property
    def limit(self) -> float:
        """Seconds after which a step is stopped.

        Raises:
            UsageError: If the input is none.
        """
        return seconds("timeout", self.inputs.timeout)

    @property
    def candidate(self) -> str:
        """The artifact, which an earlier step may have made.

        Raises:
            UsageError: If there is none.
        """
        if not (found := self.environment.get("CANDIDATE", "")):
            raise UsageError("there is no artifact", hint="the step before made none: see its log")
        return found

    def ended(self, name: str, ran: Ran) -> int:
        """Tell of a command that didn't do what it should, and give the step's exit code."""
        why = ran.error or f"it ended with exit code {ran.code}: see its log"
        if ran.stopped:
            why = (
                f"it was stopped after {self.inputs.timeout} s: give it more with the input timeout"
            )
        print(workflow_command("error", why, title=f"edgeopt: {name}"), flush=True)  # noqa: T201
        self.failed(name, why)
        return TIME_IS_UP if ran.stopped else ran.code

    def failed(self, name: str, why: str) -> None:
        """Leave a reason for the report."""
        self.leave(FAILURE, failure(name, why))

    def leave(self, name: str, text: str) -> None:
        """Write a file of the report."""
        with reporting(self.folder, HELP):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8", newline="\n")


def failure(name: str, why: str) -> str:
    """A step that failed, as Markdown."""
    return f"### ❌ {name} failed\n\n**{plain(why)}**\n"


def read_job(channel: Channel, environment: Mapping[str, str]) -> Job:
    """What the runner says.

    Raises:
        UsageError: If an input isn't what it must be.
    """
    inputs = read_inputs(environment.get("INPUTS", ""))
    return Job(inputs, read_event(environment), channel, environment)
