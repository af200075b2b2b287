"""Any terminal will do: any encoding, any width; and what others say only with -v."""

from __future__ import annotations

import logging
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeopt.cli.figures import size, three
from edgeopt.cli.tables import lines, table

Run = Callable[..., Any]

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_table_in_any_encoding(process: Process, conv_net: Path, encoding: str) -> None:
    ran = process("inspect", str(conv_net), PYTHONIOENCODING=encoding)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "conv1" in ran.stdout
    assert ran.stdout.isascii() == (encoding != "utf-8")


def test_a_name_that_the_encoding_lacks(process: Process, conv_net: Path) -> None:
    renamed = conv_net.rename(conv_net.with_name("модель.onnx"))
    ran = process("inspect", str(renamed), PYTHONIOENCODING="cp1252")
    assert ran.returncode == 0
    assert "??????.onnx" in ran.stdout
    missing = process("inspect", "нет.onnx", PYTHONIOENCODING="cp1252")
    assert missing.returncode == 2


def test_json_is_utf8_whatever_the_terminal(process: Process, conv_net: Path) -> None:
    renamed = conv_net.rename(conv_net.with_name("модель.onnx"))
    ran = process("inspect", str(renamed), "--json", PYTHONIOENCODING="cp1252")
    assert '/модель.onnx"' in ran.stdout.replace("\\\\", "/")


def test_what_others_say_is_shown_with_v_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def inspect(file: str) -> None:
        logging.getLogger("edgeopt").debug("PyTorch said: hello")
        warnings.warn(f"deprecated {file}", UserWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeopt.pipeline.inspect.inspect", inspect)
    assert run("inspect", "x").err == "Interrupted\n"
    told = run("inspect", "y", "-v").err
    assert "PyTorch said: hello" in told
    assert "deprecated y" in told


def test_a_table_leaves_an_empty_column_out_and_cuts_nothing() -> None:
    long = "a-very-long-name-" * 20
    drawn = table(("file", "empty", "x"), [(long, "", "[1, 2]"), ("b", "", "3")])
    assert long in drawn
    assert "empty" not in drawn
    assert "[1, 2]" in drawn


def test_lines_leave_out_what_has_no_value() -> None:
    assert lines([("a", "1"), ("bcd", ""), ("ef", "2")]) == "a   1\nef  2\n"


@pytest.mark.parametrize(
    ("count", "told"),
    [(999, "999 B"), (999_400, "999 kB"), (999_600, "1.00 MB"), (10**12, "1000 GB")],
)
def test_sizes(count: int, told: str) -> None:
    assert size(count) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0.000123, "0.000123"), (99.96, "100"), (1234567.0, "1234567")]
)
def test_three_digits(value: float, told: str) -> None:
    assert three(value) == told
