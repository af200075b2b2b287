"""Reading a request: which artifacts, with which inputs, in which runtime, for how long."""

from __future__ import annotations

import json
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from .failure import Failure, during


class Answers(NamedTuple):
    """What an artifact answered on the machine that sent it.

    Args:
        samples: A ``.npz`` of every call's inputs: ``0.0``, ``0.1``, ... are the first call's.
        references: Likewise of its outputs, as real numbers.
        outputs: The outputs' names, in the file's order.
        counted: Of each call, how many rows are samples; the rest fill up a fixed batch.
        labels: Each sample's class; empty without labels.
        scores: Which output has the class scores.
        tops: For which ``k`` the share of labels among the ``k`` highest scores is wanted.
    """

    samples: str
    references: str
    outputs: List[str]
    counted: List[int]
    labels: List[int]
    scores: int
    tops: List[int]


class Samples(NamedTuple):
    """What an artifact is asked beside another.

    Args:
        file: A ``.npz`` of every call's inputs: ``0.0``, ``0.1``, ... are the first call's.
        outputs: The outputs' names, in the file's order.
        size: How many samples a call takes.
        counted: Of each call, how many rows are samples; the rest fill up a fixed batch.
        labels: Each sample's class; empty where they aren't counted.
    """

    file: str
    outputs: List[str]
    size: int
    counted: List[int]
    labels: List[int]


class Subject(NamedTuple):
    """One artifact and the inputs it is timed with.

    Args:
        path: The artifact's file.
        inputs: A ``.npz`` of arrays named ``arr_0``, ``arr_1``, ... (numpy's own names, since an
            input may have a name that ``numpy.savez`` can't take).
        names: The inputs' names in the same order: the file's.
        runtime: What runs it: ``onnxruntime`` or ``litert``.
        answers: What outputs are checked against; None unless they are.
        samples: What it is run on beside another; None unless it is.
    """

    path: str
    inputs: str
    names: List[str]
    runtime: str
    answers: Optional["Answers"] = None
    samples: Optional["Samples"] = None

    def arrays(self, index: int) -> Dict[str, np.ndarray]:
        """The inputs by name; ``index`` says which artifact this is if they can't be read."""
        with during("inputs", index), np.load(self.inputs, allow_pickle=False) as stored:
            return {name: stored["arr_{}".format(n)] for n, name in enumerate(self.names)}


class Request(NamedTuple):
    """What to measure.

    Args:
        task: ``solo`` (one artifact), ``paired`` (any number), ``check`` (one with answers),
            ``beside`` (two with samples), ``probe`` (one ``.tflite``), or ``smoke`` (one, with
            several inputs).
        threads: Threads within an operator.
        seed: Text that draws every order.
        warmup_seconds: Upper bound of an artifact's warm-up, in s.
        duration_seconds: Time in an artifact's timed blocks, in s.
        subjects: The artifacts.
    """

    task: str
    threads: int
    seed: str
    warmup_seconds: float
    duration_seconds: float
    subjects: List[Subject]


def read_request(path: str) -> Request:
    """Read a request from its JSON file.

    Raises:
        Failure: If it isn't one.
    """
    with during("request"):
        with open(path, encoding="utf-8") as file:
            content: Dict[str, Any] = json.load(file)
        subjects = [_subject(**subject) for subject in content.pop("subjects")]
        request = Request(subjects=subjects, **content)
    if not subjects:
        raise Failure("request", "it names no artifact")
    return request


def _subject(
    answers: Optional[Dict[str, Any]] = None,
    samples: Optional[Dict[str, Any]] = None,
    **rest: Any,
) -> Subject:
    return Subject(
        answers=Answers(**answers) if answers else None,
        samples=Samples(**samples) if samples else None,
        **rest,
    )
