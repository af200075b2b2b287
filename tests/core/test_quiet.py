"""What other packages say is kept, and shown only where it helps."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from edgeopt.core.errors import ModelError
from edgeopt.core.quiet import quiet, quiet_system

Quiet = Callable[[str], AbstractContextManager[None]]


def fail(how: Quiet, text: str, error: Exception, cause: Exception | None = None) -> None:
    with how("Somebody"):
        if how is quiet:
            sys.stdout.write(text)
        else:
            os.write(2, f"{text}\n".encode())
        raise error from cause


@pytest.fixture(params=[quiet, quiet_system], ids=["python", "system"])
def how(request: pytest.FixtureRequest) -> Quiet:
    found: Quiet = request.param
    return found


def test_a_failure_carries_the_last_lines(how: Quiet) -> None:
    with pytest.raises(RuntimeError) as caught:
        fail(how, "\n".join(f"line {n}" for n in range(40)), RuntimeError("no"))
    (note,) = caught.value.__notes__
    lines = note.splitlines()
    assert lines[0] == "Somebody said, at the end:"
    assert (lines[1], lines[-1]) == ("  line 28", "  line 39")


def test_so_does_the_cause_of_an_error_of_ours(how: Quiet) -> None:
    cause = RuntimeError("no")
    with pytest.raises(ModelError):
        fail(how, "a reason", ModelError("it failed"), cause)
    assert cause.__notes__ == ["Somebody said:\n  a reason"]


def test_what_is_said_before_an_error_of_our_own_is_no_help(how: Quiet) -> None:
    with pytest.raises(ModelError) as caught:
        fail(how, "chatter", ModelError("it isn't a model"))
    assert not hasattr(caught.value, "__notes__")


def test_what_was_shown_already_is_not_said_again(
    how: Quiet, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "edgeopt"), pytest.raises(RuntimeError) as caught:
        fail(how, "chatter", RuntimeError("no"))
    assert "chatter" in caplog.text
    assert not hasattr(caught.value, "__notes__")
