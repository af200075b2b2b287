"""The fast tier holds what it lists, in another order each time; the rest stays in order."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.tiers as tiers


@pytest.mark.parametrize("listed", [*tiers.FAST, *sorted(tiers.TAKES_LONGER)])
def test_what_is_listed_is_there(listed: str) -> None:
    assert (tiers.HERE / listed).exists()


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ("core/test_ir.py", True),
        ("cli/test_help.py", True),
        ("cli", True),
        ("cli/test_convert.py", False),
        ("pipeline/search/test_auto.py", False),
        ("integrations", False),
    ],
)
def test_only_the_tiers_files_are_read(path: str, within: bool) -> None:
    assert tiers.is_fast(tiers.HERE / path) is within


def test_only_the_tier_is_shuffled(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        Path(tiers.__file__).read_text(encoding="utf-8").replace('"core",', '"test_tier.py",')
    )
    names = [f"test_{n}" for n in range(12)]
    source = "\n".join(f"def {name}(): ..." for name in names)
    slow = "import pytest\n@pytest.mark.slow\ndef test_slow(): ..."
    pytester.makepyfile(test_tier=f"{slow}\n{source}", test_other=source)

    def order(*options: str) -> list[str]:
        ran = pytester.runpytest_inprocess("--collect-only", "-q", *options)
        return [line for line in ran.outlines if "::" in line]

    tier = [f"test_tier.py::{name}" for name in names]
    rest = [*(f"test_other.py::{name}" for name in names), "test_tier.py::test_slow"]
    whole = order("-p", "randomly", "--randomly-seed=1")
    assert whole[12:] == rest
    assert whole[:12] != tier
    assert sorted(whole[:12]) == sorted(tier)
    assert (
        order("--fast", "--randomly-seed=1") == whole[:12] == order("--fast", "--randomly-seed=1")
    )
    assert order("--fast", "--randomly-seed=2") != whole[:12]
