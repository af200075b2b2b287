"""Making an array fit a model's input, or saying why it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.errors import DataError
from edgeopt.core.tensors import TensorSpec

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


_SHAPE = "store one sample an entry of axis 0, in the model's own shape"


def fit(
    array: NDArray[np.generic],
    spec: TensorSpec,
    origin: str,
    *,
    hint: str = _SHAPE,
) -> NDArray[np.generic]:
    """Give one sample's array the input's dtype and rank.

    Args:
        array: One sample of the input, without the batch axis.
        spec: The model's input.
        origin: For messages.
        hint: What to do about a wrong shape.

    Raises:
        DataError: If shape or dtype don't fit, or a value is NaN or infinite.
    """
    array = shaped(array, spec, origin, hint=hint)
    # A copy: rows read from a file are read-only, which PyTorch doesn't take.
    fitted = np.array(array, dtype=np.dtype(spec.dtype), order="C")
    if fitted.dtype.kind == "f" and not np.isfinite(fitted).all():
        raise DataError(
            f"{origin}: input {spec.name!r} holds NaN or infinity",
            hint="clean the data: one such value would spoil every range",
        )
    return fitted


def shaped(
    array: NDArray[np.generic],
    spec: TensorSpec,
    origin: str,
    *,
    hint: str = _SHAPE,
    taker: str = "the model takes",
) -> NDArray[np.generic]:
    """Give one sample's array the input's rank, if its dtype and shape fit.

    A sample has no batch axis: one of rank ``len(spec.shape) - 1`` gains it in front. One that has
    the input's full rank already is what the model takes (a recurrent state whose batch is axis 1,
    a scalar).

    Args:
        array: One sample of the input, without the batch axis.
        spec: The model's input.
        origin: For messages.
        hint: What to do about a wrong shape.
        taker: For messages, where it isn't a model's input.

    Raises:
        DataError: If they don't.
    """
    _check_kind(array.dtype, spec, origin, taker)
    if array.ndim == len(spec.shape) - 1:
        array = array[np.newaxis]
    if not _accepts(spec, array.shape):
        raise DataError(
            f"{origin}: input {spec.name!r} has shape {_show(array.shape)}, "
            f"but {taker} {_show(spec.shape)}",
            hint=_turned(spec, array.shape) or hint,
        )
    return array


def _turned(spec: TensorSpec, shape: tuple[int, ...]) -> str:
    """What to do about a picture whose channels are at the other end; empty if that isn't it."""
    orders = {"last": (0, 3, 1, 2), "first": (0, 2, 3, 1)}
    for place, order in orders.items() if len(shape) == 4 else ():
        if _accepts(spec, tuple(shape[axis] for axis in order)):
            return (
                f"its channels are {place}, the model's are not: "
                f"array.transpose{order} turns an array of samples"
            )
    return ""


def _check_kind(have: DTypeLike, spec: TensorSpec, origin: str, taker: str) -> None:
    # Integers are cast to floats (pixels), narrow to wide; a float never becomes an integer.
    have, want = np.dtype(have), np.dtype(spec.dtype)
    if have.kind not in "biuf" or (have.kind == "f" and want.kind != "f"):
        raise DataError(
            f"{origin}: input {spec.name!r} has dtype {have}, but {taker} {want}",
            hint=f"store it as {want}",
        )


def _accepts(spec: TensorSpec, shape: tuple[int, ...]) -> bool:
    if spec.accepts(shape):
        return True
    # A fixed batch larger than one is filled by stacking samples.
    first = spec.shape[0] if spec.shape else None
    return (
        isinstance(first, int)
        and first > 1
        and shape[:1] == (1,)
        and len(shape) == len(spec.shape)
        and all(
            isinstance(w, str) or w == h for w, h in zip(spec.shape[1:], shape[1:], strict=True)
        )
    )


def _show(shape: tuple[int | str, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
