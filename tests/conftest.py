"""Small real models and data that every room's tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper, numpy_helper

from tests.board import AS_ANYBODY, CLIENT, FORCE, SSHD, free_port, keygen, program
from tests.board import Board as Board
from tests.haswell import Emulated, Kernels, haswell, ours

if TYPE_CHECKING:
    from edgeopt.targets.emulator import Emulator

pytest_plugins = ["pytester", "tests.skipping", "tests.tiers", "tests.traced"]

# How long an example takes is the machine's business.
settings.register_profile("edgeopt", deadline=None)
settings.load_profile("edgeopt")

EXAMPLE = Path(__file__).parents[1] / "examples" / "fashion_mnist"

Save = Callable[..., Path]


@pytest.fixture
def tensorrt_is_here() -> None:
    """TensorRT for RTX, which builds engines with no GPU; in CI it must be."""
    if find_spec("tensorrt_rtx") is None and not os.environ.get("CI"):
        pytest.skip("TensorRT for RTX is not installed: pip install 'edgeopt[tensorrt]'")
    assert find_spec("tensorrt_rtx") is not None


@pytest.fixture(scope="session")
def kernels_without_vnni() -> Iterator[Kernels]:
    """ONNX Runtime as on x86 without VNNI: here where it is so, or under QEMU; in CI always."""
    from edgeopt.core.runtime import saturates

    if saturates():
        yield ours
        return
    before = haswell()
    if before is None:
        assert not os.environ.get("CI"), "qemu-user-static is not installed"
        pytest.skip("this machine's kernels add exactly, and there is no QEMU for x86-64")
    emulated = Emulated(before)
    yield emulated
    emulated.end()


Emulators = dict[str, "Emulator"]


@pytest.fixture(scope="session")
def emulators() -> Emulators:
    """The emulated boards by processor, in the user's cache; in CI they must be there."""
    from edgeopt.core.errors import MeasurementError
    from edgeopt.targets.cores import CORES
    from edgeopt.targets.emulator import prepare

    try:
        return {cpu: prepare(cpu) for cpu in CORES}
    except MeasurementError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no emulated board here: {error}")


@pytest.fixture
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """This machine as a device, behind a real sshd on loopback; in CI it must be there."""
    if not Path(SSHD).exists() or shutil.which("ssh-keygen") is None:
        assert not os.environ.get("CI"), "openssh-server is not installed"
        pytest.skip("no sshd here")
    folder, port = tmp_path_factory.mktemp("board"), free_port()
    for name in ("home", "programs"):
        (folder / name).mkdir()
    for key in ("host", "key"):
        keygen(folder / key)
    program(folder / "force", FORCE.format(home=folder / "home", programs=folder / "programs"))
    (folder / "config").write_text(CLIENT.format(folder=folder, port=port))
    kind, key, *_ = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants to separate privileges
    found = Board(folder, port, subprocess.Popen(["true"]))
    found.python(f'exec {sys.executable} "$@"')
    found.server.wait()
    found.serve()
    yield found
    found.server.terminate()
    found.server.wait()


@pytest.fixture
def ssh_knows(board: Board, monkeypatch: pytest.MonkeyPatch) -> Board:
    """The board, which ``ssh`` and ``scp`` know as ``kitchen`` and ``bench`` without an option.

    There is no user ``pi`` nor ``jetson`` here, so that those are left to ssh.
    """
    here = board.folder / "here"
    here.mkdir()
    for name in ("ssh", "scp"):
        whole = AS_ANYBODY.format(program=shutil.which(name), config=board.config)
        program(here / name, whole)
    monkeypatch.setenv("PATH", f"{here}{os.pathsep}{os.environ['PATH']}")
    return board


@pytest.fixture
def small_home(board: Board) -> Iterator[Callable[[int], None]]:
    """Make the board's home a disk of so many kilobytes."""
    mounted = False

    def mount(kilobytes: int) -> None:
        nonlocal mounted
        command = f"mount -t tmpfs -o size={kilobytes}k tmpfs {board.home}".split()
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
        mounted = True

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", board.home], check=True)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """``mounted(size)`` gives a file system of that size, as ``mount`` writes it: ``256k``."""
    folder = tmp_path / "disk"

    def mount(size: str) -> Path:
        if sys.platform != "linux" or os.geteuid() != 0:
            reason = "mounting a small file system needs Linux and root"
            pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}"]
        subprocess.run(["mount", *options, "tmpfs", str(folder)], check=True)
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)  # a runtime may hold a file


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def save_model(tmp_path: Path) -> Save:
    """Write an ONNX model from nodes, initializers and (name, dtype, shape) ends."""

    def save(
        nodes: list[onnx.NodeProto],
        inputs: list[tuple[str, int, list[int | str]]],
        outputs: list[tuple[str, int, list[int | str]]],
        constants: dict[str, np.ndarray] | None = None,
        *,
        name: str = "net.onnx",
        opset: int = 18,
    ) -> Path:
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info(*i) for i in inputs],
            [helper.make_tensor_value_info(*o) for o in outputs],
            [numpy_helper.from_array(a, n) for n, a in (constants or {}).items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 9
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return save


@pytest.fixture
def conv_net(save_model: Save, rng: np.random.Generator) -> Path:
    """Conv, ReLU6, depthwise Conv, residual Add, global mean, Gemm: (N, 3, 8, 8) to (N, 5)."""

    def weights(*shape: int) -> np.ndarray:
        scale = np.float32(1 / np.sqrt(np.prod(shape[1:])))
        return scale * rng.standard_normal(shape, dtype=np.float32)

    constants = {
        "w1": weights(8, 3, 3, 3),
        "b1": weights(8, 1).reshape(8),
        "w2": weights(8, 1, 3, 3),
        "w3": weights(5, 8),
        "b3": weights(5, 1).reshape(5),
        "zero": np.float32(0),
        "six": np.float32(6),
        "axes": np.array([2, 3], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c1", "zero", "six"], ["r1"], "relu6"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "depthwise", pads=[1, 1, 1, 1], group=8),
        helper.make_node("Add", ["c2", "r1"], ["sum"], "residual"),
        helper.make_node("ReduceMean", ["sum", "axes"], ["mean"], "mean", keepdims=0),
        helper.make_node("Gemm", ["mean", "w3", "b3"], ["scores"], "head", transB=1),
    ]
    return save_model(
        nodes,
        [("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [("scores", TensorProto.FLOAT, ["batch", 5])],
        constants,
        name="conv_net.onnx",
    )


@pytest.fixture
def conv_data(tmp_path: Path, rng: np.random.Generator) -> Path:
    """40 samples for ``conv_net``."""
    path = tmp_path / "samples.npz"
    np.savez(path, image=rng.standard_normal((40, 3, 8, 8)).astype(np.float32))
    return path


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the trained Fashion-MNIST example."""
    return EXAMPLE


@pytest.fixture
def tflite_net(conv_net: Path, tmp_path: Path) -> Path:
    """``conv_net`` as a float ``.tflite``, its image NHWC."""
    from edgeopt.converters.tflite.compiler import compile_bytes
    from edgeopt.core.ir import ir

    path = tmp_path / "conv_net.tflite"
    path.write_bytes(compile_bytes(ir.load(conv_net), channels_last=True))
    return path


@pytest.fixture
def aborting_tflite(tmp_path: Path) -> Path:
    """A file that is well-formed and makes LiteRT abort: it adds uint8 that have no scale."""
    from edgeopt.converters.tflite.flatbuffer import to_flatbuffer
    from edgeopt.converters.tflite.model import Model, Operator, Options, Tensor

    a, b, c = (Tensor(name, np.dtype(np.uint8), (1, 4)) for name in "abc")
    model = Model([a, b], [c], [Operator("ADD", [a, b], [c], Options("AddOptions"))])
    model.names[0].extend("ab")
    model.names[1].append("c")
    path = tmp_path / "aborting.tflite"
    path.write_bytes(to_flatbuffer(model))
    return path


@pytest.fixture
def custom_tflite(aborting_tflite: Path, tmp_path: Path) -> Path:
    """A file whose only operator is one of somebody's own."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(aborting_tflite.read_bytes(), 0))
    (code,) = model.operatorCodes
    code.builtinCode = schema.BuiltinOperator.CUSTOM
    code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "FancyOp"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "custom.tflite"
    path.write_bytes(bytes(builder.Output()))
    return path
