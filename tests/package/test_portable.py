"""The repository says nothing of the machines it was made on."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Written in pieces, so that this file passes its own test.
FOLDERS = ("work/", "root/", "tmp/", "opt/", r"home/(?!me\b)", r"Users/(?!me\b)")  # me: made up
HOSTS = ("pypi" + ".org", "python" + "hosted", "download." + "pytorch", "anaconda" + ".org")
FORBIDDEN = re.compile(
    rb"(?<![\w.~<])/(?:" + "|".join(FOLDERS).encode() + rb")\w"
    rb"|" + "|".join(map(re.escape, HOSTS)).encode()
)


def tracked_files(root: Path) -> list[Path]:
    if not (root / ".git").exists():
        pytest.skip("not a clone: git says which files are ours")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True
    ).stdout.decode()
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield str(path), data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"{path}: {name}", archive.read(name)


def test_no_file_names_a_machines_folders_or_a_package_index(root: Path) -> None:
    found = [
        f"{where}: {match[0].decode()}"
        for path in tracked_files(root)
        for where, data in contents(path)
        for match in FORBIDDEN.finditer(data)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["see /" + "work/main", 'File "/' + 'root/x.py"', "https://pypi" + ".org/simple"]
)
def test_what_would_be_found(text: str) -> None:
    assert FORBIDDEN.search(text.encode())


@pytest.mark.parametrize("text", ["/" + "home/me/net.py", "a/tmp/b", "/workers/x", "~/work/x"])
def test_what_would_not(text: str) -> None:
    assert not FORBIDDEN.search(text.encode())
