"""Every error that a user can meet says what to do next."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import edgeopt
from edgeopt.core import errors

PACKAGE = Path(edgeopt.__file__).parent
FAMILY = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.EdgeOptError)
} - {"MissingExtraError"}  # it has the same next step always


def without_hint(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            hints = [k for k in node.keywords if k.arg == "hint"]
            if node.func.id in FAMILY and not hints:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"


def test_every_error_has_a_next_step() -> None:
    assert {"EdgeOptError", "UsageError", "DataError"} <= FAMILY
    assert [found for path in PACKAGE.rglob("*.py") for found in without_hint(path)] == []
