"""Filling templates.

Whatever a model, a file or a sample is called may stand in a page, so everything is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeopt.reports.figures import decibels, milliseconds, number, percent, share


def render(name: str, values: Mapping[str, Any]) -> str:
    """Fill the template ``name`` of ``templates/``.

    Args:
        name: Its file.
        values: What its variables are; one that is missing is a bug, and raises.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("edgeopt.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "db": decibels,
        "ms": milliseconds,
        "number": number,
        "percent": percent,
        "share": share,
    }
    return environment.get_template(name).render(values)
