"""What was planned of a layer, to be compared with what was built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """A convolution or matrix product that is to be integer.

    Args:
        node: Its name.
        op: Its operator.
    """

    node: str
    op: str
