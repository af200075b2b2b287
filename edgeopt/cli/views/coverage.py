"""What of a model a format can express."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap

from edgeopt.cli.figures import plural
from edgeopt.cli.tables import lines
from edgeopt.converters.refusal import Refusal
from edgeopt.pipeline.coverage import Coverage

_NAMED = 3
"""Nodes that are named of those with one reason; --json has all of them."""


def draw_coverage(found: Coverage) -> str:
    """What maps, and each node that doesn't with the reason and the next step."""
    nodes = sum(found.mapped.values())
    verdict = (
        f"all {plural(nodes, 'node')} of the float graph map"
        if found.fits
        else f"{plural(nodes, 'node')} of the float graph map, {len(found.refused)} don't"
    )
    summary = [
        ("model", found.model),
        ("for", f"{found.format.value}: {verdict}"),
        ("maps", _counted(found.mapped)),
        ("becomes", _counted(found.becomes)),
        ("not looked at", _counted(found.unseen)),
    ]
    refused = "".join(starmap(_refused, _alike(found.refused)))
    return lines(summary) + (f"\nIn the way:\n{refused}" if refused else "")


def _counted(count: Mapping[str, int]) -> str:
    return ", ".join(f"{op} {number}" for op, number in count.items())


def _alike(refused: Iterable[Refusal]) -> Iterable[tuple[Refusal, list[str]]]:
    """Those with one operator and reason together, with all names: a net repeats itself."""
    groups: dict[tuple[str, str, str], list[Refusal]] = {}
    for each in refused:
        groups.setdefault((each.op, each.reason, each.hint), []).append(each)
    return [(group[0], [each.node for each in group]) for group in groups.values()]


def _refused(first: Refusal, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    where = f"{first.op} {', '.join(names[:_NAMED])}{more}: " if first.op else ""
    return f"  {where}{first.reason}{': ' if first.hint else ''}{first.hint}\n"
