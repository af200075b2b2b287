"""What ``edgeopt validate`` found."""

from __future__ import annotations

from collections.abc import Iterator

from edgeopt.cli.figures import plural, size
from edgeopt.cli.tables import table
from edgeopt.pipeline.validation.records import Level, ModelValidation, Validation
from edgeopt.reports.validation import COLUMNS, cells, noted


def draw_validation(found: Validation) -> str:
    """What was looked at, a table of the checks, why some didn't pass, and the result."""
    parts = [
        "".join(f"{line}\n" for line in _head(found)),
        table(COLUMNS, map(cells, found.findings), left=2),
        "".join(f"{f.title}: {f.level.value}: {f.why}.\n" for f in noted(found)),
        _result(found),
    ]
    return "\n".join(part for part in parts if part)


def _head(found: Validation) -> Iterator[str]:
    if isinstance(found, ModelValidation):
        yield from _model(found)
        return
    for figures in (found.data, found.evaluation):
        if figures is not None:
            record = figures.data
            labels = f" of {plural(len(figures.classes), 'class', 'es')}" if figures.classes else ""
            yield f"{record.location}: {plural(record.samples, 'sample')}{labels}"


def _model(found: ModelValidation) -> Iterator[str]:
    precision = f" {found.precision.value}" if found.precision else ""
    yield f"{found.artifact}: {found.format.value}{precision}, {size(found.size_bytes)}"
    if found.runtime is not None and found.samples is not None:
        used = plural(found.samples.used[1], "sample")
        random = found.samples.kind == "random"
        what = f"{used} of {'random numbers' if random else found.samples.location}"
        yield f"Run by {found.runtime.name} {found.runtime.version} on {what}"
    if found.operators:
        yield "Operators: " + ", ".join(f"{name} {n}" for name, n in found.operators.items())


def _result(found: Validation) -> str:
    counts = {level: sum(f.level is level for f in found.findings) for level in Level}
    told = [f"{counts[level]} {level.value}" for level in reversed(list(Level)) if counts[level]]
    return f"Result: {found.level.value.upper()} ({', '.join(told)}), {found.seconds:.1f} s.\n"
