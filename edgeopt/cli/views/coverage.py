"""What of a model a format can express."""

from __future__ import annotations

from collections.abc import Mapping

from edgeopt.cli.figures import plural
from edgeopt.cli.tables import lines
from edgeopt.converters.refusal import Refusal
from edgeopt.pipeline.coverage import Coverage


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
    refused = "".join(map(_refused, found.refused))
    return lines(summary) + (f"\nIn the way:\n{refused}" if refused else "")


def _counted(count: Mapping[str, int]) -> str:
    return ", ".join(f"{op} {number}" for op, number in count.items())


def _refused(node: Refusal) -> str:
    where = f"{node.op} {node.node}: " if node.op else ""
    return f"  {where}{node.reason}{': ' if node.hint else ''}{node.hint}\n"
