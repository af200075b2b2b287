"""Two models' answers, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from edgeopt.benchmarks.device.beside import Beside
from edgeopt.benchmarks.device.failure import Failure

A = np.array([[1.0, 3.0, 2.0]], np.float32)
B = np.array([[4.0, 3.0, 2.0]], np.float32)


def test_hits_are_counted_in_pairs() -> None:
    beside = Beside()
    for one, other, label in ((A, A, 1), (A, B, 1), (A, B, 0), (B, B, 1)):
        beside.add({"s": one}, {"t": other}, label)
    found = beside.as_json()
    assert (found["right"], found["lost"], found["gained"]) == ([2, 2], 1, 1)
    assert (found["samples"], found["outputs"][0]["output"]) == (4, "s")
    assert found["outputs"][0]["agreement"] == 0.5


def test_several_outputs_belong_together_by_name_whatever_their_order() -> None:
    beside = Beside()
    beside.add({"a": A, "b": B}, {"b": B, "a": A})
    assert [each["sqnr_db"] for each in beside.as_json()["outputs"]] == [None, None]
    assert beside.as_json()["right"] is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"a": A, "c": B}, r"it gives a\[1, 3\], c\[1, 3\], and the baseline gives a\[1, 3\], b"),
        ({"a": A}, r"it gives a\[1, 3\], and"),
        ({"a": A, "b": B[:, :2]}, r"b\[1, 2\]"),
    ],
)
def test_outputs_that_do_not_fit(other: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(Failure, match=told) as raised:
        Beside().add({"a": A, "b": B}, other)
    assert raised.value.stage == "outputs"


def test_accuracy_needs_one_output_of_scores() -> None:
    with pytest.raises(Failure, match=r"a and b all look like class scores"):
        Beside().add({"a": A, "b": B}, {"a": A, "b": B}, 0)
    with pytest.raises(Failure, match=r"no output looks like class scores .*\(a \[3\]\)"):
        Beside().add({"a": A[0]}, {"a": A[0]}, 0)
