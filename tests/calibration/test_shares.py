"""Which samples a merged table holds is the same whatever the order of merging."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edgeopt.calibration.shares import counted_twice, joined_records
from edgeopt.core.manifest import DataRecord

ranges = st.tuples(st.integers(0, 8), st.integers(1, 8)).map(lambda p: (p[0], p[0] + p[1]))
records = st.builds(
    DataRecord,
    kind=st.just("npz"),
    location=st.sampled_from(["a.npz", "b.npz"]),
    sha256=st.just("s"),
    samples=st.just(20),
    used=ranges,
)
lists = st.lists(records, max_size=6)


def covered(found: list[DataRecord]) -> list[tuple[str, int]]:
    return sorted((r.location, place) for r in found for place in range(*r.used))


@given(lists)
def test_every_sample_stays_as_often_as_it_was(found: list[DataRecord]) -> None:
    assert covered(list(joined_records(found))) == covered(found)


@given(lists, lists, lists)
def test_the_order_of_joining_does_not_matter(
    one: list[DataRecord], two: list[DataRecord], three: list[DataRecord]
) -> None:
    whole = joined_records([*one, *two, *three])
    assert joined_records([*three, *joined_records([*two, *one])]) == whole
    assert joined_records([*joined_records([*three, *two]), *one]) == whole


@given(records)
def test_what_is_counted_twice_is_told(record: DataRecord) -> None:
    other = msgspec.structs.replace(record, location="c.npz")
    assert counted_twice(joined_records([record, other])) == []
    assert counted_twice(joined_records([record, other, record])) == [record.location]
