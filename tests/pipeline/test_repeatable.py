"""The same inputs give the same bytes: in two processes, with 1 and 2 threads, from two folders."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[2]

PROGRAM = """
import os, sys
cores, *folders = sys.argv[1:]
if hasattr(os, "sched_setaffinity") and cores == "1":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from edgeopt.cli import main
DATA = ("--calibration", "data.npz")
COMMANDS = (
    ("convert", "net.onnx", "--to", "onnx,tflite", "--precision", "fp32,int8,int4-weight", *DATA,
     "--effort", "high"),
    ("convert", "net.onnx", "--to", "onnx,tflite", "--precision", "fp16,int8-dynamic,int16x8",
     *DATA, "--evaluation", "data.npz"),
    ("convert", "net.onnx", "--to", "tensorrt", "--precision", "int8", *DATA,
     "--target", "jetson-orin-nano", "--effort", "fast"),
    ("calibrate", "net.onnx", *DATA, "--effort", "high"),
    ("bundle", "out/net.int8.onnx", "out/net.int8.tflite", "--evaluation", "data.npz"),
    ("baseline", "save", "out/net.int8.onnx", "--name", "main"),
)
for folder in folders:
    os.chdir(folder)
    for command in COMMANDS:
        assert main([*command, "-q"] if command[0] != "baseline" else command) == 0, command
"""


def save_net(path: Path) -> None:
    """Wide enough for OpenBLAS to cut its products for two threads."""
    draw = np.random.default_rng(3)

    def weights(*shape: int) -> np.ndarray:
        scale = np.float32(1 / np.sqrt(np.prod(shape[1:])))
        return scale * draw.standard_normal(shape, dtype=np.float32)

    constants = {"w1": weights(24, 3, 3, 3), "w2": weights(200, 24 * 36), "w3": weights(10, 200)}
    nodes = [
        helper.make_node("Conv", ["image", "w1"], ["a"], "conv"),
        helper.make_node("Relu", ["a"], ["b"], "relu1"),
        helper.make_node("Flatten", ["b"], ["c"], "flat"),
        helper.make_node("Gemm", ["c", "w2"], ["d"], "wide", transB=1),
        helper.make_node("Relu", ["d"], ["e"], "relu2"),
        helper.make_node("Gemm", ["e", "w3"], ["scores"], "head", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)


def digests(folder: Path) -> dict[str, str]:
    """Of every file that was made there."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Three of them, deep and shallow, with the same model and data."""
    images = np.random.default_rng(5).standard_normal((48, 3, 8, 8)).astype(np.float32)
    found = [tmp_path / "a", tmp_path / "b" / "deep er", tmp_path / "c"]
    for folder in found:
        folder.mkdir(parents=True)
        save_net(folder / "net.onnx")
        np.savez(folder / "data.npz", image=images, labels=np.arange(48) % 10)
    return found


def test_every_file(folders: list[Path]) -> None:
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    for threads, part in ((1, folders[:1]), (2, folders[1:])):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(threads), *map(str, part)],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "PYTHONHASHSEED": str(threads),
                "OPENBLAS_NUM_THREADS": str(threads),
                "OMP_NUM_THREADS": str(threads),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    alone, first, second = map(digests, folders)
    assert len(alone) > 30
    assert first == alone  # another process, another seed of hashes, more threads, another folder
    assert second == first  # the same process again
