"""``edgeopt convert --precision auto`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeopt.benchmarks.result import Ratio
from edgeopt.cli.views.conversion import draw_conversion
from edgeopt.core.manifest import DataRecord
from edgeopt.pipeline.convert import ConvertResult
from edgeopt.pipeline.making import Artifact
from edgeopt.pipeline.search.budget import Budget, Quality
from edgeopt.pipeline.search.record import Mix, Point, SearchRecord

Run = Callable[..., Any]


def auto(conv_net: Path, conv_data: Path, out: Path, *options: object) -> tuple[object, ...]:
    return (
        *("convert", conv_net, "--precision", "auto", "--calibration", conv_data, "-o", out),
        *options,
    )


def test_a_budget_that_int8_meets(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = run(*auto(conv_net, conv_data, out, "--min-sqnr", "12"))
    assert ran.code == 0
    assert "auto is int8 as it is: " in ran.out
    assert sorted(p.name.removeprefix("conv_net.auto.onnx") for p in out.iterdir()) == [
        "",
        ".json",
        ".search.html",
        ".search.json",
    ]
    record = json.loads((out / "conv_net.auto.onnx.search.json").read_text())
    assert record["chosen"] == {"keep_float": [], "keep_16bit": []}
    ran = run(*auto(conv_net, conv_data, out, "--min-sqnr", "12", "--json"))
    assert ran.json["artifacts"][0]["search"]["budget"]["min_sqnr"] == 12


def test_a_budget_out_of_reach(run: Run, conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    ran = run(*auto(conv_net, conv_data, tmp_path / "out", "--min-sqnr", "150", "--search-time", 1))
    assert ran.code == 1
    assert ran.line.startswith("Error: the budget can't be met: the best was ")
    assert "conv_net.auto.onnx.search.json saves asking again" in ran.line
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["conv_net.auto.onnx.search.json"]


def test_a_page_of_someone_elses_is_kept(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    page = out / "conv_net.auto.onnx.search.html"
    page.write_text("mine")
    ran = run(*auto(conv_net, conv_data, out, "--min-sqnr", "12"))
    assert ran.code == 0
    assert f"Warning: the search is not plotted: {page}: is there already" in ran.err
    assert page.read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--precision auto needs a budget"),
        (["--max-drop", "0.5"], "--max-drop: '0.5' can't be read: write 0.5pp"),
        (["--max-drop", "0.5pp"], "--max-drop needs labels"),
        (["--min-agreement", "150%"], "--min-agreement: 150% is not a share"),
        (["--min-sqnr", "nan"], "--min-sqnr is nan"),
        (["--min-sqnr", "12", "--search-time", "0"], "--search-time is 0 s"),
        (["--min-sqnr", "12", "--replay", "none.json"], "none.json: No such file or directory"),
        (["--max-drop", "1pp", "--accuracy", "topp"], "'topp' is no measure of accuracy"),
    ],
)
def test_wrong_use(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path, options: list[str], told: str
) -> None:
    ran = run(*auto(conv_net, conv_data, tmp_path / "out", *options))
    assert ran.code == 2
    assert told in ran.line
    assert not (tmp_path / "out").exists()


def test_what_was_spared_and_what_it_gives(
    run: Run, conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(*auto(conv_net, conv_data, out, "--min-sqnr", "12"))
    from edgeopt.core.manifest import read_manifest

    manifest = read_manifest(out / "conv_net.auto.onnx")
    assert manifest is not None
    mix = Mix(("conv1", "depthwise"), ("head",))
    search = SearchRecord(
        graph_sha256="0" * 64,
        target="x86-64-vnni",
        budget=Budget(max_drop=0.005),
        data=DataRecord("npz", "test.npz", None, 40, (0, 40)),
        layers=9,
        candidates=(),
        float_ratio=None,
        points=(
            Point(Mix(), Quality(20.0, 0.98, 0.90, 0.012), Ratio(0.5, 0.49, 0.51, 0.95, 5)),
            Point(mix, Quality(25.0, 0.99, 0.91, 0.002), Ratio(0.62, 0.6, 0.64, 0.95, 5)),
        ),
        chosen=mix,
        seconds=1.0,
        complete=True,
        emulated=False,
        machine="A CPU",
    )
    artifact = Artifact(str(out / "conv_net.auto.onnx"), manifest, search)
    drawn = draw_conversion(ConvertResult((artifact,)))
    assert (
        "auto keeps conv1, depthwise float and head at 16 bits of 9 layers to meet the budget: a "
        "drop of 0.20pp (at most 0.5pp), 0.62x the latency of float32; int8: a drop of 1.20pp (at "
        "most 0.5pp), 0.50x the latency of float32.\n"
    ) in drawn
    assert "All that was tried is in conv_net.auto.onnx.search.html and" in drawn
