"""Where two artifacts are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeopt.benchmarks.gate.quality import Quality, quality
from edgeopt.benchmarks.gate.verdict import DeviceRecord
from edgeopt.benchmarks.measure import HOST
from edgeopt.benchmarks.process import Ask, ask
from edgeopt.core.progress import Progress
from edgeopt.pipeline.comparison.pair import Pair
from edgeopt.pipeline.cores import check_cores, cores_here

if TYPE_CHECKING:
    from edgeopt.data import Dataset


class Bench(Protocol):
    """A machine, ready to run a pair."""

    @property
    def target(self) -> str:
        """What it is called."""

    @property
    def device(self) -> DeviceRecord | None:
        """How it is reached; None for this machine."""

    @property
    def ask(self) -> Ask:
        """Has a request answered by a fresh process there."""

    def quality(self, labelled: bool, progress: Progress) -> Quality:
        """Run both on every sample of what they are judged on.

        Raises:
            ModelError: If their outputs don't fit each other.
            DataError: If a sample or label doesn't fit.
        """


class Here:
    """This machine.

    Args:
        pair: What is run.
        judged: The samples that their answers are compared on, as each takes them.

    Raises:
        MeasurementError: If it has too few cores.
    """

    def __init__(self, pair: Pair, judged: tuple[Dataset, Dataset]) -> None:
        check_cores(pair.plan.threads, cores_here())
        self._pair, self._judged = pair, judged
        self.target, self.device = HOST, None

    @property
    def ask(self) -> Ask:
        """Has a request answered by a fresh process here."""
        return ask

    def quality(self, labelled: bool, progress: Progress) -> Quality:
        """Run both, in this process."""
        return quality(*self._pair.artifacts, self._judged, labelled=labelled, progress=progress)
