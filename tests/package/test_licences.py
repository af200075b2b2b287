"""Everything that EdgeOpt needs has a licence that goes with its own, and stands in the page."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def licences(root: Path) -> ModuleType:
    spec = spec_from_file_location("licences", root / ".ci" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["licences"] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def path(root: Path) -> list[str]:
    """What is installed here, and beside it what builds and looks at releases."""
    return [*sys.path, *map(str, root.glob(".venv-release/lib/python3.*/site-packages"))]


def test_every_licence_goes_with_ours(licences: ModuleType, path: list[str]) -> None:
    needed = licences.everything(path)
    assert {"click", "numpy", "onnxruntime"} <= {n for n, e in needed.items() if "EdgeOpt" in e.by}
    assert licences.wrong(needed) == []


def test_the_page_lists_them(licences: ModuleType, path: list[str]) -> None:
    needed = licences.everything(path)
    shown = licences.PAGE.read_text(encoding="utf-8")
    if os.environ.get("CI"):  # where all that is pinned is installed
        assert shown == licences.page(needed), "write it again: make licences"
    for name, each in needed.items():
        assert f"| {name} | {each.licence} | " in shown


@pytest.mark.parametrize("kind", ["AGPL-3.0-only", "MIT AND GPL-2.0-only", "", None])
def test_a_licence_that_does_not_fit_is_found(
    licences: ModuleType, kind: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "new-1.0.dist-info"
    folder.mkdir()
    said = "" if kind is None else f"License-Expression: {kind}\n"
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: new\nVersion: 1.0\n{said}")
    (package,) = metadata.distributions(path=[str(tmp_path)])
    (found,) = licences.wrong({"new": licences.Needed(licences.licence(package))})
    assert found.startswith("new: ")


@pytest.mark.parametrize("kind", ["MIT", "(GPL-2.0-only OR Apache-2.0)", "BSD-3-Clause AND 0BSD"])
def test_one_that_does(licences: ModuleType, kind: str) -> None:
    assert licences.wrong({"new": licences.Needed(kind)}) == []
