"""A bundle that didn't arrive whole says what to copy again."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from edgeopt.benchmarks.device.contents import BUNDLE, SCHEMA, read_bundle
from edgeopt.benchmarks.device.failure import Failure


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a bundle's list, and the only file on it."""
    (tmp_path / "net.onnx").write_bytes(b"net")
    files = {"net.onnx": hashlib.sha256(b"net").hexdigest()}
    (tmp_path / BUNDLE).write_text(json.dumps({"schema": SCHEMA, "files": files}))
    return tmp_path


def refused(folder: Path, told: str) -> None:
    with pytest.raises(Failure, match=f"^{re.escape(told)}"):
        read_bundle(str(folder))


def test_a_whole_one_is_read(bundle: Path) -> None:
    assert list(read_bundle(str(bundle))["files"]) == ["net.onnx"]


def test_one_without_its_list(bundle: Path) -> None:
    (bundle / BUNDLE).unlink()
    refused(bundle, "bundle.json can't be read: No such file or directory: copy the whole folder")


def test_one_whose_list_was_cut_off(bundle: Path) -> None:
    (bundle / BUNDLE).write_text('{"schema": ')
    refused(bundle, "bundle.json can't be read: Expecting value")


def test_one_of_another_version(bundle: Path) -> None:
    (bundle / BUNDLE).write_text('{"schema": "edgeopt.bundle/0"}')
    refused(bundle, "bundle.json is 'edgeopt.bundle/0', and this program reads")


def test_one_without_a_file(bundle: Path) -> None:
    (bundle / "net.onnx").unlink()
    refused(bundle, "net.onnx is missing: copy the whole folder again")


def test_one_with_half_a_file(bundle: Path) -> None:
    (bundle / "net.onnx").write_bytes(b"n")
    refused(bundle, "net.onnx is not what was bundled: copy it again, it may have been cut off")
