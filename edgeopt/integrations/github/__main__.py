"""One step of the action."""

from __future__ import annotations

import contextlib
import os
import sys

from edgeopt.core.errors import EdgeOptError, OutputError
from edgeopt.integrations.github.channel import Channel
from edgeopt.integrations.github.job import failure, read_job
from edgeopt.integrations.github.steps import BEGIN, find_step
from edgeopt.reports.workflow_commands import workflow_command


def main(arguments: list[str]) -> int:
    """Run a step, and give its exit code: that of the command it stands for."""
    (name,) = arguments
    channel, job = Channel.of(os.environ), None
    try:
        job = read_job(channel, os.environ)
        return find_step(name)(job)
    except EdgeOptError as error:
        print(workflow_command("error", str(error), title=f"edgeopt: {name}"))  # noqa: T201
        if name == BEGIN:  # there may be no folder for a report, and no report will follow
            channel.summarize(failure(name, str(error)))
        elif job is not None:
            with contextlib.suppress(OutputError):
                job.failed(name, str(error))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
