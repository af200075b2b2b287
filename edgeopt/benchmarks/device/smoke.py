"""Running one artifact on several inputs, twice: does it run, and does it answer the same?"""

from __future__ import annotations

import hashlib
from time import perf_counter_ns
from typing import Any, Dict, Iterator, List

import numpy as np

from .failure import Failure, during
from .request import Request
from .runtimes import Runtime


def smoke(request: Request) -> Dict[str, Any]:
    """Load the artifact that all subjects name, run the inputs of each, and then all again.

    All are run before any is run again, so that what one call leaves in the session shows.

    Returns:
        ``runtime``; ``load_ns``; ``calls``: of each subject its ``outputs``, each with ``name``,
        ``shape``, ``values``, ``not_finite`` (how many are NaN or infinite) and ``digest``; and
        ``again``: the outputs' digests of the second time, in the same order.

    Raises:
        Failure: If it can't be loaded or run.
    """
    path = request.subjects[0].path
    if any(subject.path != path for subject in request.subjects):
        raise Failure("request", "smoke takes one artifact")
    runtime = Runtime(request.subjects[0].runtime)
    start = perf_counter_ns()
    with during("load", 0):
        session = runtime.open(path, request.threads)
    load_ns = perf_counter_ns() - start
    rounds: List[List[Any]] = [[], []]
    for calls in rounds:
        for index, subject in enumerate(request.subjects):
            inputs = subject.arrays(index)
            with during("run", index):
                calls.append([_output(*each) for each in session(inputs).items()])
    first, second = rounds
    return {
        "runtime": runtime.as_json(),
        "load_ns": load_ns,
        "calls": [
            {"outputs": one, "again": [output["digest"] for output in other]}
            for one, other in zip(first, second)
        ],
    }


def _output(name: str, value: Any) -> Dict[str, Any]:
    digest, values, finite = hashlib.sha256(), 0, 0
    for array in _arrays(value):
        digest.update(array.tobytes())
        values += array.size
        finite += int(np.isfinite(array).sum()) if array.dtype.kind == "f" else array.size
    return {
        "name": name,
        "shape": list(value.shape) if isinstance(value, np.ndarray) else [],
        "values": values,
        "not_finite": values - finite,
        "digest": digest.hexdigest(),
    }


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """The arrays in an output, which may also be text, a sequence or a map."""
    if isinstance(value, dict):
        value = [part for item in sorted(value.items(), key=repr) for part in item]
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _arrays(part)
        return
    array = np.asarray(value)
    yield np.asarray(repr(array.tolist())) if array.dtype.kind == "O" else array
