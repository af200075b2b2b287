"""The steps before and after a conversion: is the data what it should be, does the artifact run?"""

from __future__ import annotations

from edgeopt.integrations.github import commands
from edgeopt.integrations.github.job import Job
from edgeopt.integrations.github.running import run

FAILED = 1


def validate_data(job: Job) -> int:
    """Check the data that there is."""
    return _check(job, commands.validate_data(job.inputs), "validate data", commands.DATA)


def smoke_test(job: Job) -> int:
    """Check that the artifact runs."""
    return _check(job, commands.smoke_test(job.inputs, job.candidate), "smoke test", commands.SMOKE)


def _check(job: Job, words: list[str], name: str, summary: str) -> int:
    ran = run(words, job.limit)
    told = job.folder / summary
    if ran.code == FAILED and told.is_file():
        # It has annotated the run by itself.
        job.leave(commands.FAILURE, told.read_text(encoding="utf-8"))
        return ran.code
    return job.ended(name, ran) if ran.code or ran.stopped else 0
