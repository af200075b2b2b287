"""Charts as mermaid's text, which GitHub and GitLab draw where they strip SVG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

_MARGIN = 0.1
"""Of the span of the figures, above and below them."""
_SIZE = {"width": 720, "height": 280}


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Args:
        color: As CSS writes it: ``#cf222e``.
        values: One for each place on the x-axis; finite.
    """

    color: str
    values: Sequence[float]


def lines(title: str, x: str, y: str, drawn: Sequence[Line]) -> str:
    """A chart of lines over 1, 2, 3 and so on; the last lies on top.

    Args:
        title: Above it.
        x: Below the x-axis.
        y: Beside the y-axis.
        drawn: The lines, all of one length: 2 or more.
    """
    low, high = _span([value for line in drawn for value in line.values])
    options = {
        "xyChart": _SIZE,
        "themeVariables": {
            "xyChart": {"plotColorPalette": ", ".join(line.color for line in drawn)}
        },
    }
    return "\n".join([
        f"%%{{init: {json.dumps(options)}}}%%",
        "xychart-beta",
        f"    title {_quoted(title)}",
        f"    x-axis {_quoted(x)} 1 --> {len(drawn[0].values)}",
        f"    y-axis {_quoted(y)} {low} --> {high}",
        *(f"    line [{', '.join(map(_number, line.values))}]" for line in drawn),
    ])  # fmt: skip


def _span(values: Sequence[float]) -> tuple[str, str]:
    room = _MARGIN * (max(values) - min(values)) or 1.0
    return _number(min(values) - room), _number(max(values) + room)


def _number(value: float) -> str:
    """Without an exponent, which mermaid doesn't read."""
    return f"{value:.3f}"


def _quoted(text: str) -> str:
    """Text between quotes: mermaid has no way to write one within."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return f'"{plain.translate({ord(c): None for c in chr(34) + chr(96)})}"'
