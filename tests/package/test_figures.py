"""The page of figures is what its sources say, covers the list, and each command on it exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.beside import COMPARISONS, ROOT, comparisons

NAMES = ("figures", "goals", "kept", "reached", "tables", "page", "run")


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    with comparisons(*NAMES) as found:
        yield found


def test_the_page_is_what_its_sources_say(modules: dict[str, ModuleType]) -> None:
    page, reached = modules["page"], modules["reached"]
    assert page.PAGE.read_text(encoding="utf-8") == page.rendered(reached.read(), page.limits())


def test_every_figure_is_on_the_page_and_what_nobody_measured_says_so(
    modules: dict[str, ModuleType],
) -> None:
    page, figures = modules["page"], modules["goals"].FIGURES
    found = modules["reached"].read()
    assert not set(found.findings) - set(figures)
    assert not {figures[key].section for key in found.findings} - set(found.sections)
    text = page.PAGE.read_text(encoding="utf-8")
    for key, figure in figures.items():
        (row,) = (
            line
            for line in text.splitlines()
            if line.startswith(f"| {figure.what}") and line.endswith(f"| `{figure.command}` |")
        )
        known = key in found.findings
        assert (f"| {found.findings[key].shown}" if known else "| not measured | ? |") in row


def test_every_miss_is_explained_and_every_explanation_is_of_a_figure(
    modules: dict[str, ModuleType],
) -> None:
    page, figures = modules["page"], modules["goals"].FIGURES
    found, explained = modules["reached"].read(), page.limits()
    named = [key for limit in explained for key in limit.figures]
    assert not set(named) - set(figures)
    assert len(named) == len(set(named))
    missed = {key for key, figure in figures.items() if page.status(figure, found).name == "MISSED"}
    assert not missed - set(named)
    assert page.status(figures["start.help"], modules["reached"].Reached({}, {})).name == "UNKNOWN"


def test_every_command_exists(modules: dict[str, ModuleType]) -> None:
    for figure in modules["goals"].FIGURES.values():
        program, _, rest = figure.command.partition(" ")
        if program == "pytest":
            file, _, name = rest.partition("::")
            assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8"), figure.command
        else:
            assert (ROOT / program).is_file()
            assert rest in modules["run"].COMPARISONS, figure.command
            assert (COMPARISONS / f"{rest}.py").is_file()


def test_make_compare_runs_every_section(modules: dict[str, ModuleType]) -> None:
    sections = {figure.section for figure in modules["goals"].FIGURES.values()}
    assert set(modules["run"].COMPARISONS) == sections


def test_keys_are_unique(modules: dict[str, ModuleType]) -> None:
    goals = modules["goals"]
    assert len(goals.FIGURES) == sum(map(len, goals.CAPABILITIES.values()))


@pytest.mark.parametrize(
    ("value", "low", "high", "most", "status"),
    [
        (1.0, None, None, True, "MET"),
        (1.1, None, None, True, "MISSED"),
        (1.1, 0.9, 1.2, True, "OPEN"),
        (1.1, 1.05, 1.2, True, "MISSED"),
        (0.9, 0.8, 1.05, False, "OPEN"),
        (0.9, 0.8, 0.95, False, "MISSED"),
        (None, None, None, True, "MISSED"),
    ],
)
def test_a_goal_is_met_missed_or_open(
    modules: dict[str, ModuleType],
    value: float | None,
    low: float | None,
    high: float | None,
    most: bool,
    status: str,
) -> None:
    figures = modules["figures"]
    finding = figures.Finding("key", value, "shown", "", low, high)
    assert finding.status(figures.Goal(1.0, most)).name == status
    assert finding.status(None).name == "NONE"


def test_what_is_kept_survives(modules: dict[str, ModuleType], tmp_path: Path) -> None:
    reached, figures, kept = (modules[name] for name in ("reached", "figures", "kept"))
    origin = kept.Origin(86_400, "abc", "a processor")
    found = figures.Finding("start.help", 0.1, "0.10", "", 0.09, 0.11)
    written = reached.renewed(reached.Reached({}, {}), "help_time", [found], [origin])
    reached.write(written, tmp_path / "reached.json")
    again = reached.read(tmp_path / "reached.json")
    assert again == written
    assert (again.sections["help_time"].first, again.sections["help_time"].commits) == (
        "1970-01-02",
        ("abc",),
    )
    (tmp_path / "reached.json").write_text('{"format": "another/1"}')
    with pytest.raises(ValueError, match="another/1"):
        reached.read(tmp_path / "reached.json")
