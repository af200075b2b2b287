"""Modules made by code that the user names, and live ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeopt
from edgeopt.core.errors import EdgeOptError, ModelError, UnsafeFileError, UsageError

torch = pytest.importorskip("torch")

CODE = """
import torch

class Two(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(10, 4)
        self.linear = torch.nn.Linear(4, 2)

    def forward(self, tokens, scale):
        x = self.embedding(tokens).mean(1) * scale
        return {"scores": self.linear(x), "features": x}

def net():
    return Two()

def broken():
    raise RuntimeError("no such checkpoint")

def wrong():
    return "a string"
"""
INPUTS = ["tokens:int64[batch,5]", "scale:float32[batch,1]"]


@pytest.fixture
def code(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(CODE)
    return str(path)


def test_several_inputs_and_outputs_of_any_dtype(code: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "d.npz",
        tokens=rng.integers(0, 10, (12, 5)),
        scale=rng.standard_normal((12, 1)).astype(np.float32),
    )
    result = edgeopt.convert(
        f"{code}:net", input=INPUTS, evaluation=tmp_path / "d.npz", output=tmp_path / "out"
    )
    manifest = result.artifacts[0].manifest
    assert Path(result.artifacts[0].path).name == "net.fp32.onnx"
    assert [str(i) for i in manifest.inputs] == ["tokens:int64[batch,5]", "scale:float32[batch,1]"]
    assert len(manifest.outputs) == 2
    assert manifest.source.sha256
    assert manifest.verification is not None
    assert manifest.verification.data.kind == "npz"
    assert all(o.sqnr_db is None or o.sqnr_db > 100 for o in manifest.verification.outputs)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_weights_are_loaded(code: str, tmp_path: Path, suffix: str) -> None:
    from safetensors.torch import save_file

    from edgeopt.core.usercode import load_named

    torch.manual_seed(3)
    state = load_named(f"{code}:net")().state_dict()
    weights = tmp_path / f"w{suffix}"
    (torch.save if suffix == ".pt" else save_file)(state, weights)
    found = []
    for _ in range(2):  # the factory's own weights are random: only loaded ones are equal twice
        result = edgeopt.convert(
            f"{code}:net", input=INPUTS, weights=weights, output=tmp_path / "out", verify=False
        )
        found.append(result.artifacts[0].manifest.sha256)
    assert found[0] == found[1]
    assert result.artifacts[0].manifest.source.weights_sha256


def test_a_live_module(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 3), torch.nn.ReLU())
    result = edgeopt.convert(module, input=["input:float32[1,2,9]"], output=tmp_path / "out")
    assert result.artifacts[0].manifest.inputs[0].shape == (1, 2, 9)
    assert result.artifacts[0].manifest.source.kind == "module"


@pytest.mark.parametrize(
    ("name", "inputs", "told"),
    [
        ("broken", INPUTS, r"raised RuntimeError: no such checkpoint.*nets\.py"),
        ("wrong", INPUTS, "gave str, neither a torch.nn.Module nor a Keras model"),
        ("gone", INPUTS, "no function or class 'gone'"),
        ("net", [], r"the shape of its input 'tokens' isn't known.*--input"),
        ("net", [*INPUTS, "other:float32[1]"], "forward has no such parameter"),
        ("net", ["tokens:int64[batch,5]", "scale:float32[batch,7]"], "can't capture"),
        ("net", ["tokens:int65[1]"], "no dtype 'int65'"),
        ("net", ["tokens"], "isn't understood"),
        ("net", ["tokens:int64[a-b]"], "isn't a dimension"),
        ("net", ["tokens=5"], "ONNX model only"),
    ],
)
def test_what_can_be_wrong(
    code: str, tmp_path: Path, name: str, inputs: list[str], told: str
) -> None:
    with pytest.raises(EdgeOptError, match=told) as error:
        edgeopt.convert(f"{code}:{name}", input=inputs, output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_weights_of_another_model(code: str, tmp_path: Path) -> None:
    torch.save({"linear.weight": torch.zeros(9, 9)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="don't fit"):
        edgeopt.convert(f"{code}:net", input=INPUTS, weights=tmp_path / "w.pt")


def test_weights_that_are_damaged_or_a_pickle(
    code: str, tmp_path: Path, evil: object, canary: Path
) -> None:
    torch.save(evil, tmp_path / "evil.pt")
    with pytest.raises(UnsafeFileError, match="state_dict"):
        edgeopt.convert(f"{code}:net", input=INPUTS, weights=tmp_path / "evil.pt")
    assert not canary.exists()
    for name in ("cut.pt", "cut.safetensors"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
        with pytest.raises(ModelError, match="not a readable file of weights"):
            edgeopt.convert(f"{code}:net", input=INPUTS, weights=tmp_path / name)


def test_no_code_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("raise SystemError('ran')")
    with pytest.raises(UsageError, match="would run code"):
        edgeopt.convert(f"{tmp_path}/m.py:net", code=False)
