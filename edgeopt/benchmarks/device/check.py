"""One artifact's answers beside those it gave on the machine that sent it, and its accuracy."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import numpy as np

from .distance import Distance
from .failure import Failure, during
from .ranking import rank
from .request import Answers, Request
from .runtimes import Runtime


def check(request: Request) -> Dict[str, Any]:
    """Run every call of the only artifact's samples.

    Returns:
        ``runtime``; ``outputs``: how far each is from its reference, as ``manifest.OutputCheck``
        has it; ``accuracy``: by metric, or None without labels.

    Raises:
        Failure: If it can't be loaded or run, or gives outputs of other shapes.
    """
    if len(request.subjects) != 1 or request.subjects[0].answers is None:
        raise Failure("request", "one artifact with its answers is checked")
    subject, answers = request.subjects[0], request.subjects[0].answers
    runtime = Runtime(subject.runtime)
    with during("load", 0):
        session = runtime.open(subject.path, request.threads)
    distances = [Distance(name) for name in answers.outputs]
    tally = _Tally(answers)
    with during("inputs", 0), np.load(answers.samples) as given, np.load(answers.references) as due:
        for call, rows in enumerate(answers.counted):
            inputs = {name: given["{}.{}".format(call, n)] for n, name in enumerate(subject.names)}
            with during("run", 0):
                outputs = list(session(inputs).values())
            for n, (distance, found) in enumerate(_paired(distances, outputs)):
                distance.add(_alike(due["{}.{}".format(call, n)], found, distance.output), found)
            tally.add(outputs, rows)
    return {
        "runtime": runtime.as_json(),
        "outputs": [distance.as_json() for distance in distances],
        "accuracy": tally.values(),
    }


def _paired(distances: List[Distance], outputs: List[np.ndarray]) -> Any:
    if len(distances) != len(outputs):
        told = "it gives {} outputs, and there are references for {}"
        raise Failure("run", told.format(len(outputs), len(distances)), 0)
    return zip(distances, outputs)


def _alike(reference: np.ndarray, found: np.ndarray, name: str) -> np.ndarray:
    if reference.shape != found.shape:
        told = "its output {!r} has the shape {}, and its reference {}"
        raise Failure("run", told.format(name, list(found.shape), list(reference.shape)), 0)
    return reference


class _Tally:
    """Counts hits among the highest scores, sample by sample."""

    def __init__(self, answers: Answers) -> None:
        self._answers, self._seen = answers, 0
        self._hits = dict.fromkeys(answers.tops, 0)

    def add(self, outputs: List[np.ndarray], rows: int) -> None:
        labels = self._answers.labels[self._seen : self._seen + rows]
        for row, label in enumerate(labels):
            place = rank(outputs[self._answers.scores][row], label)
            for k in self._hits:
                self._hits[k] += place < k
        self._seen += rows

    def values(self) -> Optional[Dict[str, float]]:
        if not self._answers.labels:
            return None
        return {"top{}".format(k): hits / self._seen for k, hits in self._hits.items()}
