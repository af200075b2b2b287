"""The sentence about what XNNPACK computes."""

from __future__ import annotations

import pytest

from edgeopt.cli.views.delegation import delegated
from edgeopt.core.manifest import Delegation, OutsideNode

SOFTMAX = OutsideNode("SOFTMAX", "scores")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Delegation(28, 1), "XNNPACK computes all 28 nodes, in 1 partition"),
        (
            Delegation(28, 2, (SOFTMAX, OutsideNode("GELU", "x"), SOFTMAX)),
            "XNNPACK computes 25 of 28 nodes, in 2 partitions; not 1 GELU, 2 SOFTMAX",
        ),
        (Delegation(2, 0, (SOFTMAX, SOFTMAX)), "XNNPACK computes none of its 2 nodes"),
        (Delegation(1, 1), "XNNPACK computes its only node"),
        (Delegation(1, 0, (SOFTMAX,)), "XNNPACK leaves out its only node"),
    ],
)
def test_it_says_what_is_left_outside(found: Delegation, told: str) -> None:
    assert delegated(found) == told
