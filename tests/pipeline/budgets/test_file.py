"""What a project's file may say, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.benchmarks.gate.budgets import Limit, Tail
from edgeopt.core.errors import UsageError
from edgeopt.pipeline.budgets.file import ProjectFile, read_project

ALL = """
[budgets]
max-slowdown = "3%"
max-tail = "p99:10%"
max-latency = "+10%"
max-memory = "64MB"
max-size = "+0%"
max-load = "100ms"
max-drop = "0.5pp"
min-sqnr = 30
min-agreement = "99%"

[budgets.targets.rpi5]
max-latency = "5ms"
min-sqnr = 20.5
"""


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path) -> ProjectFile:
    found = read_project(path)
    assert found is not None
    return found


def test_every_budget_in_general_and_by_target(tmp_path: Path) -> None:
    found = read(write(tmp_path / "edgeopt.toml", ALL))
    assert found.general == {
        "max-slowdown": 0.03,
        "max-tail": Tail("p99:10%", 0.99, 0.1),
        "max-latency": Limit("+10%", 0.1, relative=True),
        "max-memory": Limit("64MB", 64e6, relative=False),
        "max-size": Limit("+0%", 0.0, relative=True),
        "max-load": Limit("100ms", 100.0, relative=False),
        "max-drop": 0.005,
        "min-sqnr": 30.0,
        "min-agreement": 0.99,
    }
    assert found.targets == {
        "rpi5": {"max-latency": Limit("5ms", 5.0, relative=False), "min-sqnr": 20.5}
    }


@pytest.mark.parametrize("text", ["", "[budgets]\n", "[budgets.targets]\n", "# nothing\n"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    found = read(write(tmp_path / "edgeopt.toml", text))
    assert (found.general, found.targets) == ({}, {})
    assert read_project(None) is None


@pytest.mark.parametrize("name", ["raspberry-pi-6", "my-board", "host", "arm64-gateway", "stm32"])
def test_targets_of_ones_own_may_be_called_anything(tmp_path: Path, name: str) -> None:
    text = f"[budgets.targets.{name}]\nmax-latency = '5ms'"
    assert list(read(write(tmp_path / "edgeopt.toml", text)).targets) == [name]


WRONG = {
    "an unknown table": (
        "[budget]\nmax-size = '1MB'",
        r"edgeopt\.toml: budget: there is no such key: did you mean budgets\? allowed: budgets",
    ),
    "an unknown key": (
        "[budgets]\nmax-slowdwn = '3%'",
        r"edgeopt\.toml: budgets\.max-slowdwn: there is no such key: did you mean max-slowdown\? "
        r"allowed: max-slowdown, max-tail, .*, min-agreement, targets",
    ),
    "an option's spelling": ("[budgets]\nmax_size = '1MB'", r"budgets\.max_size: .*max-size\?"),
    "an unknown key of a target": (
        "[budgets.targets.rpi5]\nlatency = '5ms'",
        r"budgets\.targets\.rpi5\.latency: there is no such key: .*allowed: max-slowdown",
    ),
    "a target within a target": (
        "[budgets.targets.a.targets]\n",
        r"budgets\.targets\.a\.targets: there is no such key",
    ),
    "no table": ("budgets = 3", r"budgets is 3, and no table: write it as \[budgets\]"),
    "no table of targets": ("[budgets]\ntargets = ['rpi5']", r"budgets\.targets is \['rpi5'\]"),
    "no table of a target": (
        "[budgets.targets]\nrpi5 = '5ms'",
        r"budgets\.targets\.rpi5 is '5ms', and no table: write it as \[budgets\.targets\.rpi5\]",
    ),
    "a number where a share belongs": (
        "[budgets]\nmax-slowdown = 3",
        r'budgets\.max-slowdown is 3: write it as in max-slowdown = "3%"',
    ),
    "text where a number belongs": (
        "[budgets]\nmin-sqnr = '30'",
        r"budgets\.min-sqnr is '30': write it as in min-sqnr = 30",
    ),
    "true": ("[budgets]\nmin-sqnr = true", r"budgets\.min-sqnr is True"),
    "a date": ("[budgets]\nmax-size = 2026-01-01", r"budgets\.max-size is datetime\.date"),
    "a list": ("[budgets]\nmax-size = ['1MB']", r"budgets\.max-size is \['1MB'\]"),
    "no size": ("[budgets]\nmax-size = '10'", r"edgeopt\.toml: budgets\.max-size is '10': write"),
    "no limit at all": ("[budgets]\nmax-size = '0MB'", r"budgets\.max-size is '0MB'"),
    "no drop": ("[budgets]\nmax-drop = '1%'", r"budgets\.max-drop: '1%' can't be read"),
    "no share": ("[budgets]\nmin-agreement = '200%'", r"budgets\.min-agreement: 200% is not a sh"),
    "not a number": ("[budgets]\nmin-sqnr = nan", r"budgets\.min-sqnr is nan: use a number of dB"),
    "another target's": (
        "[budgets.targets.other]\nmax-tail = 'p50:1%'",
        r"budgets\.targets\.other\.max-tail is 'p50:1%'",
    ),
    "a misspelt target": (
        "[budgets.targets.rasberry-pi-5]\nmax-latency = '5ms'",
        r"budgets\.targets\.rasberry-pi-5: there is no such target: did you mean raspberry-pi-5\?",
    ),
    "a target with an underscore": ("[budgets.targets.x86_64_vnni]", r"did you mean x86-64-vnni\?"),
    "twice": ("[budgets]\nmax-size='1MB'\nmax-size='2MB'", "not valid TOML: "),
    "no TOML": ("[budgets", "not valid TOML: "),
    "brackets without end": ("a = " + "[" * 10**5, "nested too deep|not valid TOML"),
    "a nul": ("[budgets]\nmax-size = '\0'", "not valid TOML"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_what_it_may_not_say_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        read_project(write(tmp_path / "edgeopt.toml", text))
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not valid TOML"):
        read_project(write(tmp_path / "edgeopt.toml", b"\xff\xfe[budgets]"))
    with pytest.raises(UsageError, match=r"gone\.toml: No such file"):
        read_project(tmp_path / "gone.toml")
    with pytest.raises(UsageError, match="directory"):
        read_project(tmp_path)
