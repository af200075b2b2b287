"""Sphinx's settings: MyST for the pages, the package's own docstrings for the reference."""

import click
from sphinx.application import Sphinx

import edgeopt

project = "EdgeOpt"
author = "The EdgeOpt authors"
project_copyright = "The EdgeOpt authors"
version = release = edgeopt.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "EdgeOpt"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False


def _add_examples(_: Sphinx, context: click.Context, lines: list[str]) -> None:
    """Show a command's examples, which its own help adds outside of click's epilog."""
    examples = getattr(context.command, "examples", ())
    if examples:
        lines += ["", ".. code-block:: console", ""]
        lines += [f"   {line}" for text in examples for line in f"$ {text}".splitlines()]
        lines += [""]


def setup(app: Sphinx) -> None:
    """Connect to what sphinx-click asks."""
    app.connect("sphinx-click-process-epilog", _add_examples)
