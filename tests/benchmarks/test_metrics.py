from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.benchmarks.metrics import Custom, Metric, TopK, class_scores, read_metrics
from edgeopt.core.errors import DataError, EdgeOptError, UsageError
from edgeopt.data import Sample


def sample(label: Any) -> Sample:
    return Sample({}, label, "data.npz[0]")


def share(metric: Metric, rows: list[list[float]], labels: list[Any]) -> dict[str, float]:
    for row, label in zip(rows, labels, strict=True):
        metric.add({"scores": np.array([row])}, sample(label))
    return metric.values()


def test_top1_and_top2() -> None:
    rows = [[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]
    assert share(TopK(1), rows, [1, 1, 0]) == {"top1": pytest.approx(1 / 3)}
    assert share(TopK(2), rows, [1, 1, 0]) == {"top2": pytest.approx(2 / 3)}


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=8),
    st.integers(0, 5),
    st.integers(1, 6),
)
def test_ties_go_to_the_lower_class_as_in_numpy(rows: list[list[int]], label: int, k: int) -> None:
    order = [np.argsort(-np.array(row), kind="stable")[:k] for row in rows]
    expected = np.mean([label in best for best in order])
    floats = [[float(x) for x in row] for row in rows]
    assert share(TopK(k), floats, [label] * len(rows)) == {f"top{k}": pytest.approx(expected)}


def test_nan_is_never_a_hit() -> None:
    nan = float("nan")
    assert share(TopK(1), [[nan, nan], [nan, 1.0]], [0, 1]) == {"top1": 0.0}


def test_a_label_may_be_an_array_of_one() -> None:
    assert share(TopK(1), [[0.0, 1.0]], [np.array([1])]) == {"top1": 1.0}


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (2, "classes 0 to 1"),
        (-1, "its label is -1"),
        (0.5, "not a class index"),
        (np.array([0, 1]), "not a class index"),
    ],
)
def test_a_label_that_is_no_class(label: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        share(TopK(1), [[0.0, 1.0]], [label])


def test_the_scores_are_the_only_rows() -> None:
    outputs = {"boxes": np.zeros((1, 4, 4)), "scores": np.ones((1, 3)), "flag": np.zeros((1, 1))}
    assert class_scores(outputs).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"map": np.zeros((1, 2, 8, 8))}, r"no output looks .* \(map \[1, 2, 8, 8\]\)"),
        ({"a": np.zeros((1, 2)), "b": np.zeros((1, 3))}, "a and b all look"),
    ],
)
def test_outputs_that_are_not_scores(outputs: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        class_scores(outputs)


def test_a_function_sees_everything_stacked() -> None:
    seen: list[Any] = []

    def mean_error(outputs: Any, labels: Any) -> float:
        seen.append((outputs["scores"].shape, labels.shape))
        return float(np.abs(outputs["scores"][:, 0] - labels).mean())

    rows, labels = [[1.0, 0.0], [3.0, 0.0]], [0, 1]
    (metric,) = read_metrics(mean_error)()
    assert share(metric, rows, labels) == {"mean_error": 1.5}
    assert seen == [((2, 2), (2,))]


def test_a_function_may_give_several_figures() -> None:
    metric = Custom(lambda *_: {"f1": np.float32(0.5), "recall": 1}, "f", "m:f")
    assert share(metric, [[0.0, 1.0]], [0]) == {"f1": 0.5, "recall": 1.0}


def test_a_function_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "scoring.py"
    file.write_text("def half(outputs, labels):\n    return 0.5\n")
    top, half = read_metrics(["top1", f"{file}:half"])()
    assert share(half, [[0.0, 1.0]], [0]) == {"half": 0.5}
    assert isinstance(top, TopK)


@pytest.mark.parametrize("accuracy", [("top1", "top5"), "top1,top5", ["top1,top5"]])
def test_several_can_be_asked_for(accuracy: Any) -> None:
    assert [next(iter(share(m, [[0.0, 1.0]], [0]))) for m in read_metrics(accuracy)()] == [
        "top1",
        "top5",
    ]


def test_code_can_be_refused(tmp_path: Path) -> None:
    file = tmp_path / "scoring.py"
    file.write_text("raise SystemExit('it ran')\n")
    with pytest.raises(UsageError, match="would run code"):
        read_metrics(f"{file}:half", code_allowed=False)


@pytest.mark.parametrize("name", ["top0", "top", "mAP", "", "top-5"])
def test_a_measure_that_is_not_known(name: str) -> None:
    with pytest.raises(UsageError, match="is no measure of accuracy"):
        read_metrics(name)


@pytest.mark.parametrize("given", ["good", None, [1, 2], float("nan")])
def test_a_function_that_gives_no_number(given: Any) -> None:
    with pytest.raises(UsageError):
        share(Custom(lambda *_: given, "f", "m:f"), [[0.0, 1.0]], [0])


def test_a_function_that_raises() -> None:
    def broken(outputs: Any, labels: Any) -> float:
        raise KeyError("boxes")

    (metric,) = read_metrics(broken)()
    with pytest.raises(EdgeOptError, match="broken raised KeyError"):
        share(metric, [[0.0, 1.0]], [0])


def test_outputs_of_different_shapes_cannot_be_stacked() -> None:
    metric = Custom(lambda *_: 0.0, "f", "m:f")
    metric.add({"boxes": np.zeros((1, 3))}, sample(0))
    metric.add({"boxes": np.zeros((1, 4))}, sample(0))
    with pytest.raises(DataError, match="differ in shape"):
        metric.values()
