"""Taking as few layers as a budget needs, those first that bring most for what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgeopt.pipeline.search.record import Layer, Point

Try = Callable[[tuple[str, ...]], tuple[Point, bool]]
"""Makes the artifact with these layers float; gives its point, and whether it meets the budget."""


def ordered(layers: Sequence[Layer]) -> tuple[str, ...]:
    """The layers in the order in which they are kept float: by worth; useless ones are left out."""
    useful = [layer for layer in layers if layer.gain > 0]
    # Those whose latency wasn't measured come after those whose was.
    useful.sort(key=lambda layer: (layer.ratio is None, -layer.worth, layer.name))
    return tuple(layer.name for layer in useful)


def fewest(order: Sequence[str], attempt: Try, *, in_time: Callable[[], bool]) -> Point | None:
    """The shortest beginning of the order that meets the budget, less what turns out not needed.

    Args:
        order: The layers.
        attempt: Tries a set of them.
        in_time: False ends what only improves on a set that meets the budget already.

    Returns:
        The point that meets it; None if none does.
    """
    if not order:
        return None
    low, high, found = 0, 1, None
    while found is None:  # 1, 2, 4, ...: few are tried where few are enough
        point, met = attempt(tuple(order[:high]))
        if met:
            found = point
        elif high == len(order):
            return None
        else:
            low, high = high, min(2 * high, len(order))
    while high - low > 1 and in_time():
        middle = (low + high) // 2
        point, met = attempt(tuple(order[:middle]))
        low, high, found = (low, middle, point) if met else (middle, high, found)
    return _without_needless(found, attempt, in_time)


def _without_needless(found: Point, attempt: Try, in_time: Callable[[], bool]) -> Point:
    # The last one taken met the budget; one before it may not have been needed.
    for name in reversed(found.kept[:-1]):
        if not in_time():
            break
        point, met = attempt(tuple(kept for kept in found.kept if kept != name))
        found = point if met else found
    return found
