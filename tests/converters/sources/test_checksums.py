"""Weights that were damaged on their way: PyTorch loads them without a word."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

import edgeopt
from edgeopt.converters.sources.checksums import check_members
from edgeopt.core.errors import ModelError

torch = pytest.importorskip("torch")


def damaged(path: Path, ending: str) -> Path:
    """A copy, one bit of the member whose name has that ending turned; others use the file too."""
    with zipfile.ZipFile(path) as archive:
        member = next(n for n in archive.namelist() if n.endswith(ending))
        data = archive.read(member)
    whole = bytearray(path.read_bytes())
    whole[whole.index(data) + len(data) // 2] ^= 1
    copy = path.with_name(f"damaged_{path.name}")
    copy.write_bytes(whole)
    return copy


def test_a_pt2(pt2: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(pt2, tmp_path / "net.pt2"))  # other tests read the same file
    with pytest.raises(ModelError, match=r"weight_0' is damaged"):
        edgeopt.convert(damaged(copy, "weights/weight_0"), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_of_weights(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("import torch\nnet = torch.nn.Linear(4, 3)\n")
    weights = tmp_path / "w.pt"
    torch.save(torch.nn.Linear(4, 3).state_dict(), weights)
    model, inputs = tmp_path / "net.py:net", ["input:float32[1,4]"]
    edgeopt.convert(model, input=inputs, weights=weights, output=tmp_path / "out", verify=False)
    with pytest.raises(ModelError, match=r"w\.pt: its member .* is damaged"):
        edgeopt.convert(model, input=inputs, weights=damaged(weights, "data/0"))


def test_torchscript(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.jit.trace(torch.nn.Linear(4, 3).eval(), torch.ones(1, 4)).save(str(path))
    with pytest.raises(ModelError, match="is damaged"):
        edgeopt.convert(damaged(path, "data/0"), input=["x:float32[1,4]"], output=tmp_path / "out")


def test_checksums_that_were_left_out(tmp_path: Path) -> None:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.ones(3)}, tmp_path / "w.pt")
    finally:
        torch.serialization.set_crc32_options(before)
    check_members(tmp_path / "w.pt")


def test_no_archive_at_all(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    check_members(tmp_path / "w.pt")
