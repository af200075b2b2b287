"""A device that means harm: what it says is bounded, stripped, and obeyed by nothing here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgeopt.benchmarks.bundle import RUN
from edgeopt.benchmarks.store import measurement_path
from edgeopt.core.errors import DataError, EdgeOptError, MeasurementError
from edgeopt.pipeline.bundle import bundle

if TYPE_CHECKING:
    from tests.board import Board


def answering(board: Board, code: str) -> None:
    """Have the board run this instead of the bundle's program."""
    script = board.folder / "answer.py"
    script.write_text(code)
    board.python(f"exec {sys.executable} {script}")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a result is kept, since ``conv_net`` is the same file in every test."""
    return tmp_path_factory.mktemp("kept") / "result.json"


@pytest.fixture
def genuine(kept: Path, conv_net: Path, tmp_path: Path) -> Path:
    """What the bundle's program really answers."""
    if not kept.exists():
        bundle([conv_net], tmp_path / "bundle", target="arm64", duration=0.05, processes=2)
        program = [sys.executable, str(tmp_path / "bundle" / RUN), "-o", str(kept)]
        subprocess.run(program, check=True, env={**os.environ, "TMPDIR": str(tmp_path)})
        shutil.rmtree(tmp_path / "bundle")
    return kept


def twisting(board: Board, genuine: Path, twist: str) -> None:
    """Have it answer that, but for ``m``, the first measurement, and ``r``, all of the result."""
    answering(
        board,
        f"import json\nr = json.load(open({str(genuine)!r}))\nm = r['measurements'][0]\n"
        f"{twist}\njson.dump(r, open('result.json', 'w'))\n",
    )


def told(board: Board, artifact: Path) -> EdgeOptError:
    """The one error that it comes to; nothing is written, and nothing left there."""
    before = sorted(artifact.parent.iterdir())
    with pytest.raises(EdgeOptError) as raised:
        board.measure(artifact)
    error = raised.value
    assert str(error).isprintable()
    assert len(str(error)) < 1500
    assert sorted(artifact.parent.iterdir()) == before
    assert board.left() == []
    return error


def failure(reason: str, **more: object) -> str:
    answer = {"failure": {"stage": "run", "reason": reason, "artifact": 0, **more}}
    return f"import json\njson.dump({answer!r}, open('result.json', 'w'))"


def test_words_that_a_terminal_would_obey(board: Board, conv_net: Path) -> None:
    answering(board, failure("\x1b]0;owned\x07\x1b[2J\r\n\u202e" + "x" * 10**6))
    error = told(board, conv_net)
    assert "?]0;owned??[2J" in str(error)


@pytest.mark.parametrize("artifact", [7, -1, 10**30, "x"])
def test_an_artifact_that_was_not_named(board: Board, conv_net: Path, artifact: object) -> None:
    answering(board, failure("no", artifact=artifact))
    assert told(board, conv_net).exit_code == 3


def test_words_without_end(board: Board, conv_net: Path) -> None:
    flood = "import sys\nfor _ in range(2000): sys.stderr.write('\\x1b[31mx' * 10**4)\n"
    answering(board, flood + "print('x' * 10**7)\nsys.stderr.write('\\nlast\\x1b[0m\\n')")
    error = told(board, conv_net)
    assert isinstance(error, MeasurementError)
    assert "kitchen: last?[0m" in str(error)


def test_a_result_without_end(board: Board, conv_net: Path) -> None:
    answering(board, "import os\nos.symlink('/dev/zero', 'result.json')")
    start = time.monotonic()
    error = told(board, conv_net)
    assert isinstance(error, DataError)
    assert "are no result of a benchmark" in str(error)
    assert time.monotonic() - start < 30


BOMBS = {
    "nothing": "''",
    "zeros": r"'\0' * 1000",
    "brackets": "'[' * 10**7",
    "braces": """'{"measurements":' * 10**6""",
    "nested where anything fits": """'{"failure":{"stage":' + '[' * 10**6""",
    "a number of many digits": """'{"measurements": [], "baseline": ' + '9' * 10**6 + '}'""",
    "bad text": r"b'\xff\xfe{'.decode('latin1')",
    "an empty report": """'{"measurements":[],"baseline":0,"ratios":[],"notes":[]}'""",
    "null": "'null'",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_result_that_is_none(board: Board, conv_net: Path, bomb: str) -> None:
    answering(board, f"open('result.json', 'w').write({bomb})")
    start = time.monotonic()
    assert told(board, conv_net).exit_code in (2, 3)
    assert time.monotonic() - start < 30


TWISTED = {
    "a path for a target": "m['target'] = '../../../tmp/evil'",
    "this machine": "m['target'] = 'host'",
    "an estimate": "m['kind'] = 'estimated'",
    "another file": "m['sha256'] = '0' * 64",
    "no such artifact": "r['baseline'] = 5",
    "fewer ratios": "r['ratios'] = []",
    "a latency below nothing": "m['latency']['p50'] = -1.0",
    "a latency without end": "m['latency']['p50'] = 1e300 * 1e300",
    "text for a number": "m['latency']['p50'] = 'fast'",
    "more of it": "m['extra'] = 1",
    "another version": "m['schema'] = 'edgeopt.benchmark/99'",
}


def test_what_is_not_twisted_is_taken(board: Board, conv_net: Path, genuine: Path) -> None:
    twisting(board, genuine, "")
    assert board.measure(conv_net).measurements


@pytest.mark.parametrize("twist", TWISTED.values(), ids=TWISTED)
def test_a_result_that_was_twisted(board: Board, conv_net: Path, genuine: Path, twist: str) -> None:
    twisting(board, genuine, twist)
    assert told(board, conv_net).exit_code in (2, 3)


def test_names_are_this_machines(board: Board, conv_net: Path, genuine: Path) -> None:
    twisting(
        board,
        genuine,
        "m['artifact'] = '/etc/passwd'\nm['machine']['board'] = "
        "{'value': '\\x1b[31mPi\\n', 'absent': None}\nr['notes'] = ['\\x1b[2Jbuy']",
    )
    report = board.measure(conv_net)
    (measured,) = report.measurements
    assert measured.artifact == str(conv_net)
    assert measured.machine.board.value == "?[31mPi?"
    assert not any("buy" in note for note in report.notes)
    assert b"\\u001b" not in measurement_path(conv_net, "arm64").read_bytes()
