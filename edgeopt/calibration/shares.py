"""Which samples a merged table holds: shares of the same data joined, whatever their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

import msgspec

from edgeopt.core.manifest import DataRecord


def joined_records(records: Iterable[DataRecord]) -> tuple[DataRecord, ...]:
    """Shares of the same data as the fewest ranges of samples; the same for every order.

    >>> one, two = (DataRecord("npz", "a.npz", None, 9, used) for used in ((4, 9), (0, 4)))
    >>> [r.used for r in joined_records([one, two])]
    [(0, 9)]
    """
    return tuple(
        msgspec.structs.replace(shares[0], used=used)
        for shares in (list(s) for _, s in groupby(sorted(records, key=_data), key=_data))
        for used in _layers([share.used for share in shares])
    )


def counted_twice(records: Sequence[DataRecord]) -> list[str]:
    """The locations of data whose samples are in more than one of the records."""
    return [
        one.location
        for one, two in pairwise(records)
        if _data(one) == _data(two) and one.used[0] < two.used[1] and two.used[0] < one.used[1]
    ]


def _data(record: DataRecord) -> tuple[str, str, str, int]:
    return record.kind, record.location, record.sha256 or "", record.samples


def _layers(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where at least one range lies, then where at least two do, and so on."""
    steps: dict[int, int] = {}
    for start, stop in ranges:
        steps[start] = steps.get(start, 0) + 1
        steps[stop] = steps.get(stop, 0) - 1
    open_since: list[int] = []
    closed: list[tuple[int, int, int]] = []
    for at in sorted(steps):
        open_since += [at] * max(steps[at], 0)
        for _ in range(max(-steps[at], 0)):
            depth = len(open_since)
            closed.append((depth, open_since.pop(), at))
    yield from ((start, stop) for _, start, stop in sorted(closed))
