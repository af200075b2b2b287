"""``.pt2`` files: converted as they are, and never able to run anything."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import edgeopt
from edgeopt.core.errors import ModelError, UnsafeFileError

torch = pytest.importorskip("torch")


def rewritten(source: Path, target: Path, changes: dict[str, bytes]) -> Path:
    """A copy of an archive with some members replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, changes.get(info.filename, old.read(info)))
        for name in changes.keys() - set(old.namelist()):
            new.writestr(name, changes[name])
    return target


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def saved_by_torch(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_a_pt2_becomes_onnx_with_its_names_and_its_batch(pt2: Path, tmp_path: Path) -> None:
    result = edgeopt.convert(pt2, output=tmp_path / "out")
    manifest = result.artifacts[0].manifest
    assert [str(i) for i in manifest.inputs] == ["image:float32[batch,4]"]
    assert manifest.outputs[0].shape == ("batch", 3)
    assert manifest.source.kind == "pt2"
    assert manifest.source_check is not None
    assert manifest.source_check.passed
    assert "torch" in manifest.versions


@pytest.mark.parametrize("wrap", [saved_by_torch, pickle.dumps], ids=["torch.save", "pickle"])
def test_no_member_can_run_code(
    pt2: Path, tmp_path: Path, evil: object, canary: Path, wrap: Any
) -> None:
    for number, member in enumerate(members(pt2)):
        path = rewritten(pt2, tmp_path / f"evil{number}.pt2", {member: wrap(evil)})
        with suppress(edgeopt.EdgeOptError):  # bytes of raw weights may be anything
            edgeopt.convert(path, output=tmp_path / "out")
        assert not canary.exists(), member


@pytest.mark.parametrize("kind", ["weights", "constants"])
def test_pickled_payloads_that_the_config_asks_for_are_refused(
    pt2: Path, tmp_path: Path, evil: object, canary: Path, kind: str
) -> None:
    config_name = next(m for m in members(pt2) if m.endswith(f"model_{kind}_config.json"))
    with zipfile.ZipFile(pt2) as archive:
        config = json.loads(archive.read(config_name))
    if not config["config"]:
        pytest.fail(f"the test's model has no {kind}: it proves nothing")
    payload = next(iter(config["config"].values()))
    payload["use_pickle"] = True
    member = str(Path(config_name).parent / payload["path_name"])
    changes = {config_name: json.dumps(config).encode(), member: saved_by_torch(evil)}
    path = rewritten(pt2, tmp_path / "evil.pt2", changes)
    with pytest.raises(UnsafeFileError, match="run code"):
        edgeopt.convert(path, output=tmp_path / "out")
    assert not canary.exists()


def test_sample_inputs_that_are_a_pickle_are_refused(
    pt2: Path, tmp_path: Path, evil: object, canary: Path
) -> None:
    member = next(m for m in members(pt2) if m.endswith("sample_inputs/model.pt"))
    path = rewritten(pt2, tmp_path / "evil.pt2", {member: saved_by_torch(evil)})
    with pytest.raises(UnsafeFileError, match="run code"):
        edgeopt.convert(path, output=tmp_path / "out")
    assert not canary.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["constants/opaque_obj_0", "constants/custom_obj_0"])
def test_pickled_objects_are_refused_by_name(
    pt2: Path, tmp_path: Path, evil: object, canary: Path, name: str
) -> None:
    root = members(pt2)[0].split("/")[0]
    config_name = next(m for m in members(pt2) if m.endswith("model_constants_config.json"))
    with zipfile.ZipFile(pt2) as archive:
        config = json.loads(archive.read(config_name))
    config["config"]["object"] = {
        "path_name": name.split("/")[1], "is_param": False, "use_pickle": True, "tensor_meta": None,
    }  # fmt: skip
    changes = {f"{root}/data/{name}": pickle.dumps(evil), config_name: json.dumps(config).encode()}
    path = rewritten(pt2, tmp_path / "evil.pt2", changes)
    with pytest.raises(UnsafeFileError, match="never loaded"):
        edgeopt.convert(path, output=tmp_path / "out")
    assert not canary.exists()


def test_compiled_code_is_refused(pt2: Path, tmp_path: Path) -> None:
    root = members(pt2)[0].split("/")[0]
    library = {f"{root}/data/aotinductor/model/model.so": b"\x7fELF"}
    path = rewritten(pt2, tmp_path / "evil.pt2", library)
    with pytest.raises(UnsafeFileError, match="compiled code"):
        edgeopt.convert(path, output=tmp_path / "out")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
def test_a_truncated_file_is_one_line(pt2: Path, tmp_path: Path, keep: float) -> None:
    data = pt2.read_bytes()
    path = tmp_path / "cut.pt2"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ModelError, match=r"not a readable \.pt2") as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "\n" not in str(error.value)


def test_a_program_with_garbled_insides_is_one_line(pt2: Path, tmp_path: Path) -> None:
    member = next(m for m in members(pt2) if m.endswith("models/model.json"))
    path = rewritten(pt2, tmp_path / "bad.pt2", {member: b'{"graph_module": 3}'})
    with pytest.raises(ModelError, match=r"not a readable \.pt2") as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "\n" not in str(error.value)


def test_the_users_environment_is_put_back(
    pt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    edgeopt.convert(pt2, output=tmp_path / "out", verify=False)
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_nothing_of_the_machine_stays_in_the_graph(pt2: Path, tmp_path: Path) -> None:
    result = edgeopt.convert(pt2, output=tmp_path / "out", verify=False)
    data = Path(result.artifacts[0].path).read_bytes()
    for trace in (b".py", b"site-packages", b"stack_trace", b"File ", str(tmp_path).encode()):
        assert trace not in data


def of_another_pytorch(
    source: Path, target: Path, *, version: str = "2.99.0", **edits: str
) -> Path:
    """A program as another PyTorch, or one with more operators, would have saved it."""
    member = next(m for m in members(source) if m.endswith("models/model.json"))
    with zipfile.ZipFile(source) as archive:
        text = archive.read(member).decode()
    for old, new in edits.items():
        assert old in text
        text = text.replace(f"torch.ops.aten.{old}", f"torch.ops.{new}")
    program = json.loads(text)
    program["torch_version"] = version
    if not edits:
        program["schema_version"]["major"] = 99
    return rewritten(source, target, {member: json.dumps(program).encode()})


def test_a_program_of_a_newer_pytorch_says_which_to_install(pt2: Path, tmp_path: Path) -> None:
    path = of_another_pytorch(pt2, tmp_path / "newer.pt2")
    with pytest.raises(ModelError, match=r"saved by PyTorch 2\.99\.0, which PyTorch") as error:
        edgeopt.convert(path, output=tmp_path / "out")
    assert "install torch 2.99 here" in str(error.value)
    assert error.value.__suppress_context__, "PyTorch's log adds nothing, and would hide it"
    assert not (tmp_path / "out").exists()


def test_an_operator_of_a_newer_pytorch_is_named(pt2: Path, tmp_path: Path) -> None:
    path = of_another_pytorch(pt2, tmp_path / "newer.pt2", linear="aten.brand_new")
    with pytest.raises(ModelError, match=r"unknown to it: aten\.brand_new\.default"):
        edgeopt.convert(path, output=tmp_path / "out")


def test_somebodys_own_operator_is_named(pt2: Path, tmp_path: Path) -> None:
    own = of_another_pytorch(pt2, tmp_path / "o.pt2", version=torch.__version__, linear="lab.lin")
    with pytest.raises(ModelError, match=r"doesn't know here: lab\.lin\.default"):
        edgeopt.convert(own, output=tmp_path / "out")


def test_a_damaged_program_of_this_pytorch_is_not_blamed_on_its_version(
    pt2: Path, tmp_path: Path
) -> None:
    path = of_another_pytorch(pt2, tmp_path / "bad.pt2", version=torch.__version__)
    with pytest.raises(ModelError, match=r"not a readable \.pt2"):
        edgeopt.convert(path, output=tmp_path / "out")
