"""Samples that are there more than once, or on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edgeopt.data import Stored
from edgeopt.pipeline.validation.limits import Limits
from edgeopt.pipeline.validation.records import Finding, Level
from edgeopt.pipeline.validation.scan import EXAMPLES, Scan
from edgeopt.pipeline.validation.words import a_share, plural, some

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def check_repeats(scan: Scan, limits: Limits, data: str) -> Iterator[Finding]:
    """Samples with the same content, and those of them with another label."""
    pairs = scan.contents.repeated()
    share = len(pairs) / scan.samples
    examples = _named(pairs, scan.dataset, scan.dataset)
    yield Finding(
        name="duplicates", level=limits.duplicates.level(share), data=data,
        found=plural(len(pairs), "sample"), limit=f"at most {a_share(limits.duplicates.fail)}",
        why=f"there before, bit for bit: {some(examples, len(pairs))}" if examples else "",
        examples=tuple(examples), figures={"samples": len(pairs), "share": share},
    )  # fmt: skip
    if scan.labelled:
        yield _contradictions(scan, data)


def _contradictions(scan: Scan, data: str) -> Finding:
    pairs = scan.contents.contradictory()
    examples = _named(pairs, scan.dataset, scan.dataset)
    return Finding(
        name="contradictions", level=Level.FAIL if examples else Level.PASS, data=data,
        found=plural(len(pairs), "sample"), limit="none",
        why=f"the same content with another label: {some(examples, len(pairs))}"
        if examples else "",
        examples=tuple(examples), figures={"samples": len(pairs)},
    )  # fmt: skip


def check_overlap(data: Scan, evaluation: Scan, limits: Limits) -> Finding:
    """Evaluation samples that are in the data too: they flatter whatever was built on it."""
    pairs = evaluation.contents.shared(data.contents)
    share = len(pairs) / evaluation.samples
    examples = _named(pairs, evaluation.dataset, data.dataset)
    return Finding(
        name="overlap", level=limits.overlap.level(share), data="evaluation",
        found=plural(len(pairs), "sample"), limit=f"at most {a_share(limits.overlap.fail)}",
        why=f"in the data too, bit for bit: {some(examples, len(pairs))}" if examples else "",
        examples=tuple(examples), figures={"samples": len(pairs), "share": share},
    )  # fmt: skip


def _named(pairs: NDArray[np.int64], ours: Stored, theirs: Stored) -> list[str]:
    return [
        f"{_origin(ours, int(one))} = {_origin(theirs, int(other))}"
        for one, other in pairs[:EXAMPLES]
    ]


def _origin(dataset: Stored, place: int) -> str:
    return next(iter(dataset.entries(place, place + 1))).origin
