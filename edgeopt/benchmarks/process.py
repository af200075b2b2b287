"""Running the on-device program in a fresh process of this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from edgeopt.benchmarks.device import child
from edgeopt.benchmarks.failures import died, failed
from edgeopt.benchmarks.messages import Failed, Failure, Request
from edgeopt.core.errors import EdgeOptError, MeasurementError
from edgeopt.core.record import Record, to_json
from edgeopt.core.scratch import scratch_folder

PROGRAM = Path(__file__).with_name("device")

A = TypeVar("A", bound=Record)


class UnreadableAnswerError(MeasurementError):
    """What should be the program's answer is neither one nor a failure."""


class Ask(Protocol):
    """Has a request answered by a fresh process: :func:`ask` on this machine, or on a device."""

    def __call__(
        self, request: Request, answer: type[A], *, names: Sequence[str], timeout: float
    ) -> A:
        """As :func:`ask`."""


def ask(request: Request, answer: type[A], *, names: Sequence[str], timeout: float) -> A:
    """Have ``request`` measured in a fresh process, and give its answer.

    The process is killed when this one is interrupted, and ends by itself when this one is killed.

    Args:
        request: What to measure.
        answer: The type of the answer to the request's task.
        names: What each artifact is called in messages.
        timeout: Seconds after which a process is taken for hung.

    Raises:
        ModelError: If an artifact can't be loaded or run, with the runtime's reason; also if the
            process dies of it.
        UnsupportedError: If the runtime lacks one of an artifact's operators.
        MeasurementError: If the runtime isn't there, memory or time runs out.
    """
    with scratch_folder() as folder:
        (folder / child.REQUEST).write_bytes(to_json(request))
        code = _run(folder, timeout, names)
        result = folder / child.RESULT
        if not result.is_file():
            words = (folder / child.WORDS).read_text(encoding="utf-8", errors="replace")
            raise died(code, words, names)
        return decode(result.read_bytes(), answer, names)


def _run(folder: Path, timeout: float, names: Sequence[str]) -> int:
    # The folder is run, not `-m edgeopt...`: so it starts on a device too, and nothing is imported
    # from the folder the user happens to stand in.
    try:
        return child.run([sys.executable, str(PROGRAM)], str(folder), timeout)
    except subprocess.TimeoutExpired as expired:
        raise MeasurementError(
            f"{', '.join(names)}: no result after {timeout:g} s",
            hint="the model may hang, or be very slow: try a smaller --batch or --duration",
        ) from expired


def decode(
    data: bytes,
    answer: type[A],
    names: Sequence[str],
    failing: Callable[[Failed, Sequence[str]], EdgeOptError] = failed,
) -> A:
    """Read the program's answer, or raise what it says went wrong.

    Args:
        data: What it wrote.
        answer: The type of the answer.
        names: What each artifact is called in messages.
        failing: Makes the error of what it says.

    Raises:
        EdgeOptError: The failure, as :func:`ask` lists them.
        UnreadableAnswerError: If it is neither an answer nor a failure.
    """
    try:
        return msgspec.json.decode(data, type=answer)
    except msgspec.DecodeError as error:
        reason = str(error)
    try:
        failure = msgspec.json.decode(data, type=Failure).failure
    except msgspec.DecodeError:
        raise UnreadableAnswerError(
            f"the measuring program's answer is not valid: {reason}",
            hint="measure again; `edgeopt doctor` shows what is installed",
        ) from None
    raise failing(failure, names)
