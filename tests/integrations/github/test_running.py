"""What a step lets through to the log, which is also where a runner reads commands."""

from __future__ import annotations

import pytest

from edgeopt.integrations.github.running import harmless

OURS = b"::error title=regression%3A a.onnx::50%25 slower\n"


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (b"::error::x\n", b"error::x\n"),
        (b" \t::stop-commands::x\n", b"stop-commands::x\n"),
        (b"a\r::add-mask::x\n", b"a\radd-mask::x\n"),
        (b"::::error::x\n", b"error::x\n"),
        (b"##[error]x\n", b"error]x\n"),
        (b"a ::error:: b\n", b"a ::error:: b\n"),
        (OURS, OURS[2:]),
    ],
)
def test_nothing_that_is_printed_is_a_command(line: bytes, left: bytes) -> None:
    assert harmless(line) == left


def test_an_annotation_of_ours_stays_one() -> None:
    assert harmless(OURS, annotates=True) == OURS
    assert harmless(b"::stop-commands::x\n", annotates=True) == b"stop-commands::x\n"
    assert (
        harmless(b"::error title=a\r::add-mask::x", annotates=True)
        == b"::error title=a\radd-mask::x"
    )
