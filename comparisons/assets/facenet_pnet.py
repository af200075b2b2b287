"""MTCNN's P-Net, a trained face proposer with two outputs and PReLU, and images to feed it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from delivery import folder_argument, is_complete, staged
from packages import unpack_wheel_members
from photographs import load_pixels
from pnet_net import net

WHEEL = "facenet-pytorch==2.6.0"
MEMBER = "facenet_pytorch/data/pnet.pt"
WEIGHTS = "pnet.pt"
SIDE = 128
SAMPLES = {"calibration": 128, "heldout": 256}
NAMES = (WEIGHTS, *(f"pnet_{part}.npz" for part in SAMPLES))


def model_input(pixels: np.ndarray) -> np.ndarray:
    """Shrink the pictures and bring them to about -1 to 1.

    Args:
        pixels: (N, 3, 224, 224) uint8, RGB.

    Returns:
        (N, 3, 128, 128) float32, (x - 127.5) * 0.0078125.
    """
    small = [
        np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX))
        for picture in pixels.transpose(0, 2, 3, 1)
    ]
    return (np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) - 127.5) * 0.0078125


def most_certain(weights: Path, image: np.ndarray) -> np.ndarray:
    """The highest face probability in each picture: (N, 3, H, W) to (N,)."""
    model = net()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    with torch.inference_mode():
        _, faces = model(torch.from_numpy(image))
    highest: np.ndarray = faces[:, 1].amax((1, 2)).numpy()
    return highest


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the checkpoint and the two sets of images."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, NAMES):
        return
    with staged(folder, NAMES) as scratch:
        unpack_wheel_members(WHEEL, [MEMBER], scratch)
        for part, count in SAMPLES.items():
            image = model_input(load_pixels(folder, part)[:count])
            np.savez(scratch / f"pnet_{part}.npz", image=image)
            sure = (most_certain(scratch / WEIGHTS, image) > 0.7).mean()
            print(f"{part}: P-Net proposes a face in {sure:.0%} of {count} pictures")


if __name__ == "__main__":
    main()
