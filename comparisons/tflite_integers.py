"""A net of each family to int8, as ONNX and as TFLite by one calibration table.

Random weights (``architectures.py``); photographs where a net takes images of 224 pixels, else
random numbers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from architectures import CLASSIFIERS, FAMILIES, FOLDER, export, exported
from environments import HERE, ours
from figures import Finding, plain
from kept import Kept, once
from tables import table

NAMES = (
    "timm/repvgg_a0", "resnet18", "timm/resnext26ts", "mobilenet_v2", "mobilenet_v3_small",
    "timm/efficientnet_lite0", "efficientnet_b0", "regnet_x_400mf", "shufflenet_v2_x0_5",
    "squeezenet1_1", "densenet121", "googlenet", "timm/convnext_atto",
    "timm/deit_tiny_patch16_224", "lraspp_mobilenet_v3_large", "small/unet",
    "small/unet_resized", "ssdlite320_mobilenet_v3_large", "small/yolo", "small/super_resolution",
    "small/style", "small/waves", "small/keywords", "small/text",
)  # fmt: skip
CALIBRATED, JUDGED = 32, 64
HEAD = ("architecture", "ONNX dB", "TFLite dB", "apart", "integer layers", "partitions",
        "left outside")  # fmt: skip
PHOTOGRAPHS = HERE / ".cache" / "assets"


@dataclass(frozen=True)
class Row:
    """What was found of one net.

    Args:
        name: The net's.
        fault: Why there is nothing more; empty if it was converted.
        onnx: SQNR of the worst output of the int8 ONNX, sums exact, in dB.
        tflite: The same of the int8 TFLite, in LiteRT with XNNPACK.
        layers: Layers with weights that are integer in the TFLite, and all.
        partitions: Of the delegate.
        outside: Nodes that the delegate left, by LiteRT's names.
    """

    name: str
    fault: str = ""
    onnx: float = float("nan")
    tflite: float = float("nan")
    layers: tuple[int, int] = (0, 0)
    partitions: int = 0
    outside: tuple[str, ...] = ()

    @property
    def close(self) -> bool:
        """Whether the TFLite is about as good as the ONNX."""
        return not self.fault and self.tflite > self.onnx - BELOW


WITH_GELU_AND_NORMS = FAMILIES["ConvNeXt"]
BELOW = 0.5
"""By how much the TFLite may be worse, in dB."""


def main(assets: Path) -> list[str]:
    """Convert them, and give the lines of a Markdown table."""
    return lines(_found(assets))


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    rows = _found(assets)
    below = [f"{row.name} {row.tflite - row.onnx:+.2f} dB" for row in rows if not row.close]
    told = f"of {len(rows)}" + (f": {', '.join(below)}" if below else "")
    yield plain("tflite.beside-onnx", len(below), 0, told)
    asked = [r for r in rows if r.name in CLASSIFIERS and r.name not in WITH_GELU_AND_NORMS]
    split = [f"{row.name} {row.partitions}" for row in asked if row.partitions != 1]
    told = f"of {len(asked)}" + (f": {', '.join(split)}" if split else "")
    yield plain("tflite.partitions-int8", len(split), 0, told)


def _found(assets: Path) -> list[Row]:
    """Each net's row; kept."""
    export(NAMES)
    kept, rows = Kept("tflite_integers"), []
    photographs = [assets / f"efficientnet_lite0_{kind}.npz" for kind in ("calibration", "heldout")]
    for name in NAMES:
        depends = ours(exported(name), *photographs)
        found = once(kept, name, depends, partial(_converted, name), lasting=True)
        layers, outside = tuple(found["layers"]), tuple(found["outside"])
        rows.append(Row(**{**found, "layers": layers, "outside": outside}))
    return rows


def _converted(name: str) -> dict[str, Any]:
    return asdict(converted(name))


def converted(name: str) -> Row:
    """One net's row."""
    with tempfile.TemporaryDirectory(dir=FOLDER.resolve().parent) as scratch:
        folder = Path(scratch)
        calibration, evaluation = _data(exported(name), folder)
        command = [
            sys.executable, "-m", "edgeopt", "convert", exported(name), "--to", "onnx,tflite",
            "--precision", "int8", *_layout(exported(name)), "--min-sqnr", "-100",
            "--calibration", calibration, "--evaluation", evaluation, "-o", folder / "out", "-q",
        ]  # fmt: skip
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return Row(name, (done.stderr.strip().splitlines() or ["?"])[-1][:200])
        found = [json.loads(path.read_text()) for path in sorted((folder / "out").glob("*.json"))]
    by_format = {manifest["format"]: manifest for manifest in found if "format" in manifest}
    return _row(name, by_format["onnx"], by_format["tflite"])


def _row(name: str, plain: dict[str, Any], lite: dict[str, Any]) -> Row:
    taken, integer = lite["delegation"], lite["integer_layers"] or 0
    return Row(
        name, "", _worst(plain), _worst(lite), (integer, integer + len(lite["float_layers"])),
        taken["partitions"], tuple(node["op"] for node in taken.get("outside", ())),
    )  # fmt: skip


def _worst(manifest: dict[str, Any]) -> float:
    return min(float(o["sqnr_db"]) for o in manifest["verification"]["outputs"])


def _layout(model: Path) -> list[str]:
    """Channels last, where there are images."""
    ranks = [len(value.type.tensor_type.shape.dim) for value in _inputs(model)]
    return ["--layout", "nhwc"] if 4 in ranks else []


def _inputs(model: Path) -> list[Any]:
    graph = onnx.load(model, load_external_data=False).graph
    known = {i.name for i in graph.initializer}
    return [value for value in graph.input if value.name not in known]


def _data(model: Path, folder: Path) -> tuple[Path, Path]:
    """Samples to calibrate on and others to judge on."""
    inputs = _inputs(model)
    paths = []
    for seed, (count, photographs) in enumerate(
        ((CALIBRATED, "efficientnet_lite0_calibration"), (JUDGED, "efficientnet_lite0_heldout"))
    ):
        rng = np.random.default_rng(seed)
        arrays = {value.name: _array(value, count, photographs, rng) for value in inputs}
        paths.append(folder / f"{photographs}.npz")
        np.savez(paths[-1], **arrays)  # type: ignore[arg-type]
    return paths[0], paths[1]


def _array(value: Any, count: int, photographs: str, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)[1:]
    if value.type.tensor_type.elem_type == onnx.TensorProto.INT64:
        mask = value.name.endswith("1")
        return (
            np.ones((count, *shape), np.int64) if mask else rng.integers(1, 1000, (count, *shape))
        )
    if shape == (3, 224, 224):
        with np.load(PHOTOGRAPHS / f"{photographs}.npz") as archive:
            images: np.ndarray = archive[archive.files[0]][:count]
        return images
    return rng.standard_normal((count, *shape), dtype=np.float32)


def lines(rows: list[Row]) -> list[str]:
    """As Markdown."""
    good = sum(row.close for row in rows)
    summary = f"{good} of {len(rows)} are no more than {BELOW} dB below their int8 ONNX."
    return [summary, "", *table(HEAD, map(_cells, rows))]


def _cells(row: Row) -> list[str]:
    if row.fault:
        return [row.name, row.fault, *[""] * (len(HEAD) - 2)]
    return [
        row.name,
        f"{row.onnx:.2f}",
        f"{row.tflite:.2f}",
        f"{row.tflite - row.onnx:+.2f}",
        f"{row.layers[0]} of {row.layers[1]}",
        str(row.partitions),
        ", ".join(f"{code} x{count}" for code, count in sorted(Counter(row.outside).items())),
    ]
