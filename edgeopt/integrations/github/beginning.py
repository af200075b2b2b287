"""The first step: the inputs are checked before any work, and no report of another run is left."""

from __future__ import annotations

from edgeopt.core.errors import OutputError
from edgeopt.core.refusals import reporting
from edgeopt.integrations.github import commands
from edgeopt.integrations.github.job import HELP, Job


def begin(job: Job) -> int:
    """Make the folder of reports, without what an earlier use of the action left in it."""
    _ = job.limit
    commands.validate_data(job.inputs)
    commands.convert(job.inputs)
    commands.compare(job.inputs, job.inputs.candidate, saves=False)
    if job.folder.exists() and not job.folder.is_dir():
        raise OutputError(f"{job.folder} is a file", hint=HELP)
    with reporting(job.folder, HELP):
        job.folder.mkdir(parents=True, exist_ok=True)
        for name in commands.FILES:
            (job.folder / name).unlink(missing_ok=True)
    return 0
