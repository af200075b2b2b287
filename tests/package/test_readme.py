"""What the README shows is run with the wheel, away from the clone: command lines, then Python.

Figures depend on the machine; what stands around them in the output that is shown must be the same.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(
    r"^\$ (?P<line>edgeopt .*(?:\n    .*)*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE
)


def blocks(root: Path, language: str) -> list[str]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return [match["code"] for match in BLOCK.finditer(text) if match["language"] == language]


def steps(root: Path) -> list[tuple[str, str]]:
    """Each command line of the README, and the output that is shown below it."""
    found = STEP.finditer("".join(blocks(root, "console")))
    return [(match["line"].replace("\\\n", " "), match["output"]) for match in found]


def lines_without_figures(output: str) -> set[str]:
    """The lines that are the same on every machine: headings, and sentences without a figure."""
    lines = {" ".join(line.split()) for line in output.splitlines()}
    return {line for line in lines if re.search("[a-z]", line) and not re.search("[0-9]", line)}


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


def words(line: str, folder: Path) -> list[str]:
    """The arguments that a shell would make of a command line."""
    found: list[str] = []
    for word in shlex.split(line)[1:]:
        names = sorted(p.relative_to(folder).as_posix() for p in folder.glob(word))
        found += names if "*" in word else [word]
    return found


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clone")
    (made / "examples").symlink_to(root / "examples", target_is_directory=True)
    return made


@pytest.mark.slow
def test_the_readme_works_from_top_to_bottom(root: Path, folder: Path, wheel_python: str) -> None:
    shown = steps(root)
    assert [shlex.split(line)[1] for line, _ in shown] == [
        "doctor",
        "convert",
        "benchmark",
        "inspect",
    ]
    for line, output in shown:
        ran = run([str(Path(wheel_python).with_name("edgeopt")), *words(line, folder)], folder)
        assert ran.returncode == 0, f"{line}\n{ran.stderr}"
        printed = lines_without_figures(ran.stdout + ran.stderr)
        assert lines_without_figures(output) <= printed, line
    for precision in ("fp32", "fp16", "int8"):
        measured = folder / "out" / f"model.{precision}.onnx.host.benchmark.json"
        accuracy = json.loads(measured.read_text(encoding="utf-8"))["accuracy"]["values"]
        assert accuracy["top1"] > 0.9
    for code in blocks(root, "python"):
        ran = run([wheel_python, "-c", code], folder)
        assert ran.returncode == 0, ran.stderr
        assert "dB" in ran.stdout
