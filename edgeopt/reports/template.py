"""Filling templates.

Whatever a model, a file or a sample is called may stand in a page, so everything is escaped, for
HTML and for whoever looks at its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeopt.core.printable import shown_lines
from edgeopt.reports.figures import decibels, milliseconds, number, percent, share


def _shown(value: Any) -> Any:
    """A variable, without what would turn around the line that it is on."""
    from markupsafe import Markup

    text = isinstance(value, str) and not isinstance(value, Markup)
    return shown_lines(value) if text else value


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
        finalize=_shown,
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
