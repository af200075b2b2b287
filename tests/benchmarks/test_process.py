"""Fresh processes: that they are, and what becomes of one that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeopt.benchmarks import process
from edgeopt.benchmarks.artifact import read_artifact
from edgeopt.benchmarks.inputs import save_inputs
from edgeopt.benchmarks.messages import PairedAnswer, SoloAnswer
from edgeopt.benchmarks.paired import Subject, time_alone, time_together
from edgeopt.benchmarks.plan import Plan
from edgeopt.core.errors import EdgeOptError, MeasurementError, ModelError, UnsupportedError

QUICK = Plan(duration=0.02, warmup=0.02, processes=2)


def subject(path: Path, name: str = "image", shape: tuple[int, ...] = (1, 1, 16, 16)) -> Subject:
    inputs = path.with_suffix(".npz")
    save_inputs({name: np.zeros(shape, np.float32)}, inputs)
    return Subject(read_artifact(path), inputs)


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    program = folder / "program.py"
    program.write_text(f"import os, sys, time\n{code}\n")
    monkeypatch.setattr(process, "PROGRAM", program)


def one_line(error: EdgeOptError) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    return text


def test_alone(make_model: Callable[..., Path]) -> None:
    answer = time_alone(subject(make_model()), QUICK)
    assert answer.load_ns > 0
    assert answer.first_ns > 0
    assert answer.warmup.calls >= 1
    assert answer.runtime.providers == ("CPUExecutionProvider",)


def test_a_fresh_process_has_none_of_our_memory(make_model: Callable[..., Path]) -> None:
    ours = np.ones(400 << 20, np.uint8)
    answer = time_alone(subject(make_model()), QUICK)
    if answer.memory.peak_bytes.value is None:
        pytest.skip(f"no peak memory here: {answer.memory.peak_bytes.absent}")
    assert answer.memory.peak_bytes.value < ours.nbytes


def test_a_bigger_model_needs_more_memory(make_model: Callable[..., Path]) -> None:
    small = time_alone(subject(make_model("s.onnx")), QUICK).memory.peak_bytes.value
    big = time_alone(subject(make_model("b.onnx", layers=3, channels=512)), QUICK)
    if small is None:
        pytest.skip("no peak memory here")
    assert big.memory.peak_bytes.value is not None
    assert big.memory_before.peak_bytes.value is not None
    # Two layers of 512 x 512 x 3 x 3 floats are 18.9 MB.
    assert big.memory.peak_bytes.value > small + (15 << 20)
    assert big.memory.peak_bytes.value > big.memory_before.peak_bytes.value + (15 << 20)


def test_together(make_model: Callable[..., Path]) -> None:
    a, b = subject(make_model("a.onnx")), subject(make_model("b.onnx", layers=1))
    answers = list(time_together([a, b, a], Plan(duration=0.2, warmup=0.02, processes=3)))
    assert len(answers) == 3
    for answer in answers:
        turns = [block.artifact for block in answer.blocks]
        assert turns.count(0) == turns.count(1) == turns.count(2) >= 5
        assert sorted(answer.created) == [0, 1, 2]
    orders = {tuple(block.artifact for block in answer.blocks[:15]) for answer in answers}
    assert len(orders) > 1


def test_more_processes_draw_new_orders(make_model: Callable[..., Path]) -> None:
    pair = [subject(make_model("a.onnx"))] * 2
    plan = Plan(duration=0.1, warmup=0.01, processes=1)
    first, again, later = (next(time_together(pair, plan, first=n)) for n in (0, 0, 7))

    def turns(answer: PairedAnswer) -> list[int]:
        return [block.artifact for block in answer.blocks[:10]]

    assert turns(first) == turns(again) != turns(later)


def test_an_operator_that_is_not_there(custom_op: Path) -> None:
    with pytest.raises(UnsupportedError, match="Unheard") as caught:
        time_alone(subject(custom_op, "x", (1, 4)), QUICK)
    assert one_line(caught.value).startswith(f"{custom_op}: ONNX Runtime lacks an operator")


def test_a_model_that_cannot_run_names_itself_among_others(make_model: Callable[..., Path]) -> None:
    good, bad = make_model("good.onnx"), make_model("bad.onnx")
    subjects = [subject(good), subject(bad, shape=(1, 1, 16, 15))]
    with pytest.raises(ModelError, match="can't run it") as caught:
        list(time_together(subjects, QUICK))
    assert one_line(caught.value).startswith(f"{bad}: ")


def test_a_file_changed_behind_our_back(make_model: Callable[..., Path]) -> None:
    model = subject(make_model())
    model.artifact.path.write_bytes(b"\x08\x01garbage")
    with pytest.raises(ModelError, match="can't load it") as caught:
        time_alone(model, QUICK)
    assert one_line(caught.value).count(str(model.artifact.path)) == 1


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("os.abort()", ModelError, "crashed on it (SIGABRT): it left no message"),
        ("print('bad weights', file=sys.stderr); os._exit(7)", ModelError, "bad weights"),
        ("os.kill(os.getpid(), 9)", MeasurementError, "out of memory"),
        ("open('result.json', 'w').write('{\"load_ns\": 1}')", MeasurementError, "not valid"),
        ("open('result.json', 'w').write('hello')", MeasurementError, "not valid"),
    ],
)
@pytest.mark.skipif("os.name != 'posix'", reason="signals")
def test_a_process_that_goes_wrong(
    make_model: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: str,
    kind: type[EdgeOptError],
    words: str,
) -> None:
    model = subject(make_model())
    stand_in(monkeypatch, tmp_path, code)
    with pytest.raises(kind) as caught:
        time_alone(model, QUICK)
    assert words in one_line(caught.value)


def test_a_hung_process_is_killed(
    make_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = subject(make_model())
    stand_in(
        monkeypatch,
        tmp_path,
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)",
    )
    with pytest.raises(MeasurementError, match="no result after"):
        time_alone(model, Plan(duration=0.01, warmup=0.01, timeout=1.0))
    assert (tmp_path / "pid").read_text()


def test_a_bug_of_ours_shows_its_traceback(
    make_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = subject(make_model())
    stand_in(monkeypatch, tmp_path, "1 / 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        time_alone(model, QUICK)


def test_no_memory_is_the_machine_s_failing() -> None:
    told = b'{"failure":{"stage":"load","reason":"MemoryError: ","artifact":0}}'
    with pytest.raises(MeasurementError, match="not enough memory to load it"):
        process.decode(told, SoloAnswer, ["m.onnx"])
