"""The step that makes the candidate."""

from __future__ import annotations

import msgspec

from edgeopt.cli.views.conversion import draw_conversion
from edgeopt.core.errors import UsageError
from edgeopt.core.printable import shown_record
from edgeopt.integrations.github import commands
from edgeopt.integrations.github.job import Job
from edgeopt.integrations.github.running import run
from edgeopt.pipeline.convert import ConvertResult


def convert(job: Job) -> int:
    """Make the candidate."""
    made = job.folder / commands.CONVERSION
    ran = run(commands.convert(job.inputs), job.limit, stdout=made)
    if ran.code or ran.stopped:
        return job.ended("convert", ran)
    result = msgspec.json.decode(made.read_bytes(), type=ConvertResult)
    print(draw_conversion(shown_record(result)), flush=True)  # noqa: T201 - the log of a run
    if len(result.artifacts) != 1:
        raise UsageError(
            f"convert made {len(result.artifacts)} artifacts, and one is compared",
            hint="name one format and one precision, and use the action once for each",
        )
    job.channel.output("candidate", result.artifacts[0].path)
    return 0
