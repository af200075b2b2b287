"""``edgeopt baseline``, and ``edgeopt compare @NAME``, as a user runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
FEW = ("--duration", "0.02", "--max-processes", "2", "--inconclusive", "pass")


@pytest.fixture
def nets(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """An fp32 and an int8 artifact; no store in the current folder."""
    out = tmp_path / "out"
    asked = ("--precision", "fp32,int8", "--calibration", conv_data, "-o", out)
    assert run("convert", conv_net, *asked).code == 0
    monkeypatch.chdir(tmp_path)
    return out / "conv_net.fp32.onnx", out / "conv_net.int8.onnx"


def test_save_list_show_compare(run: Run, nets: tuple[Path, Path]) -> None:
    fp32, int8 = nets
    ran = run("baseline", "list")
    assert ran.code == 0
    assert ran.out.startswith("No baselines in .edgeopt/baselines")
    ran = run("baseline", "save", fp32, "--name", "main")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("@main in .edgeopt/baselines is conv_net.fp32.onnx (")
    assert run("baseline", "save", fp32, "--name", "main").out.endswith(" already.\n")
    assert run("baseline").out == run("baseline", "list").out
    assert run("baseline", "list").out.splitlines()[2].split()[:3] == [
        *("@main", "conv_net.fp32.onnx", "fp32")
    ]
    shown = run("baseline", "show", "main").out
    assert "conv_net.fp32.onnx.json" in shown
    assert run("baseline", "show", "main", "--json").json["precision"] == "fp32"
    ran = run("compare", "@main", int8, *FEW, "--max-slowdown", "900%", "--json")
    assert ran.json["baseline"]["artifact"] == "@main"
    ran = run("baseline", "save", int8, "--name", "main", "--json")
    assert ran.json["change"] == "replaced"
    assert ran.json["replaced"] != ran.json["baseline"]["sha256"]


def test_remove_and_prune(run: Run, nets: tuple[Path, Path]) -> None:
    for artifact in nets:
        assert run("baseline", "save", artifact, "--name", "main").code == 0
    ran = run("baseline", "prune")
    # The artifact and its manifest, twice.
    assert (ran.code, ran.out) == (0, "2 files removed from .edgeopt/baselines, 2 files kept.\n")
    ran = run("baseline", "remove", "main")
    assert ran.out.startswith("@main is gone; it was conv_net.int8.onnx (")
    assert len(run("baseline", "prune", "--json").json["removed"]) == 2


def test_the_first_run_says_that_it_saved(run: Run, nets: tuple[Path, Path]) -> None:
    fp32, int8 = nets
    ran = run("compare", "@main", fp32, "--if-missing", "save", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["schema"], ran.json["change"]) == ("edgeopt.baseline.saved/1", "saved")
    ran = run("compare", "@next", int8, "--if-missing", "save", "--store", "elsewhere")
    assert ran.code == 0
    assert ran.out.startswith("Nothing to compare with yet: the candidate is the baseline now.\n")
    ran = run("compare", "@main", int8, "--if-missing", "save", *FEW, "--min-sqnr", "200")
    assert ran.code == 1
    # Latency may be one besides: two processes prove nothing.
    assert "conv_net.int8.onnx beside @main: " in ran.line
    assert "is too far from the baseline's" in ran.line


def test_a_baseline_that_is_not_there(run: Run, nets: tuple[Path, Path]) -> None:
    ran = run("compare", "@main", nets[0])
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith("Error: no baseline 'main' in .edgeopt/baselines: make it with")


def test_a_baseline_that_was_altered(run: Run, nets: tuple[Path, Path]) -> None:
    run("baseline", "save", nets[0], "--name", "main")
    digest = run("baseline", "show", "main", "--json").json["sha256"]
    stored = Path(".edgeopt/baselines/objects") / digest
    stored.write_bytes(stored.read_bytes() + b"\0")
    ran = run("compare", "@main", nets[1], "--if-missing", "save")
    assert (ran.code, ran.out) == (2, "")
    assert "was altered" in ran.line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["save"], "missing argument 'ARTIFACT'"),
        (["save", "x.onnx"], "missing option '--name'"),
        (["save", "gone.onnx", "--name", "main"], "gone.onnx: no such file"),
        (["save", "gone.onnx", "--name", "../main"], "'../main' is no name for a baseline"),
        (["show"], "missing argument 'NAME'"),
        (["show", "main", "--name", "main"], "--name is save's"),
        (["list", "main"], "list takes no NAME"),
        (["prune", "main"], "prune takes no NAME"),
        (["remove"], "missing argument 'NAME'"),
        (["lost"], "'lost' is not one of"),
        (["list", "--store", "nothing://x"], "Protocol not known"),
    ],
)
def test_wrong_use_is_one_line(run: Run, arguments: list[str], told: str) -> None:
    ran = run("baseline", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.line
