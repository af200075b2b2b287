"""The house's own rules, which the code keeps: nothing grows beyond what is read in one go."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import edgeopt

PACKAGE = Path(edgeopt.__file__).parent
ROOT = Path(__file__).parents[2]
FILES = sorted(PACKAGE.rglob("*.py"))
BESIDES = ("tests/**/*.py", "comparisons/*.py", "comparisons/[!.]*/*.py", "examples/*/*.py")
"""Not ``comparisons/.cache``, which holds others' packages."""
LINES, BODY = 400, 60
ELSEWHERE = re.compile(r"tells what each|says what each|every field is")
"""What a docstring says where the fields are described in one place for several records."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def body_lines(function: Function) -> int:
    """Its lines without signature and docstring: a public function's arguments take their own."""
    first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0]
    assert function.end_lineno is not None
    return function.end_lineno - first.lineno + 1


def records(file: Path) -> Iterator[ast.ClassDef]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            made = " ".join(ast.unparse(each) for each in (*node.bases, *node.decorator_list))
            if "dataclass" in made or "Record" in made or "Struct" in made:
                yield node


def undocumented(record: ast.ClassDef) -> Iterator[str]:
    told = ast.get_docstring(record) or ""
    following = [*record.body[1:], None]
    for statement, after in zip(record.body, following, strict=True):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        name = statement.target.id
        own = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        free = name.startswith("_") or name == "schema" or "init=False" in ast.unparse(statement)
        if not (free or own or re.search(rf"^\s*{name}:", told, re.MULTILINE)):
            yield name


def test_files_and_functions_are_read_in_one_go() -> None:
    for file in [*FILES, *(file for pattern in BESIDES for file in ROOT.glob(pattern))]:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= LINES, file
        long = {f.name: n for f in functions(file) if (n := body_lines(f)) > BODY}
        assert not long, file


def test_every_field_of_a_record_is_described() -> None:
    found = {
        f"{file.relative_to(PACKAGE)} {record.name}": missing
        for file in FILES
        for record in records(file)
        if not ELSEWHERE.search(ast.get_docstring(record) or "")
        and (missing := list(undocumented(record)))
    }
    assert not found
