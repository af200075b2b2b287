"""The one implementation of the preprocessing contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeopt.core.errors import DataError
from edgeopt.core.preprocessing import Preprocessing
from edgeopt.core.tensors import TensorSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image


def channel_axis(spec: TensorSpec) -> int:
    """The axis of an image input ``(N, C, H, W)`` or ``(N, H, W, C)`` that holds the channels.

    Raises:
        DataError: If the input isn't an image of 1 or 3 channels.
    """
    if len(spec.shape) == 4:
        if spec.shape[1] in (1, 3):
            return 1
        if spec.shape[3] in (1, 3):
            return 3
    raise DataError(
        f"input {spec} doesn't take images: pictures need [N,C,H,W] or [N,H,W,C] with 1 or 3 "
        "channels",
        hint="give the data as a .npz of the arrays that the model takes",
    )


def picture_to_array(
    picture: Image, contract: Preprocessing, spec: TensorSpec
) -> NDArray[np.float32]:
    """Resize, crop and normalize one picture.

    Returns:
        ``(C, H, W)`` or ``(H, W, C)`` as the input has it, float32.
    """
    picture = _cropped(_resized(picture, contract), contract)
    pixels = np.asarray(picture.convert("L" if contract.color == "gray" else "RGB"))
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if contract.color == "bgr":
        pixels = pixels[..., ::-1]
    values = _normalized(pixels, contract, axis=2)
    return values.transpose(2, 0, 1) if channel_axis(spec) == 1 else values


def normalize_array(
    array: NDArray[np.generic], contract: Preprocessing, spec: TensorSpec
) -> NDArray[np.float32]:
    """Normalize one sample that is an array already, its channels where the input has them.

    Raises:
        DataError: If the contract asks for resizing or cropping, which arrays don't get.
    """
    if contract.resize is not None or contract.crop is not None:
        raise DataError(
            "resize and crop apply to pictures, not to the arrays of a .npz",
            hint="store the arrays in the model's size, or give a folder of images",
        )
    axis = channel_axis(spec) - 1
    flipped = np.flip(array, axis) if contract.color == "bgr" else array
    return _normalized(flipped, contract, axis)


def _normalized(
    pixels: NDArray[np.generic], contract: Preprocessing, axis: int
) -> NDArray[np.float32]:
    shape = [1] * pixels.ndim
    shape[axis] = -1
    mean = np.asarray(contract.mean, np.float32).reshape(shape)
    std = np.asarray(contract.std, np.float32).reshape(shape)
    values: NDArray[np.float32] = (
        pixels.astype(np.float32) * np.float32(contract.scale) - mean
    ) / std
    return values


def _resized(picture: Image, contract: Preprocessing) -> Image:
    from PIL.Image import Resampling

    if contract.resize is None:
        return picture
    if isinstance(contract.resize, tuple):
        height, width = contract.resize
    else:
        short = min(picture.size)
        # The longer side is truncated, as torchvision.transforms.Resize does.
        width, height = (int(contract.resize * side / short) for side in picture.size)
    # Palette and grey pictures can't be filtered in their own mode.
    wide = picture if picture.mode in ("RGB", "L") else picture.convert("RGB")
    return wide.resize((width, height), Resampling[contract.interpolation.upper()])


def _cropped(picture: Image, contract: Preprocessing) -> Image:
    if contract.crop is None:
        return picture
    left = round((picture.width - contract.crop) / 2)
    top = round((picture.height - contract.crop) / 2)
    return picture.crop((left, top, left + contract.crop, top + contract.crop))
