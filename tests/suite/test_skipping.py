"""The rule that nothing is skipped in CI, on tests that try."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.skipping

SUITE = """
import pytest
pytest.importorskip("os")

@pytest.fixture
def board():
    pytest.skip("no sshd here")

def test_in_the_test(): pytest.skip("no GPU here")
def test_in_a_fixture(board): ...
@pytest.mark.skipif(True, reason="not on a Tuesday")
def test_by_a_mark(): ...
@pytest.mark.skipif(True, reason="no Python 3.8 here")
def test_that_is_listed(): ...
@pytest.mark.xfail(strict=True)
def test_that_fails_as_expected(): assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(Path(tests.skipping.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile(test_some=SUITE, test_none="import pytest; pytest.importorskip('nothing')")
    return pytester


def test_in_ci_a_skip_is_a_failure(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    ran = suite.runpytest_inprocess("-p", "no:randomly", "--continue-on-collection-errors")
    ran.assert_outcomes(failed=1, errors=3, skipped=1, xfailed=1)
    for reason in ("no GPU here", "no sshd here", "not on a Tuesday", "'nothing'"):
        ran.stdout.fnmatch_lines(f"*skipped in CI: *{reason}*")


def test_elsewhere_it_is_none(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    ran = suite.runpytest_inprocess("-p", "no:randomly")
    ran.assert_outcomes(skipped=5, xfailed=1)
