"""``precision="auto"`` on a small net, with everything real: artifacts, judging, timing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import edgeopt
from edgeopt.core.errors import DataError, GateError, OutputError, UsageError
from edgeopt.core.manifest import read_manifest
from edgeopt.core.record import to_json
from edgeopt.pipeline.convert import ConvertResult
from edgeopt.pipeline.search.outcome import WHY_FLOAT
from edgeopt.pipeline.search.record import Arithmetic, Mix, SearchRecord, read_search

QUICK = 40.0
"""Seconds: less than the default makes the rounds of timing short."""


@pytest.fixture
def auto(conv_net: Path, conv_data: Path, tmp_path: Path) -> Any:
    """Convert with a search; ``output`` is a folder of that name."""

    def converted(output: str = "out", **options: Any) -> ConvertResult:
        given = {"precision": "auto", "calibration": conv_data, **options}
        if "auto" in given["precision"]:
            given.setdefault("search_time", QUICK)
        return edgeopt.convert(conv_net, output=tmp_path / output, **given)

    return converted


def search_of(made: ConvertResult) -> SearchRecord:
    assert made.artifacts[-1].search is not None
    return made.artifacts[-1].search


def sqnr(made: ConvertResult) -> float:
    checked = made.artifacts[-1].manifest.verification
    assert checked is not None
    assert checked.worst.sqnr_db is not None
    return checked.worst.sqnr_db


def test_int8_that_meets_the_budget_is_taken_as_it_is(auto: Any, tmp_path: Path) -> None:
    made = auto(precision="int8,auto", min_sqnr=12.0)
    int8, found = (Path(a.path).read_bytes() for a in made.artifacts)
    assert found == int8
    search = search_of(made)
    assert search.chosen == Mix()
    assert search.complete
    assert search.candidates == ()
    assert [p.mix for p in search.points] == [Mix()]
    assert search.points[0].ratio is None  # nothing to weigh it against
    assert search.machine == ""
    assert read_search(tmp_path / "out" / "conv_net.auto.onnx.search.json") == search


@pytest.mark.slow
def test_more_is_kept_until_the_budget_is_met(auto: Any, tmp_path: Path) -> None:
    base = sqnr(auto("base", precision="int8"))
    made = auto(min_sqnr=base + 1.0)
    search = search_of(made)
    assert search.layers == 3
    assert search.chosen is not None
    assert 1 <= search.chosen.count <= 2
    # What is verified is what was judged.
    chosen = search.point(search.chosen)
    assert chosen is not None
    assert chosen.quality.sqnr_db == pytest.approx(sqnr(made), abs=1e-6)
    assert sqnr(made) >= base + 1.0
    # Every layer was asked for both, and those that bring something were timed.
    asked = {(c.layer, c.arithmetic) for c in search.candidates}
    assert asked == {(n, a) for n in ("conv1", "depthwise", "head") for a in Arithmetic}
    gains = [c.gain for c in search.candidates]
    assert gains == sorted(gains, reverse=True)
    useful = [c for c in search.candidates if c.gain > 0]
    assert all((c.ratio is not None) for c in useful) or len(useful) == 1
    assert chosen.ratio is not None
    # The recipe alone makes it again.
    manifest = made.artifacts[0].manifest
    recipe = manifest.recipe
    assert (recipe.keep_float, recipe.keep_16bit) == (
        search.chosen.keep_float,
        search.chosen.keep_16bit,
    )
    again = auto(
        "again", precision="int8", keep_float=recipe.keep_float, keep_16bit=recipe.keep_16bit
    )
    assert Path(again.artifacts[0].path).read_bytes() == Path(made.artifacts[0].path).read_bytes()
    why = {layer.node: layer.reason for layer in manifest.float_layers}
    assert {why[name] for name in search.chosen.keep_float} <= {WHY_FLOAT}
    assert read_manifest(Path(made.artifacts[0].path)) == manifest


@pytest.mark.slow
def test_a_search_is_replayed(auto: Any, tmp_path: Path) -> None:
    base = sqnr(auto("base", precision="int8"))
    first = search_of(auto(min_sqnr=base + 1.0))
    assert first.machine
    kept = tmp_path / "out" / "conv_net.auto.onnx.search.json"
    second = search_of(auto("second", min_sqnr=base + 1.0, replay=kept))
    assert msgspec.structs.replace(second, seconds=first.seconds) == first
    # Another budget is found with the same latencies.
    other = search_of(auto("third", min_sqnr=base + 0.1, replay=kept))
    assert other.candidates == first.candidates
    assert other.machine == first.machine
    assert other.budget.min_sqnr == base + 0.1


def test_a_search_of_something_else_is_not_replayed(
    auto: Any, tmp_path: Path, example: Path
) -> None:
    auto(min_sqnr=12.0)
    kept = tmp_path / "out" / "conv_net.auto.onnx.search.json"
    search = read_search(kept)
    other = tmp_path / "other.json"
    other.write_bytes(to_json(msgspec.structs.replace(search, graph_sha256="0" * 64)))
    with pytest.raises(UsageError, match="another model"):
        auto("new", min_sqnr=12.0, replay=other)
    with pytest.raises(UsageError, match=r"was for target 'x86-64-vnni': add --target"):
        auto("new", min_sqnr=12.0, replay=kept, target="arm64")
    with pytest.raises(UsageError, match=r"not a search: .*name the \.search\.json"):
        auto("new", min_sqnr=12.0, replay=tmp_path / "out" / "conv_net.auto.onnx.json")
    with pytest.raises(UsageError, match="No such file"):
        auto("new", min_sqnr=12.0, replay=tmp_path / "none.json")
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_budget_out_of_reach_tells_the_best_and_keeps_what_was_learned(
    auto: Any, tmp_path: Path
) -> None:
    with pytest.raises(GateError, match=r"the best was \d\d\.\d dB \(at least 120\)") as error:
        auto(min_sqnr=120.0)
    assert error.value.exit_code == 1
    assert "of 3 layers spared 8 bits" in error.value.message
    kept = tmp_path / "out" / "conv_net.auto.onnx.search.json"
    assert [p.name for p in (tmp_path / "out").iterdir()] == [kept.name]
    search = read_search(kept)
    assert search.chosen is None
    assert str(kept) in error.value.hint
    best = max(p.quality.sqnr_db or 0.0 for p in search.points)
    made = auto("lax", min_sqnr=best - 0.01, replay=kept)
    assert sqnr(made) >= best - 0.01


@pytest.mark.slow
def test_what_the_user_keeps_is_not_searched(auto: Any) -> None:
    base = sqnr(auto("base", precision="int8", keep_float="conv1"))
    search = search_of(auto(min_sqnr=base + 0.5, keep_float="conv1"))
    assert search.layers == 2
    assert "conv1" not in {c.layer for c in search.candidates}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (None, "--max-drop needs labels"),
        (np.full(40, 5), r"its label is 5, but the model has classes 0 to 4"),
        (np.zeros((40, 2), np.int64), "its label is not a class index"),
    ],
)
def test_labels_that_do_not_fit_are_found_before_anything_is_calibrated(
    auto: Any, conv_data: Path, tmp_path: Path, labels: np.ndarray | None, told: str
) -> None:
    data = tmp_path / "test.npz"
    arrays: dict[str, Any] = {"image": np.load(conv_data)["image"]}
    np.savez(data, **arrays if labels is None else {**arrays, "labels": labels})
    steps: list[str] = []
    with pytest.raises(DataError, match=told):
        auto(max_drop="1pp", evaluation=data, progress=lambda step, *_: steps.append(step))
    assert not any("observing" in step for step in steps)
    assert not (tmp_path / "out").exists()


def test_a_drop_of_accuracy(auto: Any, conv_data: Path, tmp_path: Path) -> None:
    image = np.load(conv_data)["image"]
    np.savez(tmp_path / "test.npz", image=image, labels=np.arange(40) % 5)
    search = search_of(auto(max_drop="100pp", evaluation=tmp_path / "test.npz"))
    quality = search.points[0].quality
    assert quality.accuracy is not None
    assert quality.drop is not None
    assert 0 <= quality.accuracy + quality.drop <= 1
    assert search.budget.min_sqnr == 10  # the floor holds, too
    assert search.data.used == (0, 40)


def test_accuracy_as_the_user_measures_it(auto: Any, conv_data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def error(outputs, labels):\n    return -abs(outputs['scores'] - labels).mean()\n"
    )
    image = np.load(conv_data)["image"]
    np.savez(tmp_path / "test.npz", image=image, labels=np.zeros((40, 5), np.float32))
    options: dict[str, Any] = {"max_drop": "90pp", "evaluation": tmp_path / "test.npz"}
    accuracy = f"{tmp_path / 'mine.py'}:error"
    search = search_of(auto(accuracy=accuracy, **options))
    found = search.points[0].quality.accuracy
    assert found is not None
    assert found < 0
    with pytest.raises(UsageError, match="--no-code"):
        auto("refused", accuracy=accuracy, code=False, **options)


def test_time_that_is_up_is_told(auto: Any) -> None:
    base = sqnr(auto("base", precision="int8"))
    made = auto(min_sqnr=base + 0.1, search_time=1e-3)
    assert sqnr(made) >= base + 0.1  # what wasn't asked is spared too, where it must be
    assert any("time was up" in warning for warning in made.warnings)
    search = search_of(made)
    assert not search.complete
    assert search.candidates == ()


def test_tflite_is_searched_with_its_own_latencies(auto: Any) -> None:
    base = sqnr(auto("base", precision="int8", to="tflite"))
    made = auto(to="tflite", layout="nhwc", min_sqnr=base + 0.3)
    assert sqnr(made) >= base + 0.3
    search = search_of(made)
    assert search.machine
    assert search.candidates
    assert all(p.ratio is not None for p in search.points if p.mix == search.chosen)
    assert not any("without their latency" in warning for warning in made.warnings)


def test_a_file_of_someone_elses_is_kept(auto: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "conv_net.auto.onnx.search.json"
    mine.write_text("{}")
    with pytest.raises(OutputError, match="not the record of a search"):
        auto(min_sqnr=12.0)
    assert mine.read_text() == "{}"
    auto(min_sqnr=12.0, force=True)
    auto(min_sqnr=12.0)  # ours is replaced
    assert read_search(mine).chosen == Mix()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"precision": "auto"}, "needs a budget"),
        ({"precision": "int8", "max_drop": "1pp"}, "--max-drop belongs to --precision auto"),
        ({"precision": "int8", "min_agreement": 0.9}, "--min-agreement belongs to"),
        ({"precision": "int8", "search_time": 5.0}, "--search-time belongs to"),
        ({"precision": "int8", "accuracy": "top5"}, "--accuracy belongs to"),
        ({"min_sqnr": 12.0, "search_time": 0.0}, "--search-time is 0 s"),
        ({"min_sqnr": 12.0, "search_time": float("nan")}, "--search-time is nan s"),
        ({"min_sqnr": float("nan")}, "--min-sqnr is nan"),
        ({"max_drop": "half"}, "--max-drop: 'half' can't be read"),
    ],
)
def test_options_that_do_not_go_together(auto: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        auto(**{"search_time": 300.0, **options})
