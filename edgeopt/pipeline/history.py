"""A history of comparisons: what each adds to it, and what all of them add up to."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edgeopt.benchmarks.gate.budgets import read_share
from edgeopt.benchmarks.gate.chain import Drift
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict, worst
from edgeopt.benchmarks.history.drift import drift
from edgeopt.benchmarks.history.entry import Entry, entry_of
from edgeopt.benchmarks.history.file import add, read
from edgeopt.benchmarks.history.levels import last_chain
from edgeopt.core.errors import UsageError
from edgeopt.core.record import Record

COMMITS = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Environment variables that name a commit: GitHub's and GitLab's."""

_SHORT = 9


class History(Record, frozen=True):
    """A history and what it adds up to.

    Args:
        entries: The comparisons, the oldest first.
        drift: Of the chain that the last of them belongs to; None if all of them were unfit.
    """

    entries: tuple[Entry, ...]
    drift: Drift | None


def record(
    found: Comparison,
    history: str | Path,
    *,
    label: str | None = None,
    max_drift: str | float | None = None,
) -> Comparison:
    """Add a comparison to a history, and look at what has come together.

    Args:
        found: The comparison.
        history: A file of JSON lines; made if it isn't there.
        label: What it is to be known by; if None the commit that GitHub or GitLab runs for, or "".
        max_drift: How much slower than the chain's first baseline the candidate may be, as ``10%``
            or 0.1; it is a regression where even the lower end of the interval is above that.

    Returns:
        The comparison with its drift, and with the check on it.

    Raises:
        UsageError: If the file is no history, or ``max_drift`` isn't allowed.
        OutputError: If it can't be written.
    """
    allowed = None if max_drift is None else read_share(max_drift, "--max-drift")
    path = Path(history)
    entries = read(path)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    entry = entry_of(found, commit() if label is None else label, at)
    add(path, entry)
    far = _drift([*entries, entry])
    checks = found.checks if allowed is None else (*found.checks, _check(far, allowed))
    return msgspec.structs.replace(
        found, drift=far, checks=checks, verdict=worst(check.verdict for check in checks)
    )


def show(history: str | Path) -> History:
    """Read a history.

    Args:
        history: The file.

    Raises:
        UsageError: If it isn't there, is empty, or no history.
    """
    path = Path(history)
    entries = read(path)
    if not entries:
        why = "it is empty" if path.exists() else "there is no such file"
        raise UsageError(
            f"{path}: {why}", hint="`edgeopt compare ... --history FILE` adds to one, and makes it"
        )
    return History(tuple(entries), _drift(entries))


def check_history(history: str | Path, max_drift: str | float | None = None) -> None:
    """Refuse what could be recorded in no history, before anything is measured for it.

    Raises:
        UsageError: If it is there and no history, or its folder isn't there.
    """
    if max_drift is not None:
        read_share(max_drift, "--max-drift")
    path = Path(history)
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}", hint="make it first")
    read(path)


def commit() -> str:
    """The beginning of the commit that CI runs for; "" elsewhere."""
    return next((os.environ[name][:_SHORT] for name in COMMITS if os.environ.get(name)), "")


def _drift(entries: list[Entry]) -> Drift | None:
    chain = last_chain(entries)
    return drift(chain) if chain else None


def _check(found: Drift | None, allowed: float) -> Check:
    if found is None:
        why = "nothing has been measured yet on a machine that was fit for it"
        return Check(
            name="drift", verdict=Verdict.INCONCLUSIVE, budget=_said(allowed), unit="ms", why=why
        )
    over = found.change.low > 1 + allowed
    count = len(found.levels)
    return Check(
        name="drift", verdict=Verdict.REGRESSION if over else Verdict.PASS, budget=_said(allowed),
        unit="ms", change=found.change,
        why=f"{count} comparisons add up to more than is allowed" if over else "",
    )  # fmt: skip


def _said(allowed: float) -> str:
    return f"{100 * allowed:g}%"
