"""The last step: the job's summary, and the text of a comment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgeopt.integrations.github.commands import COMMENT, FAILURE, SUMMARY
from edgeopt.integrations.github.job import Job

MOST = 60_000
"""Characters of a comment; GitHub refuses more than 65,536."""

_UNUSUAL = re.compile(r"[^A-Za-z0-9._ -]")
_NOTHING = "### ❌ nothing was compared\n\n**A step before it failed: see the log.**\n"


def report(job: Job) -> int:
    """Say what came of it, whatever did."""
    text = _text(job)
    job.channel.summarize(text)
    comment = _comment(job, text)
    job.leave(COMMENT, comment)
    job.channel.output("comment", comment)
    job.channel.output("report", str(job.folder))
    job.channel.output("verdict", job.environment.get("VERDICT") or "error")
    return 0


def _text(job: Job) -> str:
    """The comparison, or else what failed."""
    for name in (SUMMARY, FAILURE):
        path = job.folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return _NOTHING


def _comment(job: Job, text: str) -> str:
    """The same, with a mark by which it is found again, and the way to the run."""
    shown = text if len(text) <= MOST else f"{text[:MOST]}\n\n(cut: the rest is in the report)\n"
    run = _run(job.environment)
    return f"{mark(job.inputs.artifact)}\n{shown}{run}"


def mark(artifact: str) -> str:
    """What a comment begins with, unseen; no name ends it before its time."""
    return f"<!-- edgeopt: {_UNUSUAL.sub('?', artifact)} -->"


def _run(environment: Mapping[str, str]) -> str:
    names = "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"
    server, repository, number = (environment.get(name, "") for name in names)
    if not (server and repository and number):
        return ""
    return f"\n[The run]({server}/{repository}/actions/runs/{number}), with its report\n"
