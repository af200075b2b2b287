"""Resize and Upsample: LiteRT's kernels where they compute the same, else picks and sums.

What ONNX means is worked out as a matrix for each axis (which input pixels an output pixel is made
of, and their weights), and so is what LiteRT's kernels would do: where the two are equal the kernel
is taken, whatever the modes are called.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from edgeopt.converters.tflite.elementwise import combined
from edgeopt.converters.tflite.model import Options
from edgeopt.converters.tflite.ops.gathering import picked
from edgeopt.converters.tflite.ops.interpolation import Sampling, kernel_matrix, onnx_matrix
from edgeopt.converters.tflite.registry import lowers
from edgeopt.converters.tflite.storage import many_shape
from edgeopt.converters.tflite.views import View
from edgeopt.core.ir import ir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeopt.converters.tflite.lowering import Lowering

    Matrices = dict[int, NDArray[np.float64]]

_IMAGE = ((0,), (3,), (1,), (2,))
_KERNELS = {
    "nearest": ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
    "linear": ("RESIZE_BILINEAR", "ResizeBilinearOptions"),
}


@lowers("Resize", since=10)
def resize(node: ir.Node, lowering: Lowering) -> None:
    """Lower a Resize."""
    view = lowering.view(node.inputs[0])
    old = lowering.opset == 10
    scales = lowering.constant(node, 1 if old else 2)
    sizes = None if old else _sizes(node, lowering, view)
    axes = [a % view.rank for a in node.attributes.get_ints("axes", list(range(view.rank)))]
    sampling = Sampling.of(node, opset=lowering.opset)
    if sampling.coordinates == "tf_crop_and_resize":
        raise lowering.unsupported(node, "it crops: TFLite's Resize doesn't")
    given = [float(s) for s in scales.reshape(-1)] if scales is not None and scales.size else None
    if given is None:
        assert sizes is not None
        given = _scales(node, view, axes, sizes)
        ends = {a: _fitted(node, view.shape[a], n, s)
                for a, n, s in zip(axes, sizes, given, strict=True)}  # fmt: skip
    else:
        ends = {a: int(np.floor(view.shape[a] * s)) for a, s in zip(axes, given, strict=True)}
    if any(s != 1 for a, s in zip(axes, given, strict=True) if a in view.batched):
        raise lowering.unsupported(node, "it resizes the batch")
    exact = all(view.shape[a] * s == ends[a] for a, s in zip(axes, given, strict=True))
    if sampling.coordinates == "align_corners" and not exact:
        raise lowering.unsupported(
            node, "its scales give no whole sizes, for which runtimes align corners differently",
            "resize to sizes instead of by scales",
        )  # fmt: skip
    matrices = {
        a: onnx_matrix(view.shape[a], ends[a], scale, sampling)
        for a, scale in zip(axes, given, strict=True)
        if scale != 1 or ends[a] != view.shape[a]
    }
    lowering.bind(node.outputs[0], _resized(lowering, view, matrices, sampling.mode))


@lowers("Upsample", since=9)
def upsample(node: ir.Node, lowering: Lowering) -> None:
    """Lower an Upsample: an asymmetric Resize by scales."""
    view = lowering.view(node.inputs[0])
    scales = lowering.constant(node, 1)
    assert scales is not None
    mode = node.attributes.get_string("mode", "nearest")
    sampling = Sampling("linear" if mode == "linear" else mode, "asymmetric", "floor")
    matrices = {
        axis: onnx_matrix(view.shape[axis], int(view.shape[axis] * scale), float(scale), sampling)
        for axis, scale in enumerate(scales.reshape(-1))
        if scale != 1
    }
    lowering.bind(node.outputs[0], _resized(lowering, view, matrices, sampling.mode))


def _sizes(node: ir.Node, lowering: Lowering, view: View) -> list[int] | None:
    """Its sizes; that of the batch may be whatever the batch has."""
    known = lowering.known(node.inputs[3]) if len(node.inputs) > 3 else None
    if known is None or known.fixed or node.attributes.get("axes") is not None:
        return lowering.setting(node, 3, "")
    many = many_shape(view)
    fits = all(
        m == o or m == many[n] for n, (o, m) in enumerate(zip(known.one, known.many, strict=True))
    )
    return [int(n) for n in known.one] if fits else lowering.setting(node, 3, "")


def _scales(node: ir.Node, view: View, axes: list[int], sizes: list[int]) -> list[float]:
    scales = [n / view.shape[a] for a, n in zip(axes, sizes, strict=True)]
    policy = node.attributes.get_string("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return scales
    chosen = min(scales) if policy == "not_larger" else max(scales)
    return [chosen] * len(scales)


def _fitted(node: ir.Node, size: int, wanted: int, scale: float) -> int:
    policy = node.attributes.get_string("keep_aspect_ratio_policy", "stretch")
    return wanted if policy == "stretch" else int(np.floor(scale * size + 0.5))


def _resized(lowering: Lowering, view: View, matrices: Matrices, mode: str) -> View:
    if not matrices:
        return view
    if view.rank == 4 and set(matrices) == {2, 3} and all(map(_doubles, matrices.values())):
        return _doubled(lowering, view)
    if view.rank == 4 and set(matrices) <= {2, 3} and mode in _KERNELS:
        found = _by_kernel(lowering, view, matrices, mode)
        if found is not None:
            return found
    for axis, matrix in matrices.items():
        view = _by_sums(lowering, view, axis, matrix)
    return view


def _doubles(matrix: NDArray[np.float64]) -> bool:
    """Whether each pixel comes twice."""
    return np.array_equal(matrix, np.repeat(np.eye(matrix.shape[1]), 2, axis=0))


def _doubled(lowering: Lowering, view: View) -> View:
    """Each pixel four times: XNNPACK has no RESIZE_NEAREST_NEIGHBOR, but these two."""
    image = lowering.channels_last(view)
    batch, high, wide, deep = image.shape
    four = lowering.emit(
        "CONCATENATION", [image] * 4, Options("ConcatenationOptions", {"axis": 3}),
        shape=(batch, high, wide, 4 * deep), batched=image.batched,
    )  # fmt: skip
    output = lowering.emit(
        "DEPTH_TO_SPACE", [four], Options("DepthToSpaceOptions", {"blockSize": 2}),
        shape=(batch, 2 * high, 2 * wide, deep), batched=image.batched,
    )  # fmt: skip
    return View(output, _IMAGE)


def _by_kernel(lowering: Lowering, view: View, matrices: Matrices, mode: str) -> View | None:
    whole = {n: matrices.get(n, np.eye(view.shape[n])) for n in (2, 3)}
    sizes = tuple(whole[n].shape[0] for n in (2, 3))
    for half, corners in product((True, False), (True, False)):
        if half and corners:
            continue
        same = all(
            np.allclose(kernel_matrix(view.shape[n], whole[n].shape[0], mode, half=half,
                                      corners=corners), whole[n], rtol=0, atol=1e-5)
            for n in (2, 3)
        )  # fmt: skip
        if same:
            image = lowering.channels_last(view)
            code, table = _KERNELS[mode]
            options = Options(table, {"alignCorners": corners, "halfPixelCenters": half})
            output = lowering.emit(
                code, [image, lowering.indices(sizes, "size")], options,
                shape=(image.shape[0], *sizes, image.shape[3]), batched=image.batched,
            )  # fmt: skip
            return View(output, _IMAGE)
    return None


def _by_sums(lowering: Lowering, view: View, axis: int, matrix: NDArray[np.float64]) -> View:
    """Along one axis: for each of the largest number of taps, pixels picked and weighted."""
    count = int((matrix != 0).sum(1).max(initial=1))
    places = np.argsort(matrix == 0, axis=1, kind="stable")[:, :count]
    weights = np.take_along_axis(matrix, places, 1)
    total: View | None = None
    for n in range(count):
        part = picked(lowering, view, axis, places[:, n])
        if (weights[:, n] != 1).any():
            shape = [len(matrix) if k == axis else 1 for k in range(view.rank)]
            factors = weights[:, n].astype(np.float32).reshape(shape)
            other = View.of(lowering.constant_tensor(factors, f"weights_{n}"))
            part = combined(lowering, "MUL", [part, other])
        total = part if total is None else combined(lowering, "ADD", [total, part])
    assert total is not None
    return total
