"""The step that makes the candidate the baseline."""

from __future__ import annotations

import msgspec

from edgeopt.integrations.github import commands
from edgeopt.integrations.github.job import Job
from edgeopt.integrations.github.running import run
from edgeopt.pipeline.baseline import Change, Saved


def save(job: Job) -> int:
    """Save the candidate as the baseline: ``action.yml`` asks for it where it takes over."""
    said = job.folder / commands.SAVED
    ran = run(commands.save(job.inputs, job.candidate), job.limit, stdout=said)
    if ran.code or ran.stopped:
        return job.ended("saving the baseline", ran)
    change = msgspec.json.decode(said.read_bytes(), type=Saved).change
    first = job.environment.get("VERDICT") == "saved"
    job.channel.output("saved", str(first or change is not Change.UNCHANGED).lower())
    return 0 if "://" in job.inputs.store else _prune(job)


def _prune(job: Job) -> int:
    ran = run(commands.prune(job.inputs), job.limit, stdout=job.folder / commands.PRUNED)
    return job.ended("pruning the baselines", ran) if ran.code or ran.stopped else 0
