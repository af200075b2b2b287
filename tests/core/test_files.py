import errno
from pathlib import Path

import pytest

from edgeopt.core import files
from edgeopt.core.errors import ModelError, OutputError
from edgeopt.core.refusals import reporting


def test_write_bytes_replaces_whole_files_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_bytes(path, b"one")
    files.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_leaves_the_old_file_and_no_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        files.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").mkdir()
    with pytest.raises(ModelError, match=r"net\.onnx: is a folder: name the file in it"):
        files.check_file(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r"none\.onnx: no such file: check the path"):
        files.check_file(tmp_path / "none.onnx")


def test_other_operating_system_errors_are_not_the_users(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="strange"), reporting(tmp_path):
        raise OSError(errno.EBADF, "strange")


def test_a_new_folder_goes_away_if_nothing_was_put_in(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), files.new_folder(tmp_path / "a" / "b"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with files.new_folder(tmp_path / "a" / "b") as _:
        (tmp_path / "a" / "b" / "kept").touch()
    assert (tmp_path / "a" / "b" / "kept").exists()


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with (
        pytest.raises(OutputError, match="a file has that name: choose another folder"),
        files.new_folder(tmp_path / "out"),
    ):
        pass


def test_a_folders_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    first = files.sha256(tmp_path)
    (tmp_path / "x").rename(tmp_path / "y")
    second = files.sha256(tmp_path)
    (tmp_path / "y").write_bytes(b"2")
    assert len({first, second, files.sha256(tmp_path)}) == 3
