"""Baselines in real folders, and in fsspec's file system in memory."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import onnx
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from onnx import TensorProto, helper

import edgeopt
from edgeopt.benchmarks.gate.verdict import Comparison
from edgeopt.core.errors import (
    EdgeOptError,
    MissingBaselineError,
    ModelError,
    OutputError,
    UnsupportedError,
    UsageError,
)
from edgeopt.core.files import sha256
from edgeopt.core.manifest import read_manifest
from edgeopt.pipeline import baseline
from edgeopt.pipeline.baseline import Change, Saved, fetched, remote
from edgeopt.pipeline.baseline.folder import FolderStore
from edgeopt.pipeline.first_run import compare_or_save

Save = Callable[..., Path]
FEW: dict[str, Any] = {"duration": 0.02, "max_processes": 2, "min_sqnr": 20.0}


def make(save_model: Save, name: str, factor: float = 1.0) -> Path:
    return save_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", TensorProto.FLOAT, [1, 64])],
        [("y", TensorProto.FLOAT, [1, 64])],
        {"w": factor * np.eye(64, dtype=np.float32)},
        name=name,
    )


@pytest.fixture
def net(save_model: Save) -> Path:
    return make(save_model, "net.onnx")


@pytest.fixture
def other(save_model: Save) -> Path:
    return make(save_model, "other.onnx", 2.0)


@pytest.fixture
def apart(net: Path, tmp_path: Path) -> Path:
    """An artifact that keeps its weights in a folder beside it."""
    path = tmp_path / "apart" / "net.onnx"
    (path.parent / "weights").mkdir(parents=True)
    onnx.save(
        onnx.load(net),
        path,
        save_as_external_data=True,
        location="weights/net.bin",
        size_threshold=0,
    )
    return path


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    if request.param == "folder":
        yield str(tmp_path / "store")
        return
    url = f"memory://{uuid.uuid4().hex}/baselines"
    yield url
    memory = fsspec.filesystem("memory")
    if memory.exists(url):
        memory.rm(url, recursive=True)


def contents(store: str) -> dict[str, bytes]:
    """Every file of a store."""
    system, root = fsspec.core.url_to_fs(store)
    if not system.exists(root):
        return {}
    paths = system.find(root)
    return {path.removeprefix(root).lstrip("/"): system.cat_file(path) for path in paths}


def alter(store: str, key: str, data: bytes | None) -> None:
    system, root = fsspec.core.url_to_fs(store)
    if data is None:
        system.rm_file(f"{root}/{key}")
    else:
        system.pipe_file(f"{root}/{key}", data)


def test_a_name_points_at_digests(store: str, net: Path) -> None:
    saved = baseline.save(net, "main", store)
    digest = sha256(net)
    assert (saved.change, saved.replaced, saved.store) == (Change.SAVED, None, store)
    assert saved.baseline.sha256 == digest
    found = contents(store)
    assert set(found) == {"names/main.json", f"objects/{digest}"}
    assert found[f"objects/{digest}"] == net.read_bytes()
    assert json.loads(found["names/main.json"])["sha256"] == digest
    assert baseline.list(store) == (saved.baseline,)
    assert baseline.show("main", store) == baseline.show("@main", store) == saved.baseline


def test_what_comes_back_is_what_was_saved(store: str, conv_net: Path, tmp_path: Path) -> None:
    made = edgeopt.convert(conv_net, precision="fp32", output=tmp_path / "out").artifacts[0]
    baseline.save(made.path, "main", store)
    with fetched("@main", store) as path:
        path = Path(path)
        assert path.name == Path(made.path).name
        assert path.read_bytes() == Path(made.path).read_bytes()
        assert read_manifest(path) == read_manifest(Path(made.path))
        assert read_manifest(path) is not None
    assert not path.exists()


def test_saving_the_same_again_changes_nothing(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    before = contents(store)
    assert baseline.save(net, "main", store).change is Change.UNCHANGED
    assert contents(store) == before


def test_two_names_share_their_files(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(net, "v1.0", store)
    assert [b.name for b in baseline.list(store)] == ["main", "v1.0"]
    assert sum(key.startswith("objects/") for key in contents(store)) == 1


def test_replacing_says_what_was_there(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    saved = baseline.save(other, "main", store)
    assert (saved.change, saved.replaced) == (Change.REPLACED, sha256(net))
    assert baseline.show("main", store).sha256 == sha256(other)


def test_weights_apart_come_along(store: str, apart: Path, net: Path) -> None:
    saved = baseline.save(apart, "main", store)
    assert [file.path for file in saved.baseline.files] == ["net.onnx", "weights/net.bin"]
    assert saved.baseline.size_bytes > 64 * 64 * 4
    found = edgeopt.compare("@main", net, store=store, **FEW)
    (sqnr,) = [check for check in found.checks if check.name == "sqnr"]
    assert sqnr.verdict == "pass"


def test_a_comparison_with_a_name(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    found = edgeopt.compare("@main", net, store=store, **FEW)
    assert (found.baseline.artifact, found.candidate.artifact) == ("@main", str(net))
    assert found.baseline.sha256 == found.candidate.sha256 == sha256(net)


def test_the_first_run_saves_and_the_second_compares(store: str, net: Path, other: Path) -> None:
    first = compare_or_save("@main", net, store=store, **FEW)
    assert isinstance(first, Saved)
    assert first.baseline.sha256 == sha256(net)
    second = compare_or_save("@main", other, store=store, **FEW)
    assert isinstance(second, Comparison)
    assert baseline.show("main", store).sha256 == sha256(net)


def test_a_wrong_option_is_found_on_the_first_run(store: str, net: Path) -> None:
    with pytest.raises(UsageError, match="--max-slowdown"):
        compare_or_save("@main", net, store=store, max_slowdown="3")
    assert contents(store) == {}


def test_a_candidate_that_is_damaged_becomes_no_baseline(store: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        compare_or_save("@main", broken, store=store)
    assert contents(store) == {}


def test_a_candidate_that_cannot_run_becomes_no_baseline(store: str, net: Path) -> None:
    model = onnx.load(net)
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, net)
    with pytest.raises(UnsupportedError, match="Nonsense"):
        compare_or_save("@main", net, store=store)
    assert contents(store) == {}


def test_an_altered_file_is_refused_and_mended_by_saving(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    key = f"objects/{sha256(net)}"
    alter(store, key, net.read_bytes()[:-1] + b"\0")
    for run in (edgeopt.compare, compare_or_save):
        with pytest.raises(ModelError, match=r"baseline 'main': net\.onnx .* was altered") as told:
            run("@main", net, store=store)
        assert told.value.exit_code == 2
    assert baseline.save(net, "main", store).change is Change.UNCHANGED
    assert contents(store)[key] == net.read_bytes()


def test_a_file_that_is_gone_is_refused_and_mended_by_saving(store: str, apart: Path) -> None:
    baseline.save(apart, "main", store)
    alter(store, f"objects/{sha256(apart.parent / 'weights' / 'net.bin')}", None)
    for run in (edgeopt.compare, compare_or_save):
        with pytest.raises(ModelError, match=r"baseline 'main': weights/net\.bin .* is gone"):
            run("@main", apart, store=store)
    baseline.save(apart, "main", store)
    with fetched("@main", store) as path:
        assert (Path(path).parent / "weights" / "net.bin").is_file()


def test_an_unknown_name_tells_the_nearest(store: str, net: Path) -> None:
    with pytest.raises(MissingBaselineError, match=r"no baseline 'main' in .*: make one with"):
        edgeopt.compare("@main", net, store=store)
    baseline.save(net, "main", store)
    with pytest.raises(MissingBaselineError, match=r"did you mean 'main'\? there are: main"):
        baseline.show("mian", store)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "/etc", "Main", ".x", "x.", "a b", "ü", "x" * 65]
)
def test_what_is_no_name(tmp_path: Path, net: Path, name: str) -> None:
    store = tmp_path / "deep" / "store"
    for call in (
        lambda: baseline.save(net, name, store),
        lambda: baseline.show(name, store),
        lambda: edgeopt.compare(f"@{name}", net, store=store),
    ):
        with pytest.raises(UsageError, match="is no name for a baseline"):
            call()
    assert not store.parent.exists()


@pytest.mark.parametrize("path", ["../../evil.onnx", "/etc/evil.onnx", "..\\evil.onnx", "C:evil"])
def test_a_store_that_names_files_elsewhere(store: str, net: Path, path: str) -> None:
    baseline.save(net, "main", store)
    content = json.loads(contents(store)["names/main.json"])
    content["artifact"] = content["files"][0]["path"] = path
    alter(store, "names/main.json", json.dumps(content).encode())
    with pytest.raises(ModelError, match=r"names a file .* that no baseline has"):
        edgeopt.compare("@main", net, store=store)


def test_a_store_whose_digest_is_a_path(store: str, net: Path) -> None:
    baseline.save(net, "main", store)
    content = json.loads(contents(store)["names/main.json"])
    content["sha256"] = content["files"][0]["sha256"] = "../../etc/passwd"
    alter(store, "names/main.json", json.dumps(content).encode())
    with pytest.raises(ModelError, match="that no baseline has"):
        edgeopt.compare("@main", net, store=store)


@pytest.mark.parametrize("data", [b"", b"{", b"{}", b"\xff"])
def test_a_name_that_is_damaged_is_one_line_and_mended_by_saving(
    store: str, net: Path, data: bytes
) -> None:
    baseline.save(net, "main", store)
    alter(store, "names/main.json", data)
    with pytest.raises(EdgeOptError, match=r"names/main\.json: "):
        edgeopt.compare("@main", net, store=store)
    baseline.save(net, "main", store)
    assert baseline.show("main", store).sha256 == sha256(net)


def test_an_interrupted_save_leaves_no_name(
    tmp_path: Path, apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = FolderStore.put
    done: list[str] = []

    def interrupted(self: FolderStore, key: str, file: Path) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(key)
        put(self, key, file)

    store = tmp_path / "store"
    monkeypatch.setattr(FolderStore, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        baseline.save(apart, "main", store)
    monkeypatch.undo()
    assert baseline.list(store) == ()
    assert baseline.save(apart, "main", store).change is Change.SAVED


def test_a_file_is_renamed_at_the_end_on_file_servers(
    net: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SERVERS", {"memory"})
    store = f"memory://{uuid.uuid4().hex}"
    baseline.save(net, "main", store)
    baseline.save(other, "main", store)
    assert not any(key.endswith(".part") for key in contents(store))
    assert baseline.show("main", store).sha256 == sha256(other)


class OwnErrors(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system that has errors of its own, as FTP's has."""

    cachable = False
    broken = ""

    def cat_file(self, path: str, *args: Any, **options: Any) -> Any:
        return self._asked(super().cat_file, path, *args, **options)

    def get_file(self, path: str, *args: Any, **options: Any) -> Any:
        return self._asked(super().get_file, path, *args, **options)

    def _asked(self, call: Callable[..., Any], path: str, *args: Any, **options: Any) -> Any:
        if self.broken and self.broken in path:
            raise LookupError("451 the disk is on fire")
        try:
            return call(path, *args, **options)
        except FileNotFoundError as error:
            raise LookupError("550 no such file") from error


def test_errors_of_its_own_are_told_from_a_file_that_is_not_there(
    net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = f"own{uuid.uuid4().hex}"
    fsspec.register_implementation(protocol, OwnErrors)
    store = f"{protocol}://{protocol}"
    assert isinstance(compare_or_save("@main", net, store=store), Saved)
    assert baseline.save(net, "main", store).change is Change.UNCHANGED
    monkeypatch.setattr(OwnErrors, "broken", "main.json")
    with pytest.raises(ModelError, match="can't be read: 451 the disk is on fire"):
        compare_or_save("@main", net, store=store)


def test_nothing_that_is_being_written_is_listed(tmp_path: Path, net: Path) -> None:
    baseline.save(net, "main", tmp_path)
    (tmp_path / "names" / ".other.json.abc").write_bytes(b"{")
    (tmp_path / "names" / "README").write_bytes(b"not a name")
    assert [b.name for b in baseline.list(tmp_path)] == ["main"]


def test_the_default_is_below_the_current_folder(
    tmp_path: Path, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert baseline.list() == ()
    baseline.save(net, "main")
    assert (tmp_path / ".edgeopt" / "baselines" / "names" / "main.json").is_file()
    assert baseline.show("main").sha256 == sha256(net)


def test_a_url_of_a_folder_is_that_folder(tmp_path: Path, net: Path) -> None:
    baseline.save(net, "main", (tmp_path / "a store").as_uri())
    assert baseline.show("main", tmp_path / "a store").sha256 == sha256(net)


def test_a_protocol_that_nothing_knows(net: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing://x: Protocol not known: nothing"):
        baseline.save(net, "main", "nothing://x")


def test_a_password_is_not_shown() -> None:
    with pytest.raises(UsageError, match=r"nothing://me@host") as told:
        baseline.list("nothing://me:secret@host/x")
    assert "secret" not in str(told.value)


def test_a_store_that_cannot_be_written_by_its_nature(net: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "store.zip", "w") as archive:
        archive.writestr("x", "")
    with pytest.raises(OutputError, match=r"can't be written: .*--store"):
        baseline.save(net, "main", f"zip://baselines::{tmp_path / 'store.zip'}")


def test_a_store_is_for_names(net: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--store is for baselines that have a name"):
        edgeopt.compare(net, net, store=tmp_path)
    with pytest.raises(UsageError, match="--if-missing save is for baselines that have a name"):
        compare_or_save(str(net), net)


def test_a_store_that_is_a_file(net: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(ModelError, match="can't be read: Not a directory"):
        edgeopt.compare("@main", net, store=tmp_path / "store")
    with pytest.raises(EdgeOptError, match="Not a directory"):
        baseline.save(net, "main", tmp_path / "store")


@pytest.fixture
def small_disk(mounted: Callable[[str], Path]) -> Path:
    """A file system of 20 kB."""
    return mounted("20k")


def test_a_full_store_is_one_line_and_nothing_is_left(net: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(8192))
    with pytest.raises(OutputError, match=r"No space left on device: .*--store"):
        baseline.save(net, "main", small_disk / "store")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_read_only_store_is_one_line(net: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OutputError, match=r"Read-only file system: .*--store"):
        baseline.save(net, "main", small_disk / "store")


def test_prune_removes_what_no_name_points_at(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(net, "release", store)
    baseline.save(other, "main", store)
    baseline.save(other, "next", store)
    assert baseline.prune(store).removed == ()
    assert baseline.remove("@release", store).sha256 == sha256(net)
    pruned = baseline.prune(store)
    assert (pruned.removed, pruned.kept) == ((sha256(net),), 1)
    assert [each.name for each in baseline.list(store)] == ["main", "next"]
    with fetched("@main", store) as path:
        assert sha256(Path(path)) == sha256(other)
    assert set(contents(store)) == {
        *("names/main.json", "names/next.json", f"objects/{sha256(other)}")
    }


def test_nothing_is_pruned_where_a_name_cannot_be_read(store: str, net: Path, other: Path) -> None:
    baseline.save(net, "main", store)
    baseline.save(other, "next", store)
    alter(store, "names/main.json", b"{")
    before = contents(store)
    with pytest.raises(EdgeOptError, match=r"names/main\.json"):
        baseline.prune(store)
    assert contents(store) == before


def test_a_name_that_is_not_there_cannot_be_removed(store: str, net: Path) -> None:
    assert baseline.prune(store).kept == 0
    baseline.save(net, "main", store)
    with pytest.raises(MissingBaselineError, match="no baseline 'man'"):
        baseline.remove("man", store)
