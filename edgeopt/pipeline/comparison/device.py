"""A pair on a device: its program gets both once, holds the lock, and answers until it is decided.

What it answers is another machine's word: its types are checked, its text is made printable, and
figures that can't be are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from edgeopt.benchmarks.bundle import RUN, program
from edgeopt.benchmarks.device.start import CONVERSE
from edgeopt.benchmarks.gate.quality import Quality, unlike
from edgeopt.benchmarks.gate.verdict import DeviceRecord
from edgeopt.benchmarks.messages import (
    ArrivedAnswer,
    DeviceAnswer,
    Failed,
    PairedAnswer,
    Request,
    SoloAnswer,
)
from edgeopt.benchmarks.process import decode
from edgeopt.benchmarks.result import Kind
from edgeopt.core.errors import EdgeOptError
from edgeopt.core.progress import Progress
from edgeopt.core.record import Record
from edgeopt.core.scratch import scratch_folder
from edgeopt.pipeline.comparison.packing import Packed
from edgeopt.pipeline.comparison.pair import Pair
from edgeopt.pipeline.comparison.place import emulated
from edgeopt.pipeline.comparison.plausible import check_paired, check_quality, check_solo
from edgeopt.pipeline.cores import check_cores
from edgeopt.pipeline.printable import printable_record
from edgeopt.pipeline.results import failed_there
from edgeopt.pipeline.runner import holder
from edgeopt.targets.conversation import Conversation
from edgeopt.targets.ssh import SshDevice

A = TypeVar("A", bound=Record)

_GREETING = 120
"""Seconds in which a device starts Python and says what it is, or reads the files that came."""

_LINK = 60
"""Seconds on top of what the device itself waits for."""

_SLOWER = 20
"""How many times the first inference's time a sample may take before the process counts as hung."""

_SLOWEST_LINK = 250_000
"""Bytes a second; what is slower isn't waited for."""


class There:
    """A device that has everything, and waits for requests.

    Args:
        target: What it is called.
        pair: What is run.
        packed: What it has got.
        talk: Its program.
        said: What that said of the device.
    """

    def __init__(
        self, target: str, pair: Pair, packed: Packed, talk: Conversation, said: DeviceAnswer
    ) -> None:
        self.target, self._pair, self._packed, self._talk = target, pair, packed, talk
        self._said, self._first_ns = said, 0

    @property
    def device(self) -> DeviceRecord:
        """Where it is, and what keeps others away."""
        return DeviceRecord(address=str(self._talk.address), lock=self._said.lock)

    def ask(self, request: Request, answer: type[A], *, names: Sequence[str], timeout: float) -> A:
        """As ``process.ask``, by a fresh process of the device's.

        Raises:
            EdgeOptError: As ``process.ask``; what isn't the artifacts' fault is a MeasurementError.
            DataError: If it answers what can't be.
        """
        told = msgspec.structs.replace(
            request, subjects=tuple(map(self._packed.there, request.subjects))
        )
        line = msgspec.json.encode({"request": told, "timeout": timeout})
        heard = self._talk.ask(line, timeout + _LINK)
        found = printable_record(decode(heard, answer, names, failed_there))
        if isinstance(found, SoloAnswer):
            check_solo(found, self.target)
            self._first_ns = max(self._first_ns, found.first_ns)
        if isinstance(found, PairedAnswer):
            check_paired(found, len(names), self.target)
        return found

    def quality(self, labelled: bool, progress: Progress) -> Quality:
        """Run both there, on every sample of what they are judged on."""
        del labelled  # the samples went there with or without labels
        plan, samples = self._pair.plan, self._packed.samples
        count = sum(samples[0].counted)
        progress(f"comparing outputs on {self._talk.address}", 0, None)
        subjects = tuple(
            msgspec.structs.replace(self._packed.there(subject.message), samples=each)
            for subject, each in zip(self._packed.subjects, samples, strict=True)
        )
        request = Request("beside", plan.threads, "beside", plan.warmup, plan.duration, subjects)
        patience = plan.patience(2) + _SLOWER * count * self._first_ns / 1e9
        line = msgspec.json.encode({"request": request, "timeout": patience})
        heard = self._talk.ask(line, patience + _LINK)
        found = decode(heard, Quality, self._pair.names, self._unlike)
        check_quality(found, count, bool(samples[0].labels), self.target)
        return printable_record(found)

    def _unlike(self, failure: Failed, names: Sequence[str]) -> EdgeOptError:
        if failure.stage in ("outputs", "numbers", "scores", "labels"):
            return unlike(printable_record(failure), self._pair.artifacts, self._pair.location)
        return failed_there(failure, names)


@contextmanager
def conversing(
    target: str, device: SshDevice, pair: Pair, packed: Packed, progress: Progress
) -> Iterator[There]:
    """The device, with both artifacts and its lock, for as long as the block lasts.

    The lock comes before the artifacts: copying would disturb another's measurement.

    Raises:
        MeasurementError: If it can't be reached, measures already, has no room or too few cores.
        UsageError: If it is emulated.
    """
    with device.folder() as run, scratch_folder() as scratch:
        (scratch / RUN).write_bytes(program())
        device.push(scratch, run)
        with device.converse(run, ("python3", RUN, CONVERSE, "--name", holder())) as talk:
            said = decode(talk.hear(_GREETING), DeviceAnswer, pair.names, failed_there)
            if said.kind != Kind.MEASURED:
                raise emulated(device.address)
            check_cores(pair.plan.threads, said.machine.usable_cores.value)
            progress(f"copying to {device.address}", 0, None)
            patience = _GREETING + packed.size_bytes / _SLOWEST_LINK
            device.push(packed.folder, run, patience)
            arrived = talk.ask(msgspec.json.encode({"files": packed.digests}), patience)
            decode(arrived, ArrivedAnswer, pair.names, failed_there)
            progress(f"measuring on {device.address}", 0, None)
            yield There(target, pair, packed, talk, printable_record(said))
