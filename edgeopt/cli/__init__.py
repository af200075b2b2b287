"""The terminal: options in, tables and exit codes out. No logic lives here.

``boundary`` turns what was raised into a line and an exit code, ``application`` lists the commands,
``commands`` holds one module for each, and ``views`` says what their results look like.
"""

from edgeopt.cli.boundary import main

__all__ = ["main"]
