"""The documentation's page of figures, ``docs/figures.md``, made of three files, never by hand.

``goals`` says what was asked for, ``reached.json`` what was reached, and ``explained.toml`` why
a goal was missed.

    .venv/bin/python comparisons/page.py      # write the page again from what is kept
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pages
import reached
from figures import Figure, Finding, Kind, Status, spaced
from goals import CAPABILITIES, FIGURES
from kept import Origin
from reached import Reached, Source
from tables import table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "figures.md"
EXPLAINED = Path(__file__).resolve().parent / "explained.toml"
HEAD = ("figure", "goal", "reached", "met", "beside it", "command")
WORDS = {
    Status.MET: "yes", Status.OPEN: "*open*", Status.MISSED: "**no**", Status.NONE: "",
    Status.UNKNOWN: "?",
}  # fmt: skip
UNKNOWN = Finding("", None, "not measured")

INTRODUCTION = Path(__file__).resolve().parent / "page.md"
"""What stands before the tables."""


@dataclass(frozen=True)
class Limit:
    """Why goals are missed.

    Args:
        figures: Their keys.
        why: A sentence or two of Markdown.
    """

    figures: tuple[str, ...]
    why: str


def main() -> None:
    """Write the page from what is kept."""
    PAGE.write_text(rendered(reached.read(), limits()), encoding="utf-8")


def renew(
    section: str, lines: Sequence[str], found: Iterable[Finding], used: Iterable[Origin]
) -> None:
    """Put a section's new findings and tables into the documentation.

    Args:
        section: Its name.
        lines: Its tables, as Markdown.
        found: Its findings.
        used: What they were made of.
    """
    used = list(used)
    reached.write(reached.renewed(reached.read(), section, found, used))
    main()
    pages.renew(section, [*lines, "", _when(reached.source(used))])


def limits(path: Path = EXPLAINED) -> list[Limit]:
    """What ``explained.toml`` says, worst first."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return [Limit(tuple(each["figures"]), each["why"].strip()) for each in content["limit"]]


def rendered(found: Reached, explained: Iterable[Limit]) -> str:
    """The page."""
    explained = list(explained)
    lines = [
        INTRODUCTION.read_text(encoding="utf-8"),
        *_sources(found),
        "",
        *_sums(found),
        "",
        "## Missed, worst first",
        "",
    ]
    lines += [*_missed(found, explained)]
    for capability, figures in CAPABILITIES.items():
        rows = (_row(figure, found) for figure in figures)
        lines += ["", f"## {capability}", "", *table(HEAD, rows)]
    return "\n".join(lines) + "\n"


def status(figure: Figure, found: Reached) -> Status:
    """Whether a figure's goal is reached."""
    if figure.key not in found.findings:
        return Status.UNKNOWN
    return found.findings[figure.key].status(figure.goal)


def _sources(found: Reached) -> Iterator[str]:
    """The machine, days, commits and versions, and which comparisons are of each."""
    yield "## Where they come from"
    yield ""
    for machine in dict.fromkeys(source.machine for source in found.sections.values()):
        there = {name: each for name, each in found.sections.items() if each.machine == machine}
        versions = {n: v for source in there.values() for n, v in source.software.items()}
        yield f"**{machine}**: {', '.join(f'{name} {v}' for name, v in versions.items())}."
        yield ""
        groups: dict[tuple[str, str], list[str]] = {}
        for name, source in there.items():
            groups.setdefault(_place(source), []).append(name)
        head = ("measured", "EdgeOpt at commit", "comparisons")
        yield from table(head, ((*place, ", ".join(names)) for place, names in groups.items()))


def _when(source: Source) -> str:
    """A line on what a table is of."""
    days, commits = _place(source)
    return f"*{source.machine}; {days}; EdgeOpt at {commits}.*"


def _place(source: Source) -> tuple[str, str]:
    """Days and commits."""
    days = source.first if source.first == source.last else f"{source.first} to {source.last}"
    return days, ", ".join(source.commits)


def _sums(found: Reached) -> Iterator[str]:
    counts = Counter(status(figure, found) for figure in FIGURES.values())
    unknown = counts[Status.UNKNOWN]
    yield (
        f"{len(FIGURES)} figures: {counts[Status.MET]} goals met, {counts[Status.OPEN]} open, "
        f"{counts[Status.MISSED]} missed, {counts[Status.NONE]} without a goal"
        + (f", {unknown} not measured." if unknown else ".")
    )


def _missed(found: Reached, explained: Iterable[Limit]) -> Iterator[str]:
    """A row for each reason whose figures aren't met, and for what nobody has explained."""
    lacking = {
        key: figure
        for key, figure in FIGURES.items()
        if status(figure, found) in (Status.MISSED, Status.OPEN)
    }
    rows = []
    for limit in explained:
        names = [key for key in limit.figures if key in lacking]
        rows += [_reason([lacking.pop(key) for key in names], found, limit.why)] if names else []
    rows += [_reason([figure], found, "Not looked into.") for figure in lacking.values()]
    yield from table(("figure", "goal", "reached", "why"), rows) if rows else ["None."]


def _reason(figures: list[Figure], found: Reached, why: str) -> list[str]:
    goals = dict.fromkeys(str(figure.goal) for figure in figures)
    shown = (_shown(figure, found.findings.get(figure.key, UNKNOWN)) for figure in figures)
    return [
        "<br>".join(figure.what for figure in figures),
        "<br>".join(goals),
        "<br>".join(shown),
        " ".join(why.split()),
    ]


def _row(figure: Figure, found: Reached) -> list[str]:
    finding = found.findings.get(figure.key, UNKNOWN)
    kind = "" if figure.kind is Kind.MEASURED else f" ({figure.kind.value})"
    return [
        f"{figure.what}{kind}",
        "" if figure.goal is None else str(figure.goal),
        _shown(figure, finding),
        WORDS[status(figure, found)],
        finding.peer,
        f"`{figure.command}`",
    ]


def _shown(figure: Figure, finding: Finding) -> str:
    unit = figure.goal.unit if figure.goal and finding.value is not None else ""
    return f"{finding.shown}{spaced(unit)}"


if __name__ == "__main__":
    main()
