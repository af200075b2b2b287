"""Suites of tests that use EdgeOpt's plugin, run by pytest in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def net(pytester: pytest.Pytester, save_net: Callable[..., None]) -> Callable[..., Path]:
    """``net(name, turns)``: a model of so much work."""

    def make(name: str, turns: int = 40) -> Path:
        save_net(pytester.path / name, turns)
        return pytester.path / name

    return make


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """``suite(body, *options)``: run one test with that body, which has the fixture."""
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config -p no:cacheprovider")

    def run(body: str, *options: str) -> pytest.RunResult:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        pytester.makepyfile(test_it=f"def test_latency(edgeopt_benchmark):\n{lines}\n")
        return pytester.runpytest_subprocess(*options)

    return run
