"""Whatever a file, a tensor, a layer or a target is called: nothing raw gets to the terminal.

And nothing is broken by it: JSON has the very name, pages and tables stay whole, XML can be read.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from edgeopt.cli import main
from tests.cli.hostile import ALL, LONG, UNDECODED, check_harmless, check_page, check_table

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows allows few characters in names")

FEW = ("--duration", "0.01", "--processes", "2")
PAIR = ("--duration", "0.01", "--max-processes", "2", "--inconclusive", "pass")


@dataclass
class Said:
    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process, and looks at every byte that they write."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object, code: int | tuple[int, ...] = 0) -> Said:
        self._capture.readouterr()
        words = [str(a) for a in arguments]
        ended = main(words)
        out, err = self._capture.readouterr()
        annotated = "github" in words
        said = Said(ended, check_harmless(out), check_harmless(err, annotated=annotated))
        assert ended in (code if isinstance(code, tuple) else (code,)), (words, said)
        return said


@pytest.fixture
def shell(capfdbinary: pytest.CaptureFixture[bytes]) -> Shell:
    return Shell(capfdbinary)


def array(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32) / np.float32(8)


def save_net(path: Path, name: str) -> None:
    """A small net in which everything has a name that begins with ``name``."""
    constants = {f"{name}w1": array(8, 3, 3, 3), f"{name}w2": array(5, 8), "axes": np.array([2, 3])}
    nodes = [
        helper.make_node(
            "Conv", [f"{name}image", f"{name}w1"], [f"{name}c"], f"{name}conv", pads=[1] * 4
        ),
        helper.make_node("Relu", [f"{name}c"], [f"{name}r"], f"{name}relu"),
        helper.make_node(
            "ReduceMean", [f"{name}r", "axes"], [f"{name}m"], f"{name}mean", keepdims=0
        ),
        helper.make_node("Gemm", [f"{name}m", f"{name}w2"], [f"{name}y"], f"{name}head", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        f"{name}net",
        [helper.make_tensor_value_info(f"{name}image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info(f"{name}y", TensorProto.FLOAT, ["batch", 5])],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
        doc_string=name,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, path)


@dataclass
class Project:
    """A folder whose name, and whose files' names, and what is in them, are hostile."""

    folder: Path
    name: str

    def __truediv__(self, suffix: str) -> Path:
        return self.folder / f"{self.name}{suffix}"

    @property
    def artifacts(self) -> tuple[Path, ...]:
        ends = ("fp32.onnx", "int8.onnx", "fp32.tflite", "int8.tflite")
        return tuple(self.folder / "out" / f"{self.name}.{end}" for end in ends)


Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def project(file: str, tensor: str) -> Project:
        made = Project(tmp_path / file, file)
        made.folder.mkdir()
        save_net(made / ".onnx", tensor)
        images = np.random.default_rng(1).standard_normal((40, 3, 8, 8)).astype(np.float32)
        given: dict[str, Any] = {f"{tensor}image": images, "labels": np.arange(40) % 5}
        np.savez(made / ".npz", **given)
        monkeypatch.chdir(made.folder)
        return made

    return project


@pytest.fixture
def all_bad(make: Make) -> Project:
    return make(ALL, ALL)


@pytest.fixture
def converted(all_bad: Project, shell: Shell) -> Project:
    shell(
        *("convert", all_bad / ".onnx", "--to", "onnx,tflite", "--precision", "fp32,int8"),
        *("--calibration", all_bad / ".npz", "-o", "out", "--effort", "fast"),
    )
    return all_bad


def test_what_converts_and_looks(converted: Project, shell: Shell) -> None:
    model, data, source = converted / ".onnx", converted / ".npz", converted / ".npz"
    _, int8, _, tflite = converted.artifacts
    said = shell("inspect", int8, "--json")
    found = json.loads(said.out)
    assert any(layer["name"] == f"{ALL}conv" for layer in found["layers"])
    for artifact in (model, int8, tflite):
        shell("inspect", artifact, "-v")
    manifest = json.loads((int8.parent / f"{int8.name}.json").read_bytes())
    assert manifest["inputs"][0]["name"] == f"{ALL}image"
    assert manifest["calibration"][0]["location"] == str(source)
    said = shell(
        "calibrate", model, "--calibration", data, "-o", converted / ".table.npz", "--json"
    )
    assert json.loads(said.out)["path"] == str(converted / ".table.npz")
    shell(
        *("convert", model, "--precision", "int8", "--table", converted / ".table.npz"),
        *("-o", converted / "b", "--effort", "fast", "--keep-float", f"{ALL}head", "-v"),
    )
    shell(
        *("convert", model, "--to", "tensorrt", "--precision", "fp16", "--no-verify"),
        *("--target", "jetson-orin-nano", "-o", converted / "c"),
    )


def test_what_measures(converted: Project, shell: Shell) -> None:
    fp32, int8, _, tflite = converted.artifacts
    shell("benchmark", fp32, int8, *FEW, "--evaluation", converted / ".npz")
    said = shell("benchmark", int8, *FEW, "--json")
    assert json.loads(said.out)["measurements"][0]["artifact"] == str(int8)
    bundle = converted / ".bundle"
    shell("bundle", fp32, tflite, "-o", bundle, *FEW)
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", str(bundle / "run.pyz")], capture_output=True, check=False
    )
    assert ran.returncode == 0
    assert "out" not in check_harmless(ran.stderr)
    check_harmless(ran.stdout)


def test_what_judges(converted: Project, shell: Shell) -> None:
    fp32, int8, _, _ = converted.artifacts
    summary, junit, history = (converted / end for end in (".md", ".xml", ".jsonl"))
    for _ in range(2):
        shell(
            *("compare", fp32, int8, *PAIR, "--max-slowdown", "900%", "--label", ALL),
            *("--summary", summary, "--junit", junit, "--annotations", "github"),
            *("--history", history),
            code=(0, 1, 3),
        )
    check_table(check_harmless(summary.read_bytes()).split("\n\n### ")[0])
    assert ALL not in junit.read_text()
    Xml.parse(junit)
    shell("history", history)
    assert len(json.loads(shell("history", history, "--json").out)["entries"]) == 2
    page = converted / ".html"
    shell("diagnose", int8, "--page", page, "--samples", 2, "-v")
    check_page(page)


def test_what_checks(converted: Project, shell: Shell) -> None:
    _, int8, _, tflite = converted.artifacts
    summary, junit = converted / ".md", converted / ".xml"
    for artifact in (int8, tflite):
        shell("validate", "model", artifact, "--summary", summary, "--junit", junit, code=(0, 1))
    pictures(converted.folder / "pictures", ALL[:60])
    for data in (converted / ".npz", Path("pictures")):
        shell(
            *("validate", "data", data, "--model", converted / ".onnx", "--summary", summary),
            *("--junit", junit, "--annotations", "github", "--scale", "1/255"),
            code=(0, 1, 2),
        )
    assert check_harmless(summary.read_bytes())
    Xml.parse(junit)
    shell("validate", int8, code=2)


def pictures(folder: Path, name: str) -> None:
    for label in ("a", "b"):
        (folder / f"{name}{label}").mkdir(parents=True)
        for i in range(3):
            noise = np.random.default_rng(i).integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(noise).save(folder / f"{name}{label}" / f"{name}{i}.png")


def test_what_keeps(converted: Project, shell: Shell) -> None:
    _, int8, _, _ = converted.artifacts
    store = converted / ".store"
    shell("baseline", "save", int8, "--name", "main", "--store", store, code=2)  # has a backslash
    plain = int8.rename(int8.with_name("a\n\x1b[2J<b> 'c'.onnx"))
    shell("baseline", "save", plain, "--name", "main", "--store", store)
    for what in (("list",), ("show", "main"), ("remove", "main"), ("prune",)):
        shell("baseline", *what, "--store", store)
    shell("baseline", "list", "--store", store)  # which says where there are none
    shell("baseline", "save", plain, "--name", ALL, "--store", store, code=2)


def test_targets(all_bad: Project, shell: Shell) -> None:
    arm = Path(__file__).parents[2] / "edgeopt" / "targets" / "profiles" / "arm64.toml"
    said = json.dumps(ALL)  # which TOML reads alike
    text = arm.read_text().replace('name = "arm64"', f"name = {said}")
    (all_bad / ".toml").write_text(text)
    shell("targets", "show", all_bad / ".toml", code=(0, 2))
    text = arm.read_text().replace('description = "', f"description = {said} #", 1)
    (all_bad / ".toml").write_text(text)
    for action in ("show", "check"):
        shell("targets", action, all_bad / ".toml")
    assert (
        json.loads(shell("targets", "show", all_bad / ".toml", "--json").out)[0]["description"]
        == ALL
    )
    for action in ("show", "probe"):
        shell("targets", action, ALL, code=(2, 3))


COMMANDS = ("convert", "calibrate", "benchmark", "inspect", "diagnose", "history", "bundle")


@pytest.mark.parametrize("command", COMMANDS)
def test_mistakes(all_bad: Project, shell: Shell, command: str) -> None:
    given = ("--calibration", all_bad / ".npz") if command == "calibrate" else ()
    broken = all_bad / "broken.onnx"
    broken.write_bytes(b"\x00\xff" + ALL.encode())
    for name in (broken, all_bad / "missing.onnx", all_bad.folder / ("n" * 300), f"{ALL}.py:make"):
        for more in ((), ("--json",)):
            shell(command, "--", name, code=2) if not given else shell(
                command, name, *given, code=2
            )
            shell(command, f"--{ALL}", *more, code=2)


OPTIONS = (
    "to", "precision", "calibration", "table", "layout", "io", "via", "evaluation", "target",
    "effort", "ranges", "input", "weights", "min-sqnr", "max-drop", "preprocess", "mean",
)  # fmt: skip


def test_values_of_options(all_bad: Project, shell: Shell) -> None:
    for option in OPTIONS:
        (line,) = shell("convert", all_bad / ".onnx", f"--{option}={ALL}", code=2).err.splitlines()
        assert line.startswith("Error: ")
    for words in ((ALL,), ("compare", ALL, ALL), ("validate", "data", ALL), ("targets", ALL)):
        assert len(shell(*words, code=2).err.splitlines()) == 1


def test_a_traceback(all_bad: Project, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: str) -> None:
        raise RuntimeError(ALL)

    monkeypatch.setattr("edgeopt.pipeline.inspect.inspect", fail)
    shell("inspect", all_bad / ".onnx", code=70)
    said = shell("inspect", all_bad / ".onnx", "--json", code=70)
    assert json.loads(said.out)["error"]["message"] == ALL


def test_names_that_are_long(make: Make, shell: Shell) -> None:
    project = make(LONG, LONG * 2)
    shell(
        *("convert", project / ".onnx", "--to", "onnx,tflite", "--precision", "fp32,int8"),
        *("--calibration", project / ".npz", "-o", "out", "--effort", "fast", "--json"),
    )
    _, int8, _, _ = project.artifacts
    assert json.loads(shell("inspect", int8, "--json").out)["file"].endswith(int8.name)
    shell("inspect", int8)
    shell("benchmark", int8, *FEW)
    shell("diagnose", int8, "--page", project / ".html", "--samples", 2)
    check_page(project / ".html")
    longest = project.folder / f"{'n' * 245}.onnx"
    longest.write_bytes((project / ".onnx").read_bytes())
    (line,) = shell("convert", longest, "-o", "b", code=2).err.splitlines()
    assert "shorten the name" in line
    assert not (project.folder / "b").exists()


def test_names_that_are_no_text(all_bad: Project, shell: Shell) -> None:
    """They can't be named, as the runtimes open none; in a folder they are as good as others."""
    for words in (("convert", UNDECODED), ("inspect", UNDECODED, "--json")):
        (line,) = shell(*words, code=2).err.splitlines()
        assert "not a name in UTF-8" in line
    pictures(all_bad.folder / "pictures", UNDECODED)
    (all_bad.folder / "pictures" / f"{UNDECODED}a" / f"{UNDECODED}.png").write_bytes(b"none")
    shell("validate", "data", "pictures", "--junit", all_bad / ".xml", code=(0, 1, 2))
    (all_bad.folder / "pictures" / f"{UNDECODED}a" / f"{UNDECODED}.png").unlink()
    net = all_bad / ".onnx"
    reports = ("--junit", all_bad / ".xml", "--scale", "1/255")
    shell("validate", "data", "pictures", "--model", net, *reports, code=(0, 1))
    assert Xml.parse(all_bad / ".xml").getroot()
    found = json.loads(shell("validate", "data", "pictures", "--json", code=(0, 1)).out)
    assert found["schema"] == "edgeopt.validate.data/1"
    shell("convert", net, "--precision", "int8", "--calibration", "pictures", "--scale", "1/255")


def test_with_colours_on_a_terminal(
    converted: Project, environment: dict[str, str], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    _, int8, _, _ = converted.artifacts
    for words in (("inspect", str(int8)), ("benchmark", str(int8), *FEW), ("inspect", ALL)):
        check_harmless(on_a_terminal(words, environment), styled=True)


def on_a_terminal(words: tuple[str, ...], environment: dict[str, str]) -> bytes:
    """What a command shows on a terminal of its own."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeopt", *words],
        env={**environment, "TERM": "xterm-256color"},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    process.wait()
    os.close(ours)
    return shown.replace(b"\r\n", b"\n")  # the terminal's own


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux's way to say that nobody writes to it any more
        return b""
