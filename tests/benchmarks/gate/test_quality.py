"""Verdicts on what a candidate answers beside its baseline."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.gate.quality import Quality, quality, quality_checks, unlike
from edgeopt.benchmarks.gate.verdict import Check, Verdict
from edgeopt.core.errors import DataError, EdgeOptError, ModelError, UnsupportedError
from edgeopt.core.manifest import OutputCheck
from edgeopt.data import open_dataset


def output(name: str, sqnr: float | None = 20.0, agreement: float | None = 0.9) -> OutputCheck:
    return OutputCheck(name, sqnr, 0.1, agreement)


def only(found: Quality, budgets: Budgets) -> Check:
    (check,) = quality_checks(found, budgets)
    return check


def test_what_was_found_stays_as_it_is() -> None:
    found = Quality((output("scores"),), 10, None)
    assert (found.lost, found.gained) == (0, 0)
    with pytest.raises(AttributeError):
        found.lost = 1  # type: ignore[misc]


def test_the_worst_output_is_the_one_with_the_least_sqnr() -> None:
    outputs = (output("same", None), output("far", 12.0), output("near", 40.0))
    assert Quality(outputs, 10, None).worst.output == "far"
    assert Quality(outputs[:1], 10, None).worst.output == "same"


@pytest.mark.parametrize(
    ("sqnr", "verdict"),
    [(12.0, Verdict.REGRESSION), (15.0, Verdict.PASS), (16.0, Verdict.PASS), (None, Verdict.PASS)],
)
def test_an_sqnr(sqnr: float | None, verdict: Verdict) -> None:
    found = only(Quality((output("scores", sqnr),), 10, None), Budgets(0, sqnr=15.0))
    why = "" if verdict is Verdict.PASS else "output 'scores' is too far from the baseline's"
    assert found == Check("sqnr", verdict, "15 dB", "dB", candidate=sqnr, why=why)


@pytest.mark.parametrize(
    ("agreement", "verdict"),
    [(0.97, Verdict.REGRESSION), (0.98, Verdict.PASS), (0.99, Verdict.PASS)],
)
def test_an_agreement_is_the_least_of_all_outputs(agreement: float, verdict: Verdict) -> None:
    outputs = (output("boxes", agreement=None), output("a"), output("b", agreement=agreement))
    found = only(
        Quality((outputs[0], output("a", agreement=1.0), outputs[2]), 10, None),
        Budgets(0, agreement=0.98),
    )
    why = "" if verdict is Verdict.PASS else "it gives other classes than the baseline"
    assert found == Check("agreement", verdict, "98%", "share", candidate=agreement, why=why)


def test_without_scores_there_is_no_agreement() -> None:
    found = Quality((output("boxes", agreement=None),), 10, None)
    with pytest.raises(DataError, match="no output looks like class scores") as refused:
        list(quality_checks(found, Budgets(0, agreement=0.9)))
    assert refused.value.hint == "use --min-sqnr instead of --min-agreement"


@pytest.mark.parametrize(
    ("lost", "gained", "verdict", "why"),
    [
        (0, 0, Verdict.PASS, ""),
        (60, 0, Verdict.REGRESSION, "60 of 1000 samples were lost"),
        (12, 0, Verdict.INCONCLUSIVE, "1000 samples are too few to tell: use more"),
        (60, 60, Verdict.INCONCLUSIVE, "1000 samples are too few to tell: use more"),
    ],
)
def test_a_drop(lost: int, gained: int, verdict: Verdict, why: str) -> None:
    found = only(
        Quality((output("s"),), 1000, (900, 900 - lost + gained), lost, gained),
        Budgets(0, drop=0.01),
    )
    assert (found.name, found.verdict, found.budget) == ("accuracy", verdict, "1pp")
    assert (found.unit, found.why) == ("share", why)
    assert (found.baseline, found.candidate) == (0.9, (900 - lost + gained) / 1000)
    assert found.change is not None
    assert found.change.point == (lost - gained) / 1000
    assert found.change.low < found.change.point < found.change.high or lost == gained


def test_an_end_of_the_interval_at_the_budget_is_within_it() -> None:
    found = Quality((output("s"),), 1000, (900, 860), 50, 10)
    change = only(found, Budgets(0, drop=0.01)).change
    assert change is not None
    assert only(found, Budgets(0, drop=change.low)).verdict is Verdict.INCONCLUSIVE
    assert only(found, Budgets(0, drop=change.high)).verdict is Verdict.PASS


def test_what_was_not_asked_is_not_checked() -> None:
    found = Quality((output("s", 1.0, 0.1),), 10, (9, 0), 9, 0)
    assert list(quality_checks(found, Budgets(0))) == []
    unlabelled = Quality((output("s"),), 10, None)
    assert list(quality_checks(unlabelled, Budgets(0, drop=0.0))) == []


@pytest.mark.parametrize(
    ("stage", "artifact", "kind", "said"),
    [
        ("outputs", 1, ModelError, "b.onnx: why"),
        ("outputs", 0, ModelError, "b.onnx: why"),
        ("numbers", 0, UnsupportedError, "a.onnx: why"),
        ("numbers", 1, UnsupportedError, "b.onnx: why"),
        ("scores", None, DataError, "why"),
        ("labels", None, DataError, "d.npz: why"),
    ],
)
def test_what_does_not_fit_is_named(
    stage: str, artifact: int | None, kind: type[EdgeOptError], said: str
) -> None:
    named: Any = tuple(SimpleNamespace(name=name) for name in ("a.onnx", "b.onnx"))
    error = unlike(Failure(stage, "why", artifact), named, "d.npz")
    assert type(error) is kind
    assert str(error).startswith(said)
    assert error.hint


def test_both_are_run_on_every_sample(conv_net: Path, conv_data: Path, tmp_path: Path) -> None:
    model = onnx.load(conv_net)
    (weights,) = (t for t in model.graph.initializer if t.name == "w3")
    changed = numpy_helper.to_array(weights) * 1.1
    weights.CopyFrom(numpy_helper.from_array(changed.astype(np.float32), "w3"))
    onnx.save(model, tmp_path / "other.onnx")
    with np.load(conv_data) as samples:
        labels = np.full(len(samples["image"]), 2)
        np.savez(tmp_path / "labelled.npz", image=samples["image"], labels=labels)
    one, other = read_artifact(conv_net), read_artifact(tmp_path / "other.onnx")
    data = tuple(open_dataset(tmp_path / "labelled.npz", a.inputs) for a in (one, other))
    told: list[tuple[int, int | None]] = []
    found = quality(
        one, other, data, labelled=True, progress=lambda _, n, of: told.append((n, of))  # type: ignore[arg-type]
    )  # fmt: skip
    assert told == [(n, 40) for n in range(1, 41)]
    assert found.samples == 40
    assert found.worst.sqnr_db is not None
    assert found.right is not None
    assert found.right[0] - found.lost + found.gained == found.right[1]
    unlabelled = quality(one, one, data, labelled=False, progress=lambda *_: None)  # type: ignore[arg-type]
    assert (unlabelled.right, unlabelled.worst.sqnr_db) == (None, None)


def test_each_is_fed_as_it_takes_its_inputs(
    conv_net: Path, tflite_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    pair = read_artifact(conv_net), read_artifact(tflite_net)  # NCHW and NHWC
    with np.load(conv_data) as samples:
        np.savez(tmp_path / "last.npz", image=samples["image"].transpose(0, 2, 3, 1))
    files = conv_data, tmp_path / "last.npz"
    data = [open_dataset(f, each.inputs) for f, each in zip(files, pair, strict=True)]
    for one, other in ((0, 1), (1, 0)):
        found = quality(
            pair[one], pair[other], (data[one], data[other]),
            labelled=False, progress=lambda *_: None,
        )  # fmt: skip
        assert found.worst.sqnr_db is None or found.worst.sqnr_db > 80


def test_labels_beyond_the_scores_are_the_datas_fault(
    conv_net: Path, conv_data: Path, tmp_path: Path
) -> None:
    with np.load(conv_data) as samples:
        labels = np.full(len(samples["image"]), 99)
        np.savez(tmp_path / "labelled.npz", image=samples["image"], labels=labels)
    one = read_artifact(conv_net)
    data = open_dataset(tmp_path / "labelled.npz", one.inputs)
    with pytest.raises(DataError, match=r"labelled\.npz.*: "):
        quality(one, one, (data, data), labelled=True, progress=lambda *_: None)
