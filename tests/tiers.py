"""The fast tier: what most changes break first, in about a minute on one core.

``pytest --fast`` runs it, and doesn't even read other files. It holds what computes in the test's
own process, without frameworks, devices or other programs; whatever is marked as slow, timing or
emulated is no part of it.

Its tests are in another order each time, by pytest-randomly: its first line says by which seed, and
``--randomly-seed=N`` gives that order again. The others stay in the order of their files,
as much of what they share is made once and takes long.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

FAST = (
    "benchmarks/gate",
    "benchmarks/history",
    "benchmarks/native",
    "calibration",
    "cli/test_completion.py",
    "cli/test_help.py",
    "converters/onnx",
    "converters/reordering",
    "converters/tflite",
    "core",
    "data",
    "package/test_audit.py",
    "package/test_documentation.py",
    "package/test_hints.py",
    "package/test_public_api.py",
    "pipeline/budgets",
    "pipeline/diagnosis",
    "pipeline/search",
    "reports",
    "suite",
    "targets",
)
"""Folders and files."""

TAKES_LONGER = {
    "pipeline/diagnosis/test_diagnose.py",
    "pipeline/search/test_auto.py",
    "converters/onnx/test_exact_scales.py",
    "converters/tflite/test_precisions.py",
}
"""What of them is left out: it converts whole networks, many times over."""

OTHERS = ("slow", "timing", "emulated", "litert_torch")


def is_fast(path: Path) -> bool:
    """Whether a file of tests belongs to the tier, or a folder may hold one that does."""
    place = path.relative_to(HERE)
    if place.as_posix() in TAKES_LONGER:
        return False
    return any(place.is_relative_to(each) or Path(each).is_relative_to(place) for each in FAST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="the fast tier: see tests/tiers.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    within = collection_path.is_relative_to(HERE)
    return True if config.option.fast and within and not is_fast(collection_path) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around that of pytest-randomly, which shuffles
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    in_order = list(items)
    yield
    shuffled = [item for item in items if _in_tier(item)]
    chosen = set(items)
    others = [item for item in in_order if item in chosen and not _in_tier(item)]
    if config.option.fast:
        config.hook.pytest_deselected(items=others)
        others = []
    items[:] = [*shuffled, *others]


def _in_tier(item: pytest.Item) -> bool:
    within = item.path.is_relative_to(HERE)
    return within and is_fast(item.path) and not any(map(item.get_closest_marker, OTHERS))
