"""What goes element by element over one, two or more tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeopt.converters.tflite.kernels import takes, wider
from edgeopt.converters.tflite.model import Options, Tensor
from edgeopt.converters.tflite.storage import Storage
from edgeopt.converters.tflite.views import View

_TABLES = {
    "ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions",
    "MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions", "POW": "PowOptions",
    "FLOOR_MOD": "FloorModOptions", "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
    "EQUAL": "EqualOptions", "NOT_EQUAL": "NotEqualOptions", "GREATER": "GreaterOptions",
    "GREATER_EQUAL": "GreaterEqualOptions", "LESS": "LessOptions",
    "LESS_EQUAL": "LessEqualOptions", "LOGICAL_AND": "LogicalAndOptions",
    "LOGICAL_OR": "LogicalOrOptions", "SELECT_V2": "SelectV2Options",
    "BITWISE_XOR": "BitwiseXorOptions", "RIGHT_SHIFT": "RightShiftOptions",
    "ABS": "AbsOptions", "COS": "CosOptions", "EXP": "ExpOptions", "NEG": "NegOptions",
    "SIGN": "SignOptions", "LOGICAL_NOT": "LogicalNotOptions", "HARD_SWISH": "HardSwishOptions",
}  # fmt: skip
"""Options tables of elementwise operators; the others have none."""


def mapped(
    storage: Storage, code: str, view: View, table: str | None = None, *, dtype: Any = None,
    fields: dict[str, Any] | None = None,
) -> View:  # fmt: skip
    """One operator over every element, in whatever order they are stored."""
    kind = _wider(code, view)
    if kind is not None:
        found = mapped(storage, code, cast(storage, view, kind), table, dtype=dtype, fields=fields)
        return found if dtype is not None else cast(storage, found, view.tensor.dtype)
    table = table or _TABLES.get(code)
    options = None if table is None else Options(table, fields or {})
    return view.at(storage.emit(code, [view.tensor], options, dtype=dtype))


def combined(
    storage: Storage,
    code: str,
    views: list[View],
    options: Options | None = None,
    *,
    dtype: Any = None,
) -> View:
    """One operator over the elements of several values that broadcast (numpy's rules).

    The largest value stays as it is stored; the others follow.
    """
    kind = _wider(code, views[0])
    if kind is not None:
        wide = [cast(storage, view, kind) for view in views]
        found = combined(storage, code, wide, options, dtype=dtype)
        return found if dtype is not None else cast(storage, found, views[0].tensor.dtype)
    if options is None and code in _TABLES:
        options = Options(_TABLES[code])
    alike = _stored_alike(storage, code, views, options, dtype)
    if alike is not None:
        return alike
    followed = _followed(storage, code, views, options, dtype)
    if followed is not None:
        return followed
    rank = max(view.rank for view in views)
    wide = [view.expanded(list(range(rank - view.rank))) for view in views]
    shape = tuple(np.broadcast_shapes(*(view.shape for view in wide)))
    order = _common_order(wide)
    tensors = [_trimmed(storage.stored(view, order)) for view in wide]
    grown = frozenset(axis for view in wide for axis in view.batched)
    output = storage.emit(
        code, [*tensors], options, shape=tuple(shape[n] for n in order),
        batched=frozenset(n for n, axis in enumerate(order) if axis in grown), dtype=dtype,
    )  # fmt: skip
    return View(output, tuple((order.index(n),) for n in range(rank)))


def _stored_alike(
    storage: Storage, code: str, views: list[View], options: Options | None, dtype: Any
) -> View | None:
    """The result where all are stored in one way, numbers apart: they stay as they are."""
    whole = [view for view in views if view.tensor.data is None or view.tensor.data.size != 1]
    if not whole or any(view.axes != whole[0].axes for view in whole[1:]):
        return None
    if any(len(v.tensor.shape) != len(whole[0].tensor.shape) for v in whole):
        return None
    if any(v.rank > whole[0].rank for v in views):
        return None
    shape = np.broadcast_shapes(*(view.tensor.shape for view in whole))
    if any(s != 1 and i not in _used(whole[0]) for i, s in enumerate(shape)):
        return None
    tensors = [view.tensor if view in whole else _trimmed(view.tensor) for view in views]
    grown = frozenset(i for view in whole for i in view.tensor.batched)
    output = storage.emit(code, [*tensors], options, shape=shape, batched=grown, dtype=dtype)
    return whole[0].at(output)


def _followed(
    storage: Storage, code: str, views: list[View], options: Options | None, dtype: Any
) -> View | None:
    """The result where constants are put in the order of the only value that isn't one.

    For values that no order of axes can store, such as groups of channels that are stored last.
    """
    running = [view for view in views if not view.tensor.constant]
    if len(running) != 1 or running[0].storage_order() is not None:
        return None
    (main,) = running
    rows = [view if view is main else _following(storage, view, main) for view in views]
    whole = [view for view in rows if view is not None]
    if len(whole) < len(rows):
        return None
    tensors: list[Tensor | None] = [view.tensor for view in whole]
    output = storage.emit(code, tensors, options, like=main.tensor, dtype=dtype)
    return main.at(output)


def _following(storage: Storage, constant: View, main: View) -> View | None:
    """A constant stored as a value is that it broadcasts with; None if it is larger somewhere."""
    quantized = constant.tensor.quantization is not None
    if quantized or constant.rank > main.rank:
        return None
    wide = constant.expanded(list(range(main.rank - constant.rank)))
    sizes: list[int] = []
    for axis, own, whole in zip(main.axes, wide.shape, main.shape, strict=True):
        if own not in (1, whole) or (own > 1 and main.tensor.batched & set(axis)):
            return None
        sizes += [1 if own == 1 else main.tensor.shape[i] for i in axis]
    places = main.stored_axes(tuple(range(main.rank)))
    sizes += [1] * (len(places) - len(sizes))
    back = tuple(int(n) for n in np.argsort(places))
    return View.of(storage.plain(wide).reshaped(tuple(sizes)).transposed(back))


def _used(view: View) -> set[int]:
    return {i for axis in view.axes for i in axis}


def with_number(storage: Storage, code: str, view: View, number: float) -> View:
    """An operator of a value and a number, which comes second."""
    return combined(storage, code, [view, number_like(storage, view, number)])


def number_like(storage: Storage, view: View, number: float) -> View:
    """A number of a value's type."""
    constant = np.array(number, view.tensor.dtype)
    return View.of(storage.constant_tensor(constant, f"number_{number:g}"))


def cast(storage: Storage, view: View, dtype: Any) -> View:
    """A value in another type: floats are truncated, integers keep their lowest bits."""
    wanted = np.dtype(dtype)
    if view.tensor.dtype == wanted:
        return view
    if view.tensor.data is not None and view.tensor.quantization is None:
        array = view.tensor.data.astype(wanted)
        return view.at(storage.constant_tensor(array, f"{view.tensor.name}_{wanted}"))
    return mapped(storage, "CAST", view, "CastOptions", dtype=wanted)


def _wider(code: str, view: View) -> np.dtype[Any] | None:
    tensor = view.tensor
    if code == "CAST" or tensor.quantization is not None or takes(code, tensor.dtype):
        return None
    return wider(code, tensor.dtype)


def _common_order(views: list[View]) -> tuple[int, ...]:
    """The order of the largest one's axes that isn't constant; ONNX's if it has none."""
    running = [view for view in views if not view.tensor.constant] or views
    largest = max(running, key=lambda view: (np.prod(view.shape), view.rank))
    return largest.storage_order() or tuple(range(largest.rank))


def _trimmed(tensor: Tensor) -> Tensor:
    """A constant without leading axes of size 1: broadcasting needs none."""
    if tensor.data is None:
        return tensor
    lead = next((n for n, size in enumerate(tensor.shape) if size != 1), len(tensor.shape))
    per_channel = tensor.quantization is not None and tensor.quantization.axis is not None
    return tensor if not lead or per_channel else tensor.reshaped(tensor.shape[lead:])
