"""The shell lines that make a run's folder on a device, start a program there, and tidy up.

They are POSIX, for the shells of Debian, BusyBox and Android alike.
"""

from __future__ import annotations

# Leftovers of runs whose program is gone go first; one without a process may still be on its way,
# if it is less than an hour old and not from the future, as all of them are when a clock was set.
PREPARE = (
    "umask 077; mkdir -p {base} && cd {base} && for old in run-*; do "
    'if [ -f "$old/pid" ]; then kill -0 "$(cat "$old/pid")" 2>/dev/null || rm -rf "$old"; '
    'elif [ -d "$old" ]; then find "$old" -maxdepth 0 \\( -mmin +60 -o -mmin -0 \\) '
    "-exec rm -rf {{}} + ; fi; done; "
    "mkdir {run}"
)
"""Make the folder ``run`` in ``base``."""

START = "cd {base}/{run} && echo $$ > pid && exec {command}"
"""Become ``command`` in that folder; its process's number says whether the run is over."""

REMOVE = "rm -rf {base}/{run}"
"""Remove the folder of a run that is over."""

# What a connection starts leads a group of its own.
STOP = (
    "p=$(cat {base}/{run}/pid 2>/dev/null) && "
    '{{ kill -9 -- "-$p" || kill -9 "-$p" || kill -9 "$p"; }} 2>/dev/null; ' + REMOVE
)
"""Stop whatever still runs of a run, and remove its folder."""
