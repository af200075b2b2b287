"""Views held against numpy: what a value is doesn't depend on how it is stored."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.converters.tflite.model import Tensor
from edgeopt.converters.tflite.storage import Storage
from edgeopt.converters.tflite.views import View

Step = tuple[str, list[int]]


def factors(number: int, draw: st.DrawFn) -> list[int]:
    """A shape with that many elements."""
    shape: list[int] = []
    while number > 1:
        divisors = [d for d in range(1, number + 1) if number % d == 0]
        shape.append(number if len(shape) == 3 else draw(st.sampled_from(divisors)))
        number //= shape[-1]
    return shape + [1] * draw(st.integers(0, 2))


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[int], list[Step]]:
    """A shape, and transposes and reshapes one after another."""
    start = draw(st.lists(st.sampled_from([1, 2, 3, 4]), min_size=1, max_size=4))
    shape, steps = list(start), list[Step]()
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            order = draw(st.permutations(range(len(shape))))
            steps.append(("transpose", list(order)))
            shape = [shape[n] for n in order]
        else:
            shape = factors(math.prod(shape), draw) or [1]
            steps.append(("reshape", shape))
    return start, steps


@given(walks())
def test_transposes_and_reshapes_are_numpys(walk: tuple[list[int], list[Step]]) -> None:
    shape, steps = walk
    array = np.arange(math.prod(shape)).reshape(shape)
    storage = Storage("model")
    view = View.of(Tensor("x", array.dtype, array.shape, data=array))
    for kind, argument in steps:
        if kind == "transpose":
            array, view = array.transpose(argument), view.permuted(tuple(argument))
        else:
            array = array.reshape(argument)
            view = storage.reshaped(view, tuple(argument), tuple(argument))
        assert view.shape == array.shape
    np.testing.assert_array_equal(storage.plain(view).data, array)


@given(walks(), st.randoms(use_true_random=False))
def test_any_order_can_be_stored(walk: tuple[list[int], list[Step]], rng: object) -> None:
    shape, _ = walk
    array = np.arange(math.prod(shape)).reshape(shape)
    order = list(range(array.ndim))
    rng.shuffle(order)  # type: ignore[attr-defined]
    view = View.of(Tensor("x", array.dtype, array.shape, data=array))
    stored = Storage("model").stored(view, tuple(order))
    np.testing.assert_array_equal(stored.data, array.transpose(order))


@given(walks())
def test_the_storage_order_is_how_it_is_stored(walk: tuple[list[int], list[Step]]) -> None:
    shape, steps = walk
    storage = Storage("model")
    array = np.arange(math.prod(shape)).reshape(shape)
    view = View.of(Tensor("x", array.dtype, array.shape, data=array))
    for kind, argument in steps:
        if kind == "transpose":
            view = view.permuted(tuple(argument))
        else:
            view = storage.reshaped(view, tuple(argument), tuple(argument))
    order = view.storage_order()
    if order is not None:  # then nothing has to move
        stored = storage.stored(view, order).data
        assert stored is not None
        assert view.tensor.data is not None
        np.testing.assert_array_equal(stored.reshape(-1), view.tensor.data.reshape(-1))


def test_a_batch_stays_an_axis_of_its_own() -> None:
    tensor = Tensor("x", np.dtype(np.float32), (1, 4, 6), frozenset({0}))
    storage = Storage("model")
    view = storage.reshaped(View.of(tensor), (1, 24), (10007, 24))
    assert view.shape == (1, 24)
    assert view.batched == {0}
    merged = storage.reshaped(View.of(tensor), (4, 6), (4 * 10007, 6))
    assert storage.plain(merged).signature == (-1, 6)
