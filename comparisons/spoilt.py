"""Nets spoilt on purpose: channels rescaled by powers of two, the float function unchanged.

Each channel that can be scaled exactly (not those before a ReLU6) is multiplied by a power of two,
drawn anew for each, and the weights behind it are divided by it. int8 suffers; equalization is to
bring it back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import judging
import models
import numpy as np
from environments import ours
from figures import Finding, plain
from goals.int8 import SPOILT
from kept import Kept, once
from tables import table

import edgeopt
from edgeopt.converters.equalization.channels import FIXED
from edgeopt.converters.equalization.commuting import map_channels
from edgeopt.converters.equalization.scaling import rescale
from edgeopt.core.ir import ir

HERE = Path(__file__).resolve().parent
FACTORS = (1, 4)
"""Each net is spoilt by factors of up to two to the power of these, up or down."""

SEED = 0


@dataclass(frozen=True)
class _Net:
    """A float model and its data.

    Args:
        name: How the table calls it.
        path: Float ONNX, simplified.
        calibration: Samples to calibrate on.
        held_out: Samples to judge on.
    """

    name: str
    path: Path
    calibration: Path
    held_out: Path

    def int8(self, path: Path, *, equalized: bool) -> float:
        """The SQNR in dB of int8 made from a version of the net, against the net itself."""
        folder = path.with_name(f"{path.stem}-{'equalized' if equalized else 'as-it-is'}")
        made = _convert(path, folder, "int8", equalized=equalized, calibration=self.calibration)
        reference = judging.run(self.path, self.held_out, emulated=False)
        return judging.sqnr(reference, judging.run(made, self.held_out, emulated=True))


def main(assets: Path) -> list[str]:
    """Measure, and give the lines of a Markdown table."""
    rows = []
    for name, found in _found(assets).items():
        for most, unspoilt, spoilt, equalized, touched in found:
            cells = (unspoilt, spoilt, equalized, unspoilt - equalized, touched)
            rows.append([name, f"1/{2**most} to {2**most}", *(f"{cell:.2f}" for cell in cells)])
    head = ("net", "rescaled by", "unspoilt", "spoilt", "equalized", "lost", "unspoilt, equalized")
    return [
        "SQNR in dB of int8 against the unspoilt float net on held-out data, with exact sums. The "
        "pass is left out of all columns but those that say equalized. Goal: lost at most 0.5.",
        "",
        *table(head, rows),
    ]


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    keys = {name: key for key, name in {**SPOILT, "facenet-p-net": "facenet P-Net"}.items()}
    for name, found in _found(assets).items():
        lost = max(row[1] - row[3] for row in found)
        told = f"{min(row[2] for row in found):.2f} dB without the pass, {found[0][1]:.2f} unspoilt"
        yield plain(f"spoilt.{keys[name]}", lost, 2, told)


def _found(assets: Path) -> dict[str, list[list[float]]]:
    """By net and by how far it is spoilt: the exponent, and SQNR in dB as the columns have them."""
    kept, found = Kept("spoilt"), {}
    for name, (model, options) in _cases(assets).items():
        depends = ours(*(Path(str(options[each])) for each in ("calibration", "evaluation")))
        measure = partial(_measured, name, model, options)
        found[name] = once(kept, name, depends, measure, lasting=True)
    return found


def _measured(name: str, model: str, options: dict[str, Any]) -> list[list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        net = _net(name, model, options, Path(folder))
        return [_row(net, most) for most in FACTORS]


def _cases(assets: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "EfficientNet-Lite0": (
            str(assets / "efficientnet_lite0.onnx"),
            {
                "calibration": assets / "efficientnet_lite0_calibration.npz",
                "evaluation": assets / "efficientnet_lite0_heldout.npz",
            },
        )
    }
    others = models.cases(assets)
    return cases | {name: others[name] for name in ("digit-recognizer", "facenet P-Net")}


def _net(name: str, model: str, options: dict[str, Any], folder: Path) -> _Net:
    others = dict(options)
    data = others.pop("calibration"), others.pop("evaluation")
    return _Net(name, _convert(model, folder / name, "fp32", equalized=False, **others), *data)


def _row(net: _Net, most: int) -> list[float]:
    """The exponent; unspoilt, spoilt, equalized, and unspoilt but equalized, in dB."""
    unspoilt, touched = (net.int8(net.path, equalized=each) for each in (False, True))
    path = _spoil(net, most)
    spoilt, equalized = (net.int8(path, equalized=each) for each in (False, True))
    return [most, unspoilt, spoilt, equalized, touched]


def _spoil(net: _Net, most: int) -> Path:
    """Rescale every channel that can be; the outputs stay equal bit for bit."""
    model = ir.load(net.path)
    channels = map_channels(model.graph)
    exponents = np.random.default_rng(SEED).integers(-most, most + 1, channels.count)
    exponents[FIXED] = 0
    rescale(channels, exponents)
    path = net.path.with_name(f"spoilt-{most}.onnx")
    ir.save(model, path)
    before, after = (judging.run(p, net.held_out, emulated=False) for p in (net.path, path))
    assert np.array_equal(before, after), f"{net.name}: another function"
    return path


def _convert(model: str | Path, folder: Path, precision: str, *, equalized: bool, **options: Any):
    # The pass has no option: it either changes nothing or is needed.
    left_out = mock.patch("edgeopt.converters.simplify.equalize", return_value=0)
    with nullcontext() if equalized else left_out:
        result = edgeopt.convert(
            str(model), precision=precision, output=folder, verify=False, **options
        )
    return Path(result.artifacts[0].path)


if __name__ == "__main__":
    print("\n".join(main(HERE / ".cache" / "assets")))
