"""Real comparisons of real artifacts; what is slower here is much slower: noise can't hide it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.core.errors import (
    DataError,
    GateError,
    MeasurementError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.pipeline import baseline
from edgeopt.pipeline.compare import check_verdict

Save = Callable[..., Path]
QUICK: dict[str, Any] = {"duration": 0.05, "max_processes": 5}
FEW: dict[str, Any] = {"duration": 0.02, "max_processes": 2}
"""Where it is not about latency."""
SIZE, CLASSES = 64, 10


@pytest.fixture
def make_net(save_model: Save, rng: np.random.Generator) -> Callable[..., Path]:
    """A classifier of vectors; ``turns`` products of the same size, one after another."""
    square = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0].astype(np.float32)
    last = rng.standard_normal((SIZE, CLASSES)).astype(np.float32)

    def make(
        name: str,
        turns: int = 4,
        *,
        wrong: float = 0.0,
        width: int = SIZE,
        output: str = "scores",
        taken: str = "x",
        classes: int = CLASSES,
    ) -> Path:
        nodes, at = [], taken
        for turn in range(turns):
            nodes.append(helper.make_node("MatMul", [at, "square"], [f"a{turn}"]))
            nodes.append(helper.make_node("MatMul", [f"a{turn}", "back"], [f"b{turn}"]))
            at = f"b{turn}"
        nodes.append(helper.make_node("MatMul", [at, "last"], [output]))
        final = last[:, :classes] + np.float32(wrong) * np.random.default_rng(0).standard_normal(
            (SIZE, classes)
        )
        constants: dict[str, Any] = {"square": square, "back": square.T.copy()}
        constants["last"] = final.astype(np.float32)
        if width != SIZE:
            constants["square"], constants["back"] = (np.eye(width, SIZE), np.eye(SIZE, width))
            constants = {n: a.astype(np.float32) for n, a in constants.items()}
            nodes = [
                helper.make_node("MatMul", ["x", "square"], ["a"]),
                helper.make_node("MatMul", ["a", "last"], [output]),
            ]
            del constants["back"]
        return save_model(
            nodes,
            [(taken, TensorProto.FLOAT, [1, width])],
            [(output, TensorProto.FLOAT, [1, classes])],
            constants,
            name=name,
        )

    return make


@pytest.fixture
def data(make_net: Callable[..., Path], tmp_path: Path, rng: np.random.Generator) -> Path:
    """Labels as the net itself gives them."""
    from edgeopt.core.runtime import open_session

    x = rng.standard_normal((200, SIZE)).astype(np.float32)
    session = open_session(make_net("labels.onnx"))
    scores = [session.run(None, {"x": row[None]})[0][0] for row in x]
    path = tmp_path / "data.npz"
    np.savez(path, x=x, labels=np.argmax(scores, axis=1))
    return path


def check(found: Comparison, name: str) -> Check:
    (one,) = [c for c in found.checks if c.name == name]
    return one


@pytest.mark.timing
def test_what_is_much_slower_is_a_regression(make_net: Callable[..., Path]) -> None:
    found = edgeopt.compare(make_net("a.onnx", 40), make_net("b.onnx", 80), **QUICK)
    assert found.verdict is Verdict.REGRESSION
    assert found.ratio.low > 1.03
    assert found.processes == 5
    with pytest.raises(GateError, match=r"b\.onnx beside .*a\.onnx: latency: it is slower"):
        check_verdict(found)


@pytest.mark.timing
def test_what_is_much_faster_passes(make_net: Callable[..., Path]) -> None:
    found = edgeopt.compare(make_net("a.onnx", 80), make_net("b.onnx", 40), **QUICK)
    assert found.verdict is Verdict.PASS
    check_verdict(found)


@pytest.mark.timing
def test_a_file_beside_itself_is_no_regression(make_net: Callable[..., Path]) -> None:
    net = make_net("a.onnx", 40)
    found = edgeopt.compare(net, net, max_slowdown="10%", **QUICK)
    assert found.verdict is not Verdict.REGRESSION
    assert found.baseline.sha256 == found.candidate.sha256
    assert found.ratio.low < 1.1


def test_lost_accuracy_is_a_regression_however_fast(
    make_net: Callable[..., Path], data: Path
) -> None:
    a, b = make_net("a.onnx"), make_net("b.onnx", 1, wrong=3.0)
    found = edgeopt.compare(a, b, evaluation=data, max_drop="5pp", min_agreement="99%", **FEW)
    assert check(found, "accuracy").verdict is Verdict.REGRESSION
    assert check(found, "agreement").verdict is Verdict.REGRESSION
    assert found.verdict is Verdict.REGRESSION


def test_a_few_samples_leave_accuracy_open(make_net: Callable[..., Path], data: Path) -> None:
    a = make_net("a.onnx")
    found = edgeopt.compare(a, a, evaluation=data, max_drop="0.1pp", **FEW)
    one = check(found, "accuracy")
    assert one.verdict is Verdict.INCONCLUSIVE
    assert one.why == "200 samples are too few to tell: use more"


def test_outputs_that_went_far_off_are_told_in_decibels(make_net: Callable[..., Path]) -> None:
    a, b = make_net("a.onnx"), make_net("b.onnx", wrong=0.1)
    found = edgeopt.compare(a, b, min_sqnr=40.0, **FEW)
    one = check(found, "sqnr")
    assert one.verdict is Verdict.REGRESSION
    assert one.candidate is not None
    assert 10 < one.candidate < 30


def test_size_and_memory_have_budgets(make_net: Callable[..., Path]) -> None:
    a, b = make_net("a.onnx", 2), make_net("b.onnx", 40)
    found = edgeopt.compare(
        a, b, max_size="+1%", max_memory="2GB", max_load="60s", max_latency="10s", **FEW
    )
    assert check(found, "size").verdict is Verdict.REGRESSION
    assert check(found, "memory").verdict is Verdict.PASS
    assert check(found, "load").verdict is Verdict.PASS
    assert check(found, "median").verdict is Verdict.PASS


def test_a_cap_on_time_ends_it_without_a_pass(make_net: Callable[..., Path]) -> None:
    with pytest.raises(MeasurementError, match="time was up before there were two processes"):
        edgeopt.compare(make_net("a.onnx"), make_net("b.onnx"), max_time=1e-9)


def test_what_is_open_is_its_own_exit_code_or_what_was_asked(
    make_net: Callable[..., Path], data: Path
) -> None:
    a = make_net("a.onnx")
    found = edgeopt.compare(a, a, evaluation=data, max_drop="0.1pp", **FEW)
    found = msgspec.structs.replace(found, verdict=Verdict.INCONCLUSIVE)
    with pytest.raises(MeasurementError, match="accuracy: 200 samples are too few"):
        check_verdict(found)
    with pytest.raises(GateError):
        check_verdict(found, "fail")
    check_verdict(found, "pass")


def test_artifacts_with_other_inputs_are_refused(make_net: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match=r"takes x:float32\[1,32\], and the baseline .* takes x"):
        edgeopt.compare(make_net("a.onnx"), make_net("b.onnx", width=32))


def test_a_baseline_is_called_as_it_was_named(
    make_net: Callable[..., Path], tmp_path: Path
) -> None:
    baseline.save(make_net("a.onnx"), "main", tmp_path / "store")
    with pytest.raises(ModelError, match=r"and the baseline @main takes x"):
        edgeopt.compare("@main", make_net("b.onnx", width=32), store=tmp_path / "store")


def test_artifacts_with_other_outputs_are_refused(make_net: Callable[..., Path]) -> None:
    told = r"b\.onnx: it gives scores\[1, 9\], and the baseline gives scores\[1, 10\]"
    with pytest.raises(ModelError, match=told):
        edgeopt.compare(make_net("a.onnx"), make_net("b.onnx", classes=9))


def test_outputs_that_are_no_numbers_are_named(save_model: Save) -> None:
    nodes = [helper.make_node("SequenceConstruct", ["x", "x"], ["pair"])]
    net = save_model(nodes, [("x", TensorProto.FLOAT, [1, 4])], [("x", TensorProto.FLOAT, [1, 4])])
    model = onnx.load(net)
    ends = helper.make_tensor_sequence_value_info("pair", TensorProto.FLOAT, [1, 4])
    del model.graph.output[:]
    model.graph.output.append(ends)
    onnx.save(model, net)
    with pytest.raises(UnsupportedError, match="output 'pair' is not a tensor"):
        edgeopt.compare(net, net, **FEW)


def test_names_say_nothing_where_there_is_one_of_each(
    make_net: Callable[..., Path], data: Path, tmp_path: Path
) -> None:
    a, b = make_net("a.onnx"), make_net("b.onnx", output="logits", taken="features")
    options: dict[str, Any] = {"max_drop": "50pp", "min_sqnr": 100.0, **FEW}
    assert check(edgeopt.compare(a, b, min_sqnr=100.0, **FEW), "sqnr").verdict is Verdict.PASS
    # The data may have either name.
    stored = np.load(data)
    theirs = tmp_path / "theirs.npz"
    np.savez(theirs, features=stored["x"], labels=stored["labels"])
    for samples in (data, theirs):
        found = edgeopt.compare(a, b, evaluation=samples, **options)
        assert check(found, "sqnr").verdict is Verdict.PASS
        assert check(found, "accuracy").baseline == 1.0
    neither = tmp_path / "neither.npz"
    np.savez(neither, z=stored["x"])
    with pytest.raises(DataError, match=r"no array named 'x' \(it has: z\)"):
        edgeopt.compare(a, b, evaluation=neither, **options)
    with pytest.raises(ModelError, match="takes features"):
        edgeopt.compare(a, make_net("b.onnx", width=32, taken="features"))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.full(3, 10), "a label is 10, but the model has classes 0 to 9"),
        (np.full(3, 0.5), "its label is not a class index"),
    ],
)
def test_labels_that_do_not_match(
    make_net: Callable[..., Path], tmp_path: Path, labels: np.ndarray, told: str
) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, x=np.zeros((3, SIZE), np.float32), labels=labels)
    a = make_net("a.onnx")
    with pytest.raises(DataError, match=told):
        edgeopt.compare(a, a, evaluation=path, max_drop="1pp", **FEW)


def test_formats_can_be_mixed(conv_net: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    made = edgeopt.convert(conv_net, to="onnx,tflite", precision="fp32", output=tmp_path / "out")
    paths = [artifact.path for artifact in made.artifacts]
    found = edgeopt.compare(*paths, min_sqnr=80.0, **FEW)
    assert check(found, "sqnr").verdict is Verdict.PASS
    assert {found.baseline.runtime.name, found.candidate.runtime.name} == {"onnxruntime", "litert"}


def test_a_drop_needs_labels(make_net: Callable[..., Path], tmp_path: Path) -> None:
    a = make_net("a.onnx")
    with pytest.raises(UsageError, match="--max-drop needs labelled data"):
        edgeopt.compare(a, a, max_drop="1pp")
    project = tmp_path / "edgeopt.toml"
    project.write_text('[budgets]\nmax-drop = "1pp"\n')
    with pytest.raises(UsageError, match=r"max-drop \(.*edgeopt\.toml, budgets\) needs labelled"):
        edgeopt.compare(a, a, config=project)
    plain = tmp_path / "plain.npz"
    np.savez(plain, x=np.zeros((4, SIZE), np.float32))
    with pytest.raises(DataError, match="no labels"):
        edgeopt.compare(a, a, max_drop="1pp", evaluation=plain)


def test_more_threads_than_cores_measure_nothing(make_net: Callable[..., Path]) -> None:
    a = make_net("a.onnx")
    with pytest.raises(MeasurementError, match="usable cores"):
        edgeopt.compare(a, a, threads=4096)
