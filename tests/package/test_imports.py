"""The folder tree is the architecture: imports run one way, and importing EdgeOpt costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path


def python(code: str, folder: Path) -> str:
    """What a fresh interpreter prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_imports_run_one_way(root: Path) -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports({}))"
    assert "0 broken" in python(code.format("no_cache=True"), root)


def test_importing_edgeopt_imports_nothing_else(tmp_path: Path) -> None:
    code = """
import sys
before = set(sys.modules)
import edgeopt
print({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""
    assert ast.literal_eval(python(code, tmp_path)) == {"edgeopt"}
