from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from edgeopt.benchmarks.history.file import add, read
from edgeopt.core.errors import OutputError, UsageError

if TYPE_CHECKING:
    from tests.benchmarks.history.conftest import Made


def test_what_is_added_is_read_back_in_order(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "gate.jsonl"
    entries = [made("a", "b", 1.0), made("b", "c", 1.01)]
    for entry in entries:
        add(path, entry)
    assert read(path) == entries
    assert len(path.read_text().splitlines()) == 2


def test_a_file_that_was_saved_without_its_last_line_break_is_not_spoilt(
    made: Made, tmp_path: Path
) -> None:
    path = tmp_path / "gate.jsonl"
    add(path, made("a", "b", 1.0))
    path.write_text(path.read_text().rstrip("\n"))
    add(path, made("b", "c", 1.0))
    assert [entry.label for entry in read(path)] == ["b", "c"]


def test_no_file_is_an_empty_history(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize("line", ["{", "[]", '{"at": 1}', "\x00"])
def test_a_line_that_is_none_is_named(made: Made, tmp_path: Path, line: str) -> None:
    path = tmp_path / "gate.jsonl"
    add(path, made("a", "b", 1.0))
    with path.open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(UsageError, match=r"gate\.jsonl, line 3: no comparison of a history"):
        read(path)


@pytest.mark.parametrize(
    "changed",
    [{"point": 0.0}, {"low": -1.0}, {"high": 0.1}, {"processes": 1}, {"confidence": 1.0}],
)
def test_a_ratio_that_cannot_be_is_named(
    made: Made, tmp_path: Path, changed: dict[str, float]
) -> None:
    path = tmp_path / "gate.jsonl"
    entry = json.loads(msgspec.json.encode(made("a", "b", 1.0)))
    entry["ratio"] |= changed
    path.write_text(json.dumps(entry))
    with pytest.raises(UsageError, match="line 1: no comparison of a history: its ratio can't be"):
        read(path)


def test_what_cannot_be_read_or_written_is_told(made: Made, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="noise: it isn't text"):
        read(tmp_path / "noise")
    with pytest.raises(UsageError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(OutputError, match="cannot write"):
        add(tmp_path / "none" / "gate.jsonl", made("a", "b", 1.0))
