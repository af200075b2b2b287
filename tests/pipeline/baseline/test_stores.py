"""Names and stores that are refused, damaged, full, or of another kind."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import edgeopt
from edgeopt.core.errors import (
    EdgeOptError,
    MissingBaselineError,
    ModelError,
    OutputError,
    UsageError,
)
from edgeopt.core.files import sha256
from edgeopt.pipeline import baseline
from edgeopt.pipeline.baseline import Change, Saved, remote
from edgeopt.pipeline.baseline.folder import FolderStore
from edgeopt.pipeline.first_run import compare_or_save
from tests.pipeline.baseline.stores import alter, contents


def test_an_unknown_name_tells_the_nearest(store: str, net: Path) -> None:
    with pytest.raises(MissingBaselineError, match=r"no baseline 'main' in .*: make it with"):
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


def test_a_full_store_is_one_line_and_nothing_is_left(net: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(8192))
    with pytest.raises(OutputError, match=r"No space left on device: .*--store"):
        baseline.save(net, "main", small_disk / "store")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_read_only_store_is_one_line(net: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OutputError, match=r"Read-only file system: .*--store"):
        baseline.save(net, "main", small_disk / "store")
