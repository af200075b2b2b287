"""torchvision's and timm's architectures, with random weights, through the TFLite compiler.

Each is exported to ONNX in an environment of its own (``peers/torchvision.txt``, 5.6 GB),
simplified as ``edgeopt convert`` does, compiled, and run in LiteRT with XNNPACK beside ONNX
Runtime. Writes the table of ``docs/reference/tflite-operators.md``.

    .venv/bin/python comparisons/tflite_architectures.py [--only NAME] [--write]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from environments import python

HERE = Path(__file__).resolve().parent
FOLDER = HERE / ".cache" / "architectures"
PAGE = HERE.parent / "docs" / "reference" / "tflite-operators.md"
BEGIN, END = "<!-- architectures: begin -->", "<!-- architectures: end -->"

NAMES = (
    "alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2",
    "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet1_0",
    "efficientnet_b0", "efficientnet_v2_s", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0",
    "squeezenet1_0", "squeezenet1_1", "densenet121", "densenet169", "inception_v3", "googlenet",
    "convnext_tiny", "regnet_x_400mf", "regnet_y_400mf", "vit_b_16", "swin_t", "maxvit_t",
    "timm/efficientnet_lite0", "timm/tf_efficientnet_lite0", "timm/tf_efficientnet_b0",
    "timm/mobilenetv3_small_100", "timm/mobilenetv4_conv_small", "timm/mobilenetv2_100",
    "timm/resnet26d", "timm/resnext26ts", "timm/seresnet50", "timm/regnety_002",
    "timm/ghostnet_100",
    "timm/convnextv2_atto", "timm/convnext_atto", "timm/densenet121", "timm/vgg11_bn",
    "timm/inception_v3", "timm/repvgg_a0", "timm/hardcorenas_a", "timm/fbnetc_100", "timm/mixnet_s",
    "timm/deit_tiny_patch16_224", "timm/vit_tiny_patch16_224", "timm/mobilevit_xxs",
    "timm/edgenext_xx_small", "timm/poolformer_s12", "timm/resmlp_12_224", "timm/mixer_s16_224",
    "timm/levit_128s", "timm/efficientformer_l1", "timm/fastvit_t8", "timm/xcit_nano_12_p16_224",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What was found of one architecture.

    Args:
        name: The architecture's.
        fault: Why there is nothing more; empty if it ran.
        difference: The largest, divided by the largest output.
        partitions: Of the delegate.
        outside: Nodes that the delegate left, by LiteRT's names.
        transposes: TRANSPOSE operators.
        operators: In all.
        seconds: To compile and write.
    """

    name: str
    fault: str = ""
    difference: float = 0.0
    partitions: int = 0
    outside: tuple[str, ...] = ()
    transposes: int = 0
    operators: int = 0
    seconds: float = 0.0


def main() -> int:
    """Run them, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a regular expression for names")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(vars(measured(given.one))))
        return 0
    names = [name for name in NAMES if re.search(given.only, name)]
    _export([name for name in names if not _path(name).exists()])
    rows = [_apart(name) for name in names]
    lines = table(rows)
    if given.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}")
    else:
        print("\n".join(lines))
    return 0


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace('/', '-')}.onnx"


def _export(names: list[str]) -> None:
    if names:
        script = HERE / "peers" / "torchvision_export.py"
        subprocess.run([python("torchvision"), script, FOLDER, *names], check=True)


def _apart(name: str) -> Row:
    """In a process of its own: LiteRT can abort it."""
    command = [sys.executable, __file__, "--one", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        row = Row(name, fault=f"exit {done.returncode}: {last[:200]}")
    else:
        found = json.loads(done.stdout.splitlines()[-1])
        row = Row(**{**found, "outside": tuple(found["outside"])})
    print(f"{row}", file=sys.stderr, flush=True)
    return row


def measured(name: str) -> Row:
    """One architecture's row."""
    from edgeopt.converters.simplify import simplify
    from edgeopt.converters.tflite.compiler import compile_model
    from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
    from edgeopt.core.errors import EdgeOptError
    from edgeopt.core.ir import ir

    if not _path(name).exists():
        return Row(name, fault="the exporter fails on it")
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "float.onnx")
        simplify(_path(name), result, name)
        began = time.perf_counter()
        try:
            compiled = compile_model(ir.load(result), channels_last=True, name=name)
            content = to_flatbuffer(compiled)
        except EdgeOptError as error:
            return Row(name, fault=str(error))
        seconds = time.perf_counter() - began
        difference, delegated = _compared(result, content)
    codes = [op.code for op in compiled.operators]
    return Row(
        name, "", difference, *delegated, transposes=codes.count("TRANSPOSE"),
        operators=len(codes), seconds=seconds,
    )  # fmt: skip


def _compared(path: Path, content: bytes) -> tuple[float, tuple[int, tuple[str, ...]]]:
    import onnxruntime as ort
    from ai_edge_litert.interpreter import Interpreter

    session = ort.InferenceSession(str(path))
    shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
    image = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    (expected,) = session.run(None, {session.get_inputs()[0].name: image})
    opened = Interpreter(model_content=content)
    opened.allocate_tensors()
    opened.set_tensor(opened.get_input_details()[0]["index"], image.transpose(0, 2, 3, 1))
    opened.invoke()
    found = opened.get_tensor(opened.get_output_details()[0]["index"])
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    return difference, delegation(opened._get_ops_details())


def delegation(details: list[dict[str, Any]]) -> tuple[int, tuple[str, ...]]:
    """How many partitions a delegate has taken, and the names of the nodes that it left.

    LiteRT lists the nodes as they were, then the partitions; what a partition covers is found by
    walking back from what it gives to what it takes.
    """
    parts = [d for d in details if d["op_name"] == "DELEGATE"]
    nodes = [d for d in details if d["op_name"] != "DELEGATE"]
    writers = {int(t): n for n, d in enumerate(nodes) for t in d["outputs"]}
    covered: set[int] = set()
    for part in parts:
        edges = {int(t) for t in part["inputs"]}
        stack = [int(t) for t in part["outputs"]]
        while stack:
            tensor = stack.pop()
            node = writers.get(tensor)
            if node is None or node in covered or tensor in edges:
                continue
            covered.add(node)
            stack += [int(t) for t in nodes[node]["inputs"] if t >= 0]
    outside = [d["op_name"] for n, d in enumerate(nodes) if n not in covered]
    return len(parts), tuple(outside)


def table(rows: list[Row]) -> list[str]:
    """As Markdown."""
    lines = [
        f"{sum(not r.fault for r in rows)} of {len(rows)} compile and run; "
        f"{sum(r.partitions == 1 for r in rows)} in one partition.",
        "",
        "| architecture | difference | partitions | left outside | TRANSPOSE | operators "
        "| seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.fault:
            lines.append(f"| {row.name} | {row.fault} | | | | | |")
            continue
        outside = ", ".join(
            f"{code} x{row.outside.count(code)}" for code in sorted(set(row.outside))
        )
        lines.append(
            f"| {row.name} | {row.difference:.1e} | {row.partitions} | {outside} | "
            f"{row.transposes} | {row.operators} | {row.seconds:.2f} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
