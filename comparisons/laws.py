"""What tests of ours hold, run once more."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from environments import OURS, versions
from figures import Figure, Finding
from goals import FIGURES
from kept import Kept, cpu, digest
from tables import table

ROOT = Path(__file__).resolve().parents[1]
HELD, FAILED = "holds", "fails"


def main(assets: Path) -> list[str]:  # noqa: ARG001 - every comparison is called alike
    """Run the tests, and give the lines of a Markdown table."""
    found = results()
    return table(("what", "test", ""), ((f.what, f.command, found[f.key]) for f in wanted()))


def figures(assets: Path) -> Iterator[Finding]:  # noqa: ARG001 - likewise
    """What was reached."""
    for key, outcome in results().items():
        yield Finding(key, float(outcome == HELD), outcome)


def wanted() -> list[Figure]:
    """The figures that tests hold."""
    return [figure for figure in FIGURES.values() if figure.section == "laws"]


def results() -> dict[str, str]:
    """Of each figure whether its test passes; tests that were kept aren't run again."""
    kept = Kept("laws")
    lacking = [figure for figure in wanted() if kept.get(figure.key, _depends(figure)) is None]
    for figure, outcome in zip(lacking, _ran([_test(figure) for figure in lacking]), strict=True):
        kept.put(figure.key, _depends(figure), outcome)
    return {figure.key: kept.get(figure.key, _depends(figure)) for figure in wanted()}


def _test(figure: Figure) -> str:
    return figure.command.removeprefix("pytest ")


def _depends(figure: Figure) -> dict[str, str]:
    file = ROOT / _test(figure).partition("::")[0]
    return {"versions": versions(OURS), "test": digest(file), "machine": cpu()}


def _ran(tests: Sequence[str]) -> Iterator[str]:
    """Whether each passes: all of its cases, none of them skipped."""
    if not tests:
        return
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *tests]
        subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
        cases = list(ElementTree.parse(report).iter("testcase"))
    for test in tests:
        yield _outcome([case for case in cases if _belongs(case, test)])


def _belongs(case: ElementTree.Element, test: str) -> bool:
    file, _, name = test.partition("::")
    place = file.removesuffix(".py").replace("/", ".")
    own = case.get("name", "").partition("[")[0]
    return case.get("classname") == place and name in ("", own)


def _outcome(cases: Sequence[ElementTree.Element]) -> str:
    tags = {child.tag for case in cases for child in case}
    if not cases or tags & {"failure", "error"}:
        return FAILED
    return "skipped here" if "skipped" in tags else HELD
