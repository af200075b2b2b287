"""What is published: an sdist, and a wheel that is the same whichever way it is built."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import edgeopt

Core = Callable[..., subprocess.CompletedProcess[str]]

BESIDE = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
"""What the sdist holds beside the package: to build it, and for those who read it."""

INSTALLED = """
import json
from importlib import metadata
import edgeopt
here = metadata.distribution("edgeopt")
print(json.dumps({
    "from": json.loads(here.read_text("direct_url.json"))["url"],
    "place": edgeopt.__file__,
    "damaged": [str(f) for f in here.files if f.hash and not f.locate().is_file()],
}))
"""


@pytest.fixture(scope="module")
def dist(root: Path, core_python: str) -> Path:
    """The folder that ``make core`` leaves what is published in."""
    return root / "dist"


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(dist: Path) -> dict[str, bytes]:
    (path,) = dist.glob("edgeopt-*.whl")
    return contents(path)


@pytest.fixture(scope="module")
def metadata(wheel: dict[str, bytes]) -> Message:
    (name,) = (name for name in wheel if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel[name].decode())


def package(root: Path) -> set[str]:
    """The files of the package that the repository holds."""
    if not (root / ".git").exists():
        found = (root / "edgeopt").rglob("*")
        return {p.relative_to(root).as_posix() for p in found if "__pycache__" not in p.parts}
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "edgeopt"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().rstrip("\0").split("\0")
    return {name for name in names if (root / name).is_file()}


def test_the_wheel_from_the_sdist_is_the_one_from_the_repository(
    dist: Path, wheel: dict[str, bytes]
) -> None:
    (straight,) = (dist / "tree").glob("edgeopt-*.whl")
    assert contents(straight) == wheel


def test_the_wheel_holds_the_package_and_nothing_else(root: Path, wheel: dict[str, bytes]) -> None:
    beside = f"edgeopt-{edgeopt.__version__}.dist-info/"
    names = {name for name in wheel if not name.startswith(beside)}
    assert names == package(root)
    assert {name.removeprefix(beside) for name in set(wheel) - names} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }
    for name in names:
        assert wheel[name] == (root / name).read_bytes(), name


def test_the_sdist_holds_the_package_and_what_builds_it(root: Path, dist: Path) -> None:
    (path,) = dist.glob("edgeopt-*.tar.gz")
    with tarfile.open(path) as archive:
        files = [member.name for member in archive.getmembers() if member.isfile()]
    top = f"edgeopt-{edgeopt.__version__}/"
    assert all(name.startswith(top) for name in files)
    assert {name.removeprefix(top) for name in files} == package(root) | BESIDE


def test_what_an_index_shows_of_it(root: Path, metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (root / "README.md").read_text(encoding="utf-8")
    assert metadata["Version"] == edgeopt.__version__
    pythons = [c for c in metadata.get_all("Classifier", []) if ":: 3." in c]
    assert pythons[0].endswith(metadata["Requires-Python"].removeprefix(">="))


def test_an_extra_that_an_error_names_can_be_installed(metadata: Message) -> None:
    from edgeopt.converters.registry import FALLBACK, OFFICIAL, SOURCES, WRITERS

    entries = [*SOURCES.values(), *WRITERS.values(), *OFFICIAL.values(), *FALLBACK.values()]
    named = {entry.extra for entry in entries if entry.extra is not None}
    assert {"torch", "tflite", "store", "history", "all"} | named <= set(
        metadata.get_all("Provides-Extra", [])
    )


def test_the_sdist_is_what_is_installed_without_extras(core: Core, root: Path) -> None:
    found = json.loads(core("-c", INSTALLED).stdout)
    assert found["from"].endswith(".tar.gz")
    assert not Path(found["place"]).is_relative_to(root / "edgeopt")
    assert found["damaged"] == []


def test_the_wheel_is_what_the_readme_is_run_with(
    wheel_python: str, root: Path, tmp_path: Path
) -> None:
    code = [wheel_python, "-I", "-c", INSTALLED]
    ran = subprocess.run(code, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    if os.environ.get("CI"):
        assert found["from"].endswith(".whl")
        assert not Path(found["place"]).is_relative_to(root / "edgeopt")
    assert found["damaged"] == []
