"""What accuracy is: top-k, or a function of the user's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from edgeopt.benchmarks.device.ranking import rank, scores_of
from edgeopt.core.errors import DataError, UsageError
from edgeopt.core.tensors import Batch
from edgeopt.core.usercode import call_named, load_named, names_code

if TYPE_CHECKING:
    import numpy as np

    from edgeopt.data import Sample

UserFunction = Callable[[Batch, "np.ndarray"], Any]
"""``function(outputs, labels)``: every output stacked over the samples, ``(N, ...)``, by name, and
the labels ``(N, ...)``; gives a number, or numbers by name."""

_TOP = re.compile(r"top([1-9][0-9]*)")


class Metric(Protocol):
    """Sees a model's outputs sample by sample and gives figures at the end."""

    def add(self, outputs: Batch, sample: Sample) -> None:
        """Take in one sample's outputs, batch axis included: ``(1, ...)``."""

    def values(self) -> dict[str, float]:
        """The figures, by name."""


def read_metrics(
    accuracy: str | UserFunction | Sequence[str | UserFunction], *, code_allowed: bool = True
) -> Callable[[], list[Metric]]:
    """Understand what the user wants evaluated, before anything is run.

    Args:
        accuracy: ``top1``, ``top5``, any ``topK``, ``module:function``, ``file.py:function``, in
            Python also a function itself; or several of them, in a list or with commas between.
        code_allowed: False under ``--no-code``.

    Returns:
        What makes the metrics afresh for each artifact.

    Raises:
        UsageError: If it is none of these, or the function isn't there.
    """
    asked = [accuracy] if isinstance(accuracy, str) or callable(accuracy) else accuracy
    makers = [_maker(one, code_allowed) for item in asked for one in _split(item)]
    return lambda: [make() for make in makers]


def read_tops(accuracy: str) -> tuple[int, ...]:
    """The ``k`` of each ``topk``, where only those can be evaluated.

    Raises:
        UsageError: If it names anything else.
    """
    found = [(_TOP.fullmatch(one), one) for one in accuracy.split(",")]
    for match, one in found:
        if match is None:
            raise UsageError(
                f"{one!r} can't be evaluated on a device, where no code of yours goes",
                hint="top1, top5; `edgeopt benchmark` evaluates your function on this machine",
            )
    return tuple(int(match[1]) for match, _ in found if match)


def _split(item: str | UserFunction) -> list[str | UserFunction]:
    return [*item.split(",")] if isinstance(item, str) else [item]


def _maker(one: str | UserFunction, code_allowed: bool) -> Callable[[], Metric]:
    if callable(one):
        name = getattr(one, "__name__", type(one).__name__)
        return lambda: Custom(one, name, name)
    if match := _TOP.fullmatch(one):
        k = int(match[1])
        return lambda: TopK(k)
    if names_code(one):
        function = load_named(one, allowed=code_allowed)
        return lambda: Custom(function, one.rpartition(":")[2], one)
    raise UsageError(
        f"{one!r} is no measure of accuracy", hint="top1, top5, or module:function of your own"
    )


class TopK:
    """Share of samples whose label is among the ``k`` highest class scores (``ranking.rank``)."""

    def __init__(self, k: int) -> None:
        self.k, self.hits, self.count = k, 0, 0

    def add(self, outputs: Batch, sample: Sample) -> None:
        """Take in one sample.

        Raises:
            DataError: If no output, or more than one, looks like class scores, or the label isn't
                one of the classes.
        """
        scores = class_scores(outputs)
        self.hits += rank(scores, class_index(sample, len(scores))) < self.k
        self.count += 1

    def values(self) -> dict[str, float]:
        """The share, from 0 to 1."""
        return {f"top{self.k}": self.hits / self.count}


class Custom:
    """A function of the user's, called once with everything.

    Args:
        function: The function.
        name: What its figure is called if it gives just one.
        label: What it is called in messages.
    """

    def __init__(self, function: UserFunction, name: str, label: str) -> None:
        self.function, self.name, self.label = function, name, label
        self.outputs: dict[str, list[np.ndarray]] = {}
        self.labels: list[Any] = []

    def add(self, outputs: Batch, sample: Sample) -> None:
        """Take in one sample."""
        for name, array in outputs.items():
            self.outputs.setdefault(name, []).append(array)
        self.labels.append(sample.label)

    def values(self) -> dict[str, float]:
        """What the function gives.

        Raises:
            EdgeOptError: If it raises.
            UsageError: If it gives something else than numbers.
            DataError: If outputs or labels differ in shape from sample to sample.
        """
        import numpy as np

        try:
            outputs = {name: np.concatenate(a) for name, a in self.outputs.items()}
            labels = np.stack([np.asarray(label) for label in self.labels])
        except ValueError as error:
            raise DataError(
                f"{self.label}: outputs or labels differ in shape between samples ({error})",
                hint="give them one shape: pad them",
            ) from error
        given = call_named(self.function, self.label, outputs, labels)
        return self._checked(given if isinstance(given, Mapping) else {self.name: given})

    def _checked(self, given: Mapping[Any, Any]) -> dict[str, float]:
        try:
            figures = {str(name): float(value) for name, value in given.items()}
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"{self.label} gave {given!r:.80}", hint="return a number, or numbers by name"
            ) from error
        for name, figure in figures.items():
            if not math.isfinite(figure):
                raise UsageError(
                    f"{self.label} gave {figure} for {name!r}: not a finite number",
                    hint="return a finite one, or leave it out",
                )
        return figures


def class_scores(outputs: Batch) -> np.ndarray:
    """The scores of one sample, ``(C,)``: the only output of shape ``(1, C)`` with C of 2 or more.

    Raises:
        DataError: If there is none, or more than one.
    """
    found = scores_of(outputs)
    if len(found) == 1:
        scores: np.ndarray = outputs[found[0]][0]
        return scores
    shapes = ", ".join(f"{n} {list(a.shape)}" for n, a in outputs.items())
    several = "no output looks" if not found else f"{' and '.join(found)} all look"
    raise DataError(
        f"{several} like class scores [batch, classes] ({shapes})",
        hint="name a function of your own: --accuracy file.py:function",
    )


def class_index(sample: Sample, classes: int) -> int:
    """A sample's label as a class.

    Raises:
        DataError: If it isn't one of so many classes.
    """
    index = class_label(sample)
    if not 0 <= index < classes:
        raise DataError(
            f"{sample.origin}: its label is {index}, but the model has classes 0 to {classes - 1}",
            hint="count classes from 0, in the model's order",
        )
    return index


def class_label(sample: Sample) -> int:
    """A sample's label as a whole number.

    Raises:
        DataError: If it isn't one.
    """
    import numpy as np

    label = np.asarray(sample.label)
    if label.size != 1 or label.dtype.kind not in "iu":
        raise DataError(
            f"{sample.origin}: its label is not a class index ({label.dtype}{list(label.shape)})",
            hint="store whole numbers, or use --accuracy file.py:function",
        )
    return int(label.reshape(()))
