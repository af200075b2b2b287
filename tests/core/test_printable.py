"""What a terminal would obey is shown; everything else is as it was."""

from __future__ import annotations

import json
from enum import StrEnum

import pytest

from edgeopt.core.printable import shown, shown_json, shown_lines, shown_record
from edgeopt.core.record import Record, decoded, encoded, to_json


class Kind(StrEnum):
    ODD = "a\nb"


class Inner(Record, frozen=True):
    name: str


class Outer(Record, frozen=True):
    inner: tuple[Inner, ...]
    names: dict[str, list[str]]
    kind: Kind = Kind.ODD
    count: int = 1


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain Ünïcode 模型 \\ |", "plain Ünïcode 模型 \\ |"),
        ("\x1b[2J\x9b\x07\r\n\t\0", r"\x1b[2J\x9b\x07\r\n\t\x00"),
        ("\u202egpj.exe\u2028\udcff", r"\u202egpj.exe\u2028\udcff"),
    ],
)
def test_text(text: str, seen: str) -> None:
    assert shown(text) == seen
    assert shown(seen) == seen


def test_lines_keep_breaks_and_colours_where_there_are_any() -> None:
    text = "\x1b[1mtitle\x1b[0m\n\x1b[2J\tx"
    assert shown_lines(text, styled=True) == "\x1b[1mtitle\x1b[0m\n\\x1b[2J\\tx"
    assert "\x1b" not in shown_lines(text)
    assert shown_lines("a\n  ::error::x\nb::c") == "a\n  \\x3a:error::x\nb::c"


def test_a_record_changes_only_where_it_must() -> None:
    plain = Outer((Inner("a"),), {"b": ["c"]})
    assert shown_record(plain).inner is plain.inner
    odd = Outer((Inner("a\n"), Inner("b")), {"\x1b": ["\x07"]})
    due = Outer((Inner("a\\n"), Inner("b")), {"\\x1b": ["\\x07"]})
    assert shown_record(odd) == due
    assert shown_record([odd]) == [due]
    assert shown_record(odd).kind is Kind.ODD


@pytest.mark.parametrize("name", ["\x7f\x9b\u202e\U000e0001é模", "\udcff\udc80", "a\0b\u2028"])
def test_json_has_the_very_name(name: str) -> None:
    record = Outer((Inner(name),), {})
    data = shown_json(to_json(record))
    text = data.decode()
    assert all(char == "\n" or char.isprintable() for char in text)
    assert json.loads(text)["inner"][0]["name"] == name
    assert decoded(data, Outer) == decoded(encoded(record), Outer) == record
