"""What ``edgeopt baseline`` tells."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.cli.figures import ABSENT, plural, size
from edgeopt.cli.tables import lines, table
from edgeopt.pipeline.baseline import Baseline, Change, Pruned, Saved

_SHORT = 12


def draw_saved(saved: Saved) -> str:
    """What the name points at now, and what it pointed at before."""
    baseline = saved.baseline
    what = f"@{baseline.name} in {saved.store}"
    points = f"{baseline.artifact} ({_short(baseline.sha256)}, {size(baseline.size_bytes)})"
    if saved.change is Change.UNCHANGED:
        return f"{what} is {points} already.\n"
    if saved.change is Change.REPLACED:
        assert saved.replaced is not None
        return f"{what} is {points} now; it was {_short(saved.replaced)}.\n"
    return f"{what} is {points}.\n"


def draw_first(saved: Saved) -> str:
    """The same of a gate's first run."""
    return f"Nothing to compare with yet: the candidate is the baseline now.\n{draw_saved(saved)}"


def draw_list(found: Sequence[Baseline], store: str) -> str:
    """A line for each."""
    if not found:
        return f"No baselines in {store}: `edgeopt baseline save ARTIFACT --name NAME` makes one.\n"
    rows = [
        (f"@{b.name}", b.artifact, _precision(b), _short(b.sha256), size(b.size_bytes))
        for b in found
    ]
    return table(("baseline", "artifact", "precision", "sha256", "size"), rows, left=4)


def draw_removed(baseline: Baseline) -> str:
    """What the name pointed at."""
    return (
        f"@{baseline.name} is gone; it was {baseline.artifact} ({_short(baseline.sha256)}). "
        "`edgeopt baseline prune` removes files that no name points at.\n"
    )


def draw_pruned(found: Pruned) -> str:
    """How many files are gone."""
    gone, kept = plural(len(found.removed), "file"), plural(found.kept, "file")
    return f"{gone} removed from {found.store}, {kept} kept.\n"


def draw_baseline(baseline: Baseline) -> str:
    """Everything about one."""
    facts = [
        ("artifact", baseline.artifact),
        ("sha256", baseline.sha256),
        ("format", baseline.format.value),
        ("precision", _precision(baseline)),
        ("size", size(baseline.size_bytes)),
    ]
    files = [(file.path, _short(file.sha256), size(file.size_bytes)) for file in baseline.files]
    return (
        f"@{baseline.name}: {plural(len(files), 'file')}\n\n{lines(facts)}\n"
        f"{table(('file', 'sha256', 'size'), files, left=2)}"
    )


def _precision(baseline: Baseline) -> str:
    return ABSENT if baseline.precision is None else baseline.precision.value


def _short(digest: str) -> str:
    return digest[:_SHORT]
