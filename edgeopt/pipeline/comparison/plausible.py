"""Whether what a device answered can be: a clock that runs backwards, or worse, tells nothing."""

from __future__ import annotations

from collections import Counter

from edgeopt.benchmarks.gate.quality import Quality
from edgeopt.benchmarks.messages import PairedAnswer, SoloAnswer
from edgeopt.core.errors import DataError


def check_solo(answer: SoloAnswer, target: str) -> None:
    """Refuse times that can't be.

    Raises:
        DataError: If there is one.
    """
    peak = answer.memory.peak_bytes.value
    _check(answer.load_ns > 0 and answer.first_ns > 0 and (peak is None or peak > 0), target)


def check_paired(answer: PairedAnswer, artifacts: int, target: str) -> None:
    """Refuse times that can't be, and an answer that is of other artifacts than were asked.

    Raises:
        DataError: If there is one.
    """
    turns = Counter(block.artifact for block in answer.blocks)
    _check(
        set(turns) == set(range(artifacts))
        and len({*turns.values()}) == 1
        and len(answer.runtimes) == artifacts
        and all(min(block.ns, default=0) > 0 for block in answer.blocks),
        target,
    )


def check_quality(found: Quality, samples: int, labelled: bool, target: str) -> None:
    """Refuse counts that can't be.

    Raises:
        DataError: If there is one.
    """
    right = found.right or (0, 0)
    counts = (*right, found.lost, found.gained)
    _check(
        bool(found.outputs)
        and found.samples == samples
        and (found.right is not None) == labelled
        and all(0 <= count <= samples for count in counts)
        and right[0] - found.lost == right[1] - found.gained,
        target,
    )


def _check(plausible: bool, target: str) -> None:
    if not plausible:
        raise DataError(
            f"{target}: what it answered can't be",
            hint="measure again; look after the device's clock",
        )
