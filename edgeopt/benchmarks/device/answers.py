"""Two artifacts on the same samples: what they answer, beside each other."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import numpy as np

from .beside import Beside, Outputs
from .failure import Failure, during
from .request import Request, Samples, Subject
from .runtimes import Runtime


def beside(request: Request) -> Dict[str, Any]:
    """Run the baseline and the candidate, in this order, on every sample.

    Returns:
        The fields of ``gate.quality.Quality``.

    Raises:
        Failure: If one can't be loaded or run, or they don't fit each other.
    """
    sides = []
    for index, subject in enumerate(request.subjects):
        if len(request.subjects) != 2 or subject.samples is None:
            raise Failure("request", "two artifacts with their samples are put beside each other")
        sides.append(_answers(subject, subject.samples, index, request.threads))
    baseline, candidate = sides
    asked = request.subjects[0].samples
    labels = asked.labels if asked is not None else []
    found = Beside()
    for number, (one, other) in enumerate(zip(baseline, candidate)):
        found.add(one, other, labels[number] if labels else None)
    return found.as_json()


def _answers(subject: Subject, samples: Samples, index: int, threads: int) -> Iterator[Outputs]:
    """The outputs of each sample, batch axis included."""
    runtime = Runtime(subject.runtime)
    with during("load", index):
        session = runtime.open(subject.path, threads)
    with during("inputs", index):
        stored = np.load(samples.file)
    with stored:
        for call, rows in enumerate(samples.counted):
            with during("inputs", index):
                inputs = {
                    name: stored["{}.{}".format(call, n)] for n, name in enumerate(subject.names)
                }
            with during("run", index):
                outputs = _named(samples, list(session(inputs).values()), index)
            for row in range(rows):
                yield _row(outputs, row) if samples.size > 1 else outputs


def _named(samples: Samples, arrays: Any, index: int) -> Outputs:
    if len(arrays) != len(samples.outputs):
        told = "it gives {} outputs, and its file names {}"
        raise Failure("run", told.format(len(arrays), len(samples.outputs)), index)
    return dict(zip(samples.outputs, arrays))


def _row(outputs: Outputs, row: int) -> Outputs:
    return {name: array[row : row + 1] for name, array in outputs.items()}
