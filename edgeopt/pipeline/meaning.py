"""Whether an artifact means the same with the runtime's optimizations as without them.

The runtime rewrites QDQ pairs into integer kernels. Those round in other places than float
arithmetic between the pairs does, by a step here and there; whatever differs by more than rounding
weights and activations did in the first place has become something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeopt.core.execution import Run
from edgeopt.core.runtime import open_session, run, saturates
from edgeopt.data import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOLERANCE = 4.0
"""How much more noise than quantization's own is still taken for rounding: 6 dB."""

_CLOSE = 1e-4
"""A share of noise that is never looked at: 40 dB."""


def changed_meaning(
    artifact: Path, reference: Run, samples: Iterable[Sample], *, exact: bool
) -> tuple[str, ...]:
    """Compare the runtime's own integer kernels with float arithmetic between the pairs.

    Args:
        artifact: A QDQ model for this machine's runtime.
        reference: Runs the float graph.
        samples: One or two are enough.
        exact: Whether the target adds products exactly, so that kernels that do are taken here.

    Returns:
        A warning for each output that differs by more than rounding explains.
    """
    fast = open_session(artifact, threads=1, exact=exact)
    plain = open_session(artifact, threads=1, level="none", emulated=True)
    names = [output.name for output in plain.get_outputs()]
    differing: dict[str, float] = {}
    for sample in samples:
        values = [run(s, None, sample.inputs, sample.origin) for s in (plain, fast)]
        values.insert(0, reference(sample.inputs, sample.origin))
        for name, wanted, meant, got in zip(names, *values, strict=True):
            signal, rounding, difference = powers(wanted, meant, got)
            if difference > max(_TOLERANCE * rounding, _CLOSE * signal):
                lost = 10 * np.log10(max(signal, 1e-30) / difference)
                differing[name] = min(lost, differing.get(name, np.inf))
    return tuple(_warning(name, lost, exact) for name, lost in differing.items())


def powers(
    wanted: NDArray[Any], meant: NDArray[Any], got: NDArray[Any]
) -> tuple[float, float, float]:
    """Squares summed: of the signal, of ``meant`` less it, and of ``got`` less ``meant``."""
    wide = [array.astype(np.float64) for array in (wanted, meant, got)]
    squares = (wide[0], wide[1] - wide[0], wide[2] - wide[1])
    return tuple(float(np.square(each).sum()) for each in squares)  # type: ignore[return-value]


def _warning(output: str, lost: float, exact: bool) -> str:
    why = ""
    if not exact and saturates():
        why = " (this CPU's 8-bit kernels add in 16 bits)"
    return (
        f"output {output!r} is another with ONNX Runtime's optimizations than without them, "
        f"{lost:.1f} dB apart{why}: report this with the model"
    )
