"""The programs that run on devices are of Python 3.8, and need nothing of the package."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from edgeopt.benchmarks import device
from edgeopt.converters.tensorrt import device as building

FOLDER = Path(device.__file__).parent
SOURCES = sorted([*FOLDER.glob("*.py"), *Path(building.__file__).parent.glob("*.py")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_it_is_python_38(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_annotations_are_not_evaluated(path: Path) -> None:
    # `list[int]` in an annotation is an error in 3.8 when it is evaluated.
    if path.name not in ("__init__.py", "__main__.py", "start.py"):
        assert "from __future__ import annotations" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_it_imports_itself_the_standard_library_numpy_and_the_runtime(path: Path) -> None:
    import sys

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            root = name.split(".")[0]
            own = {"numpy", "onnxruntime", "edgeopt_device", "edgeopt_tensorrt"}
            assert root in sys.stdlib_module_names | own, f"{path.name} imports {name}"


def _python38() -> Path | None:
    # Asked of itself: a launcher on PATH may be there without the version behind it.
    for python in [*Path.home().glob(".pyenv/versions/3.8.*/bin/python"), Path("python3.8")]:
        try:
            told = subprocess.run([python, "--version"], capture_output=True, check=False)
        except OSError:
            continue
        if told.returncode == 0 and b" 3.8" in told.stdout:
            return python
    return None


@pytest.mark.skipif(_python38() is None, reason="no Python 3.8 here")
def test_a_real_python_38_compiles_it() -> None:
    check = (
        "import sys; [compile(open(p, encoding='utf-8').read(), p, 'exec') for p in sys.argv[1:]]"
    )
    done = subprocess.run(
        [str(_python38()), "-c", check, *map(str, SOURCES)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.skipif(_python38() is None, reason="no Python 3.8 here")
def test_a_real_python_38_runs_what_needs_no_numpy() -> None:
    script = """
import json, sys, types
package = types.ModuleType("edgeopt_device"); package.__path__ = [sys.argv[1]]
sys.modules["edgeopt_device"] = package
from edgeopt_device import blocks, child, conditions, contents, failure, kind, lock, machine
from edgeopt_device import describe, memory, power, schedule, tether, throttling, told
rounds, calls = schedule.block_lengths([1e6, 2e6], 1e8)
schedule.block_order(2, rounds, schedule.generator("0/1"))
blocks.timed_block(lambda: None, 5); blocks.warm_up(lambda: None, 1e6)
json.dumps([machine.machine(), conditions.conditions(), memory.memory(), describe.describe()])
"""
    done = subprocess.run(
        [str(_python38()), "-c", script, str(FOLDER)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
