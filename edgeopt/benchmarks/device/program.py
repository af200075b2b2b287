"""The command line of the on-device program: a request in, a result out, both JSON files."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any, Dict, Sequence

from . import answers, check, paired, probe, smoke, solo
from .failure import Failure
from .request import read_request
from .tether import follow_standard_input

TASKS = {
    "solo": solo.measure,
    "paired": paired.measure,
    "check": check.check,
    "beside": answers.beside,
    "probe": probe.probe,
    "smoke": smoke.smoke,
}

DONE = 0
FAILED = 1
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Measure what a request asks for and write the result, or the failure in its place.

    Returns:
        0 if it was measured, 1 if it couldn't be, 130 if it was interrupted.
    """
    options = _parser().parse_args(arguments)
    if options.tethered:
        follow_standard_input()
    try:
        write(options.result, _perform(options.request))
    except Failure as failure:
        write(options.result, failure.as_json())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edgeopt-device", description=__doc__)
    parser.add_argument("request", help="the request, a JSON file")
    parser.add_argument("result", help="where the result is written, as JSON")
    parser.add_argument(
        "--tethered", action="store_true", help="end when standard input closes: see tether.py"
    )
    return parser


def _perform(path: str) -> Dict[str, Any]:
    request = read_request(path)
    if request.task not in TASKS:
        raise Failure("request", "{!r} is not one of {}".format(request.task, sorted(TASKS)))
    return TASKS[request.task](request)


def write(path: str, result: Dict[str, Any]) -> None:
    """Write a result as JSON."""
    # Renamed into place, so that a result which can be read is a whole one.
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(result, file, separators=(",", ":"))
    os.replace(path + ".part", path)
