"""A pair on its bench, wherever that is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgeopt.benchmarks.gate.budgets import Budgets
from edgeopt.benchmarks.paired import Subject
from edgeopt.core.progress import Progress
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.comparison.bench import Bench, Here
from edgeopt.pipeline.comparison.device import conversing
from edgeopt.pipeline.comparison.packing import pack
from edgeopt.pipeline.comparison.pair import Pair
from edgeopt.pipeline.comparison.place import Place


@contextmanager
def ready(
    place: Place, pair: Pair, budgets: Budgets, progress: Progress
) -> Iterator[tuple[Bench, tuple[Subject, Subject]]]:
    """The bench, and both artifacts with what they are timed with.

    Raises:
        MeasurementError: If the machine has too few cores, or can't be reached.
        EdgeOptError: As ``pack`` and ``conversing``.
    """
    judged, labelled = pair.judged(budgets), budgets.drop is not None
    with scratch_folder() as folder:
        if place.device is None:
            yield Here(pair, judged), pair.subjects(folder)
            return
        packed = pack(pair, judged, labelled, folder)
        with conversing(place.name, place.device, pair, packed, progress) as there:
            yield there, packed.subjects
