"""Option, then the project's file for the target, then in general, then the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgeopt.benchmarks.gate.budgets import Limit
from edgeopt.core.errors import UsageError
from edgeopt.pipeline.budgets.asked import budgets_for, costs_for, read_options
from edgeopt.pipeline.budgets.file import ProjectFile, read_project
from edgeopt.targets import Profile, load_target
from edgeopt.targets.hardware import Budget

TEXT = """
[budgets]
max-slowdown = "5%"
max-size = "2MB"
max-tail = "p90:10%"
[budgets.targets.arm64]
max-latency = "5ms"
max-size = "+10%"
"""


@pytest.fixture
def project(tmp_path: Path) -> ProjectFile:
    path = tmp_path / "edgeopt.toml"
    path.write_text(TEXT)
    found = read_project(path)
    assert found is not None
    return found


@pytest.fixture
def profile() -> Profile:
    budget = Budget(max_latency_ms=9.0, max_memory_mb=64.0, max_size_mb=1.0)
    return msgspec.structs.replace(load_target("arm64"), budget=budget)


def test_the_first_that_says_something_counts(project: ProjectFile, profile: Profile) -> None:
    options = read_options({"max-slowdown": "1%", "max-load": None})
    found = budgets_for(options, project, "arm64", profile)
    general, target = f"{project.path}, budgets", f"{project.path}, budgets.targets.arm64"
    assert found.sources == {
        "latency": "option", "median": target, "size": target, "p90": general,
        "memory": "the profile of arm64",
    }  # fmt: skip
    assert (found.slowdown, found.load) == (0.01, None)
    assert found.latency == Limit("5ms", 5.0, relative=False)
    assert found.size == Limit("+10%", 0.1, relative=True)
    assert found.memory == Limit("64 MB", 64e6, relative=False)


def test_what_another_target_may_cost_is_its_own(project: ProjectFile) -> None:
    found = budgets_for({}, project, "host", None)
    assert (found.slowdown, found.latency) == (0.05, None)
    assert found.size == Limit("2MB", 2e6, relative=False)


def test_there_is_a_default_of_one_budget(profile: Profile) -> None:
    found = budgets_for({}, None, "host", None)
    assert (found.slowdown, found.sources) == (0.03, {"latency": "default"})
    assert budgets_for({}, None, "arm64", profile).sources["size"] == "the profile of arm64"


def test_an_option_that_is_wrong_is_called_by_its_name() -> None:
    wrong: dict[str, Any] = {"max-size": "10", "min-sqnr": float("nan"), "max-drop": "1%"}
    for key, value in wrong.items():
        with pytest.raises(UsageError, match=f"--{key}"):
            read_options({key: value})


def test_a_benchmark_has_the_same_order(project: ProjectFile, profile: Profile) -> None:
    found = costs_for(Budget(max_memory_mb=8.0), project, "arm64", profile)
    # The target's size is relative, which replaces the profile's and the general one all the same.
    assert found.budget == Budget(max_latency_ms=5.0, max_memory_mb=8.0)
    assert found.sources["memory"] == "option"
    (note,) = found.notes
    assert note.startswith("max-size = +10% (")
    assert note.endswith("is relative to a baseline: `edgeopt compare` judges it")
    assert costs_for(Budget(), project, "host", None).budget == Budget(max_size_mb=2.0)
    assert costs_for(Budget(), None, "arm64", profile).budget == profile.budget
    assert costs_for(Budget(), None, "host", None).budget == Budget()
