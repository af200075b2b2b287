"""The shell lines that make a run's folder on a device, and start a program there.

They are POSIX, for the shells of Debian, BusyBox and Android alike.
"""

from __future__ import annotations

# Leftovers of runs whose program is gone go first; one without a process may still be on its way.
PREPARE = (
    "umask 077; mkdir -p {base} && cd {base} && for old in run-*; do "
    'if [ -f "$old/pid" ]; then kill -0 "$(cat "$old/pid")" 2>/dev/null || rm -rf "$old"; '
    'elif [ -d "$old" ]; then find "$old" -maxdepth 0 -mmin +60 -exec rm -rf {{}} + ; fi; done; '
    "mkdir {run}"
)
"""Make the folder ``run`` in ``base``."""

START = "cd {base}/{run} && echo $$ > pid && exec {command}"
"""Become ``command`` in that folder; its process's number says whether the run is over."""
