"""TorchScript, and the ``.pt`` files that aren't it."""

from __future__ import annotations

from pathlib import Path

import pytest

import edgeopt
from edgeopt.core.errors import ModelError, UnsafeFileError, UsageError

torch = pytest.importorskip("torch")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU()).eval()
    path = tmp_path / "net.pt"
    torch.jit.trace(module, torch.ones(1, 4)).save(str(path))
    return path


def test_torchscript_converts(script: Path, tmp_path: Path) -> None:
    result = edgeopt.convert(script, input=["x:float32[batch,4]"], output=tmp_path / "out")
    manifest = result.artifacts[0].manifest
    assert manifest.source.kind == "torchscript"
    assert str(manifest.inputs[0]) == "x:float32[batch,4]"
    assert manifest.source_check is not None
    assert manifest.source_check.passed


def test_its_inputs_must_be_told(script: Path) -> None:
    with pytest.raises(UsageError, match="--input"):
        edgeopt.convert(script)


def test_it_is_code(script: Path) -> None:
    with pytest.raises(UsageError, match="TorchScript is code"):
        edgeopt.convert(script, input=["x:float32[1,4]"], code=False)


def test_a_pickled_module_is_refused_unread(tmp_path: Path, evil: object, canary: Path) -> None:
    torch.save(evil, tmp_path / "yolo.pt")
    with pytest.raises(UnsafeFileError, match=r"file\.py:factory"):
        edgeopt.convert(tmp_path / "yolo.pt")
    assert not canary.exists()


def test_weights_alone_are_not_a_model(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(ModelError, match="--weights"):
        edgeopt.convert(tmp_path / "w.pth")


def test_what_the_exporter_cannot_do_is_one_line_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    class Flipped(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x):  # type: ignore[no-untyped-def]
            return torch.bitwise_not(x)

    torch.jit.trace(Flipped(), torch.ones(1, 4, dtype=torch.int64)).save(str(tmp_path / "net.pt"))
    with pytest.raises(ModelError, match=r"can't export this TorchScript.*file\.py:factory"):
        edgeopt.convert(tmp_path / "net.pt", input=["x:int64[1,4]"], output=tmp_path / "out")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("data", [b"", b"garbage", b"PK\x03\x04"])
def test_garbage(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.pt").write_bytes(data)
    with pytest.raises(ModelError) as error:
        edgeopt.convert(tmp_path / "w.pt")
    assert "\n" not in str(error.value)
