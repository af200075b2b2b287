"""What two models answer to the same samples: how far apart, and how often rightly."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np

from .distance import Distance
from .failure import Failure
from .ranking import rank, scores_of

Outputs = Dict[str, np.ndarray]


class Beside:
    """Counts and sums that are kept from sample to sample."""

    def __init__(self) -> None:
        self._distances: Dict[str, Distance] = {}
        self._hits: List[Tuple[bool, bool]] = []
        self._samples = 0

    def add(self, one: Outputs, other: Outputs, label: Optional[int] = None) -> None:
        """Take in one sample's.

        Args:
            one: The baseline's outputs, batch axis included: ``(1, ...)``.
            other: The candidate's.
            label: The class that is right; None where that isn't counted.

        Raises:
            Failure: If their outputs don't fit each other, or the label doesn't fit them.
        """
        for name, ours, theirs in matched(one, other):
            self._distances.setdefault(name, Distance(name)).add(ours, theirs)
        if label is not None:
            self._hits.append((hit(one, label), hit(other, label)))
        self._samples += 1

    def as_json(self) -> Dict[str, Any]:
        """The fields of ``gate.quality.Quality``."""
        counted = bool(self._hits)
        return {
            "outputs": [distance.as_json() for distance in self._distances.values()],
            "samples": self._samples,
            "right": [sum(a for a, _ in self._hits), sum(b for _, b in self._hits)]
            if counted
            else None,
            "lost": sum(a and not b for a, b in self._hits),
            "gained": sum(b and not a for a, b in self._hits),
        }


def matched(one: Outputs, other: Outputs) -> Iterator[Tuple[str, np.ndarray, np.ndarray]]:
    """Each output of the baseline beside the candidate's of its name.

    Where each has only one, its name says nothing: formats and exporters name it as they like. Of
    several with other names the order might be another, too, so that they are not guessed at.

    Raises:
        Failure: If they don't fit each other.
    """
    for index, side in enumerate((one, other)):
        _check_numbers(side, index)
    if len(one) == len(other) == 1:
        other = dict(zip(one, other.values()))
    shapes = [{name: list(array.shape) for name, array in side.items()} for side in (one, other)]
    if shapes[0] != shapes[1]:
        raise Failure("outputs", "it gives {}, and the baseline gives {}".format(
            *(", ".join(map("{}{}".format, side, side.values())) for side in reversed(shapes))
        ), 1)  # fmt: skip
    for name in one:
        yield name, one[name], other[name]


def _check_numbers(outputs: Dict[str, Any], index: int) -> None:
    for name, array in outputs.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise Failure("numbers", "output {!r} is not a tensor of numbers".format(name), index)


def hit(outputs: Outputs, label: int) -> bool:
    """Whether the label has the highest score.

    Raises:
        Failure: If not exactly one output looks like class scores, or the label is no class.
    """
    found = scores_of(outputs)
    if len(found) != 1:
        told = ", ".join("{} {}".format(name, list(a.shape)) for name, a in outputs.items())
        several = " and ".join(found) + " all look" if found else "no output looks"
        raise Failure("scores", "{} like class scores [batch, classes] ({})".format(several, told))
    scores = outputs[found[0]][0]
    if not 0 <= label < len(scores):
        told = "a label is {}, but the model has classes 0 to {}"
        raise Failure("labels", told.format(label, len(scores) - 1))
    return rank(scores, label) == 0
