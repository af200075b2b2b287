"""Some samples of a dataset, by their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeopt.data.dataset import Dataset, Sample


def picked(dataset: Dataset, places: Sequence[int]) -> Iterator[Sample]:
    """The samples at ascending places.

    Pictures are opened one by one, none of the others is decoded; what comes as a stream is read
    from its start once.
    """
    if not places:
        return
    if dataset.record(0, 0).kind == "images":
        for place in places:
            yield from dataset.samples(place, place + 1)
        return
    wanted = set(places)
    for place, sample in enumerate(dataset.samples(0, places[-1] + 1)):
        if place in wanted:
            yield sample
