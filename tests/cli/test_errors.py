"""One line for a user's mistake, a traceback for ours, and the exit code that says which."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeopt.core import errors
from edgeopt.core.errors import EdgeOptError

Run = Callable[..., Any]

FAMILY = [
    (errors.EdgeOptError("it broke", hint="mend it"), 2),
    (errors.UsageError("it broke", hint="mend it"), 2),
    (errors.MissingBaselineError("it broke", hint="mend it"), 2),
    (errors.ModelError("it broke", hint="mend it"), 2),
    (errors.UnsafeFileError("it broke", hint="mend it"), 2),
    (errors.UnsupportedError("it broke", hint="mend it"), 2),
    (errors.DataError("it broke", hint="mend it"), 2),
    (errors.BuildError("it broke", hint="mend it"), 2),
    (errors.OutputError("it broke", hint="mend it"), 2),
    (errors.MissingExtraError("it", "torch", "torch"), 2),
    (errors.MeasurementError("it broke", hint="mend it"), 3),
    (errors.GateError("it broke", hint="mend it"), 1),
    (errors.VerificationError("it broke", hint="mend it"), 1),
]
"""Every class of the family, and the code that a script sees."""

Raise = Callable[[BaseException], None]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """Make ``edgeopt inspect`` raise something."""

    def raising(error: BaseException) -> None:
        def raise_it(*args: object, **options: object) -> None:
            raise error

        monkeypatch.setattr("edgeopt.pipeline.inspect.inspect", raise_it)

    return raising


def test_the_whole_family_is_here() -> None:
    found = {errors.EdgeOptError}
    while more := {s for c in found for s in c.__subclasses__()} - found:
        found |= more
    ours = {c for c in found if c.__module__ == "edgeopt.core.errors"}
    assert ours == {type(error) for error, _ in FAMILY}


@pytest.mark.parametrize(("error", "code"), FAMILY, ids=lambda p: type(p).__name__)
def test_an_error_is_one_line_and_its_code(
    run: Run, raising: Raise, error: EdgeOptError, code: int
) -> None:
    raising(error)
    ran = run("inspect", "x.onnx")
    assert (ran.code, ran.out) == (code, "")
    assert ran.line == f"Error: {error.message}: {error.hint}"


def test_what_another_package_said_stands_above_the_error(run: Run, raising: Raise) -> None:
    error, cause = EdgeOptError("it broke", hint="mend it"), RuntimeError("no")
    cause.add_note("TensorFlow said:\n  a reason")
    error.__cause__ = cause
    raising(error)
    ran = run("inspect", "x.onnx")
    assert ran.code == 2
    assert ran.err.splitlines() == ["TensorFlow said:", "  a reason", "Error: it broke: mend it"]


@pytest.mark.parametrize(("error", "code"), FAMILY, ids=lambda p: type(p).__name__)
def test_an_error_as_json(run: Run, raising: Raise, error: EdgeOptError, code: int) -> None:
    raising(error)
    ran = run("inspect", "x.onnx", "--json")
    assert ran.code == code
    assert ran.json == {
        "error": {
            "type": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "exit_code": code,
        }
    }
    assert ran.line == f"Error: {error}"


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), MemoryError(), RecursionError()])
def test_a_bug_shows_its_traceback(run: Run, raising: Raise, error: Exception) -> None:
    raising(error)
    ran = run("inspect", "x.onnx")
    assert (ran.code, ran.out) == (70, "")
    assert ran.err.startswith("Traceback (most recent call last)")
    assert type(error).__name__ in ran.err
    assert "report it" in ran.err.splitlines()[-1]


def test_a_bug_as_json(run: Run, raising: Raise) -> None:
    raising(ZeroDivisionError("ours"))
    ran = run("inspect", "x.onnx", "--json")
    assert ran.json["error"]["type"] == "ZeroDivisionError"
    assert ran.json["error"]["exit_code"] == 70
    assert "Traceback" in ran.err


def test_an_interruption_is_one_line(run: Run, raising: Raise) -> None:
    raising(KeyboardInterrupt())
    ran = run("inspect", "x.onnx")
    assert (ran.code, ran.out, ran.err) == (130, "", "Interrupted\n")


@pytest.mark.parametrize("error", [ImportError("initialization failed"), EdgeOptError("broken")])
def test_an_interruption_that_was_turned_into_another_error(
    run: Run, raising: Raise, error: Exception
) -> None:
    error.__cause__ = KeyboardInterrupt()
    raising(error)
    ran = run("inspect", "x.onnx")
    assert (ran.code, ran.err) == (130, "Interrupted\n")


def test_a_script_that_exits_is_no_success(run: Run, raising: Raise) -> None:
    raising(SystemExit(0))
    ran = run("inspect", "x.onnx")
    assert ran.code == 2
    assert "sys.exit(0)" in ran.line


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["convrt"], "no command 'convrt': did you mean 'convert'?"),
        (["zzz"], "no command 'zzz': it has: convert, calibrate, benchmark"),
        (
            ["convert", "m.onnx", "--precison", "int8"],
            "no option --precison: did you mean --precision?",
        ),
        (["convert", "m.onnx", "--zzzzz"], "no option --zzzzz: `edgeopt convert --help` explains"),
        (
            ["benchmark", "m.onnx", "--max-slowdown", "3%"],
            "no option --max-slowdown: it is an option of `edgeopt compare`; "
            "`edgeopt benchmark --help` explains",
        ),
        (
            ["benchmark", "m.onnx", "--duration", "long"],
            "invalid value for '--duration': 'long' is not a number: "
            "`edgeopt benchmark --help` explains",
        ),
        (
            ["benchmark", "m.onnx", "--threads", "two"],
            "invalid value for '--threads': 'two' is not a whole number: "
            "`edgeopt benchmark --help` explains",
        ),
        (["--json", "doctor"], "no option --json: options come after the command's name"),
        (["convert"], "missing argument 'MODEL': `edgeopt convert --help` explains"),
        (["benchmark"], "missing argument 'ARTIFACTS...'"),
        (["benchmark", "a.onnx", "--threads", "0"], "invalid value for '--threads'"),
        (["benchmark", "a.onnx", "--threads"], "requires an argument"),
        (["inspect", "a.onnx", "b.onnx"], "unexpected extra argument"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["doctor", "-q", "-v"], "-q and -v don't go together"),
    ],
)
def test_wrong_use_is_one_line_with_the_next_step(run: Run, args: list[str], told: str) -> None:
    ran = run(*args)
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith("Error: ")
    assert told in ran.err


def test_a_file_that_may_not_be_read(
    run: Run, conv_net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read every file, and tests may run as root.
    monkeypatch.setattr("os.access", lambda *_, **__: False)
    ran = run("inspect", conv_net)
    assert ran.code == 2
    assert ran.line.endswith(f"Path '{conv_net}' is not readable: check who may read it")


def test_wrong_use_as_json(run: Run) -> None:
    ran = run("convert", "m.onnx", "--precison", "int8", "--json")
    assert ran.json["error"]["type"] == "UsageError"
    assert ran.json["error"]["message"] == "no option --precison"


@pytest.mark.skipif(os.name != "posix", reason="POSIX pipes")
def test_a_reader_that_has_had_enough_is_no_error(
    conv_net: Path, environment: dict[str, str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(
        [sys.executable, "-m", "edgeopt", "inspect", str(conv_net)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_standard_output_is_one_line(
    conv_net: Path, environment: dict[str, str], more: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "edgeopt", "inspect", str(conv_net), *more],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
        )
    assert ran.returncode == 2
    assert "standard output can't be written" in ran.stderr.decode()
    assert len(ran.stderr.splitlines()) == 1
