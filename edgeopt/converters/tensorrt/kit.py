"""A kit: all that a device needs to build its engine and time it.

The building program comes along, and the program that measures on devices: whole folders of plain
Python that need nothing of EdgeOpt.
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import msgspec

from edgeopt.converters.tensorrt.delivery import CLASSIC, RTX, RTX_CAPABILITIES
from edgeopt.converters.tensorrt.prepare import Prepared
from edgeopt.converters.writer import WriteRequest
from edgeopt.core.manifest import Manifest, ShapeRange
from edgeopt.core.record import Record, to_json

MODEL, ORDER, MANIFEST, PROGRAM = "model.onnx", "kit.json", "manifest.json", "run.py"

_PROGRAMS = {
    "edgeopt_tensorrt": ("converters", "tensorrt", "device"),
    "edgeopt_device": ("benchmarks", "device"),
}
"""The folders that come along, by the name they have in a kit."""

_RUN = '''\
"""Build the engine of this kit on this device, and time it: python3 run.py --help."""

import os
import sys

sys.dont_write_bytecode = True
_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, _HERE)

from edgeopt_tensorrt.kit import main

if __name__ == "__main__":
    sys.exit(main(_HERE, sys.argv[1:]))
'''


_README = """\
What an engine of TensorRT is built from, on the device that it is for.

    python3 run.py

builds {engine}
beside this folder with the device's own TensorRT (its Python module, or trtexec), says which
layers are integer, writes a manifest beside the engine and times it. Python 3.8 is enough; nothing
needs to be installed besides TensorRT and, to time the engine in Python, numpy and cuda-python.

    python3 run.py --help

lists what can be chosen. model.onnx is the model as TensorRT takes it, kit.json says which shapes
the engine takes and which layers are to be integer.
"""


class _Order(Record, frozen=True):
    """What the device is asked for.

    Args:
        profiles: By input the least, the usual and the largest shape.
        inputs: The inputs' types by name.
        planned: The layers that are to be integer: of each its node and operator.
        memory: What the engine may take of scratch memory, in bytes.
        modules: TensorRT's Python modules that can build for the target, the first one first.
        capability: The compute capability that TensorRT for RTX is told.
    """

    profiles: dict[str, tuple[tuple[int, ...], ...]]
    inputs: dict[str, str]
    planned: tuple[dict[str, str], ...]
    memory: int | None
    modules: tuple[str, ...]
    capability: str | None


def write_kit(
    request: WriteRequest, prepared: Prepared, onnx: Path, shapes: tuple[ShapeRange, ...]
) -> None:
    """Write a kit's folder at ``request.path``; :func:`complete_kit` finishes it.

    Args:
        request: What it is made from.
        prepared: The model, and what was planned of it.
        onnx: Its file.
        shapes: What the engine is to take.
    """
    folder = request.path
    folder.mkdir()
    shutil.copyfile(onnx, folder / MODEL)
    gpu = request.target.gpu
    assert gpu is not None, "checked when the options were read"
    rtx = gpu.compute_capability in ("", *RTX_CAPABILITIES)
    order = _Order(
        profiles={s.input: (s.least, s.usual, s.largest) for s in shapes},
        inputs={spec.name: spec.dtype for spec in request.graph.inputs},
        planned=tuple({"node": p.node, "op": p.op} for p in prepared.planned),
        memory=request.build.memory,
        modules=(RTX, CLASSIC) if rtx else (CLASSIC,),
        capability=(gpu.name or None) if rtx else None,
    )
    (folder / ORDER).write_bytes(to_json(order))
    (folder / PROGRAM).write_text(_RUN, encoding="utf-8")
    for name, place in _PROGRAMS.items():
        (folder / name).mkdir()
        for file in resources.files("edgeopt").joinpath(*place).iterdir():
            if file.name.endswith(".py") and file.name != "__main__.py":
                (folder / name / file.name).write_bytes(file.read_bytes())


def complete_kit(folder: Path, manifest: Manifest) -> None:
    """Put the manifest of the engine that is to be into a kit; the device fills in the rest.

    Args:
        folder: The kit.
        manifest: The kit's own.
    """
    engine = manifest.artifact.removesuffix(".failed").removesuffix(".kit") + ".engine"
    (folder / "README.txt").write_text(_README.format(engine=engine), encoding="utf-8")
    template = msgspec.structs.replace(manifest, artifact=engine, sha256="", size_bytes=0)
    (folder / MANIFEST).write_bytes(to_json(template))
