"""A bar is drawn for a step that takes long, where someone watches, and goes again."""

from __future__ import annotations

import io
import sys
import time

import pytest

from edgeopt.cli import progress
from edgeopt.cli.progress import StepDisplay
from edgeopt.cli.terminal import Terminal
from edgeopt.core.progress import silent


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Screen()


def test_a_short_step_is_not_drawn(screen: Screen) -> None:
    with StepDisplay(screen) as display:
        for done in range(50):
            display("observing", done, 50)
        display("writing", 0, None)
    assert screen.getvalue() == ""


def test_a_long_step_is_drawn_and_goes(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with StepDisplay(screen) as display:
        display("observing", 1, 50)
        wait_for(screen, "observing")
        display("observing", 7, 50)
        wait_for(screen, "7/50")
        display("writing", 0, None)
        wait_for(screen, "writing")
    assert screen.getvalue().endswith("\x1b[1A\x1b[2K")  # up a line, and clear it


def test_it_draws_on_the_real_stream_while_a_step_silences_it(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(sys, "stderr", screen)
    with Terminal().progress("reading"):
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        wait_for(screen, "reading")


@pytest.mark.parametrize("how", [{"json": True}, {"quiet": True}, {"verbose": True}])
def test_where_nobody_watches(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, how: dict[str, bool]
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    with Terminal(**how).progress("first") as report:
        assert report is silent


def test_not_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Terminal().progress("first") as report:
        assert report is silent


def wait_for(screen: Screen, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in screen.getvalue():
        assert time.monotonic() < deadline, screen.getvalue()
        time.sleep(0.02)
