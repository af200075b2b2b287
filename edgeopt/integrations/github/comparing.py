"""The step that judges: what became of ``edgeopt compare``, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edgeopt.benchmarks.gate.verdict import Comparison
from edgeopt.cli.views.comparison import draw_comparison
from edgeopt.core.errors import MissingBaselineError, UsageError
from edgeopt.core.printable import shown_record
from edgeopt.core.refusals import reporting
from edgeopt.integrations.github import commands
from edgeopt.integrations.github.job import TIME_IS_UP, Job
from edgeopt.integrations.github.running import Ran, run
from edgeopt.pipeline.baseline import Saved
from edgeopt.reports.markdown import plain
from edgeopt.reports.workflow_commands import workflow_command


@dataclass(frozen=True)
class Outcome:
    """How it ended.

    Args:
        verdict: One of a comparison's; ``saved`` of the first baseline; ``missing`` where there is
            none yet; or ``error``.
        code: The step's exit code.
    """

    verdict: str
    code: int


def compare(job: Job) -> int:
    """Compare the candidate with the baseline; say whether it takes its place."""
    accepts = job.inputs.accept == "true"
    if accepts and not job.event.accepts:
        raise UsageError(
            "the input accept is for the default branch", hint="start the workflow there, by hand"
        )
    history = Path(job.inputs.history)
    with reporting(history.parent, "name another file with the input history"):
        history.parent.mkdir(parents=True, exist_ok=True)
    words = commands.compare(job.inputs, job.candidate, saves=job.event.saves or accepts)
    outcome = _outcome(job, run(words, job.limit, stdout=job.folder / commands.COMPARISON))
    job.channel.output("verdict", outcome.verdict)
    accepted = accepts and outcome.code in (1, 3)
    takes_over = accepted or (outcome.code == 0 and (job.event.saves or accepts))
    job.channel.output("takes-over", str(takes_over).lower())
    # Of pull requests the line is drawn and then forgotten: they may never be merged.
    recorded = job.event.saves and history.is_file()
    job.channel.output("recorded", str(recorded).lower())
    if accepted:
        _say("warning", "it becomes the baseline all the same: accept is true", outcome.verdict)
    return 0 if accepted else outcome.code


def _outcome(job: Job, ran: Ran) -> Outcome:
    if ran.stopped:
        return Outcome("inconclusive", job.ended("compare", ran))
    try:
        said = msgspec.json.decode((job.folder / commands.COMPARISON).read_bytes())
        schema = said.get("schema")
    except (msgspec.DecodeError, AttributeError):
        return Outcome("error", job.ended("compare", ran) or TIME_IS_UP)
    if schema == Comparison.__struct_defaults__[-1]:
        print(draw_comparison(shown_record(msgspec.convert(said, Comparison))), flush=True)  # noqa: T201
        return Outcome(str(said["verdict"]), ran.code)
    if schema == Saved.__struct_defaults__[-1]:
        return _first(job)
    return _refused(job, ran, said.get("error", {}))


def _first(job: Job) -> Outcome:
    told = f"it is the first baseline {job.inputs.baseline}, with which others will be compared"
    _leave(job, "✅ saved", told)
    _say("notice", told, "saved")
    return Outcome("saved", 0)


def _refused(job: Job, ran: Ran, error: dict[str, Any]) -> Outcome:
    if error.get("type") == MissingBaselineError.__name__ and job.inputs.if_missing == "warn":
        told = (
            f"{ran.error}. Nothing was compared; a push to the default branch saves the first one"
        )
        _leave(job, "⚠️ missing", told)
        _say("warning", told, "no baseline")
        return Outcome("missing", 0)
    code = job.ended("compare", ran)
    return Outcome("inconclusive" if code == TIME_IS_UP else "error", code)


def _leave(job: Job, head: str, told: str) -> None:
    job.leave(commands.SUMMARY, f"### {head}: {plain(job.candidate)}\n\n**{plain(told)}**\n")


def _say(kind: str, message: str, title: str) -> None:
    print(workflow_command(kind, message, title=title), flush=True)  # noqa: T201
