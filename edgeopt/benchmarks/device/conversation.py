"""Measures what it is told, line by line, and holds the device's lock all the while.

Lines are JSON. First this says what the device is: ``kind``, ``machine`` and ``lock``. Then each
line that comes is answered by one, in which ``failure`` stands for what went wrong::

    {"files": {"0/model.onnx": "<sha256>"}}       {}, if all of them arrived whole
    {"request": {...}, "timeout": 12.0}           what a fresh process answers

It ends when standard input closes, with whatever it started.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
from typing import Any, Dict, Iterator, List, Sequence

from .bundle import DONE, UNABLE, starting, user
from .child import ask
from .contents import check_files
from .failure import Failure
from .kind import kind
from .lock import alone
from .machine import machine
from .tether import follow_standard_input


def main(program: str, arguments: Sequence[str]) -> int:
    """Answer until standard input closes.

    Args:
        program: This program's file; what is measured lies beside it.
        arguments: Of its command line.
    """
    options = _parser().parse_args(arguments)
    lines = _Lines()
    follow_standard_input(lines.take)
    folder = os.path.dirname(os.path.abspath(program))
    try:
        with alone(options.name, options.wait) as lock:
            _say({"kind": kind(), "machine": machine(), "lock": lock})
            for line in lines:
                _say(_answered(folder, starting(program), json.loads(line)))
    except Failure as failure:
        _say(failure.as_json())
        return UNABLE
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.pyz converse", description=__doc__)
    parser.add_argument("--name", default=user(), help="who measures, for others who want to")
    parser.add_argument(
        "--wait", type=float, default=0.0, help="seconds to wait for another measurement to end"
    )
    return parser


def _say(answer: Dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _answered(folder: str, started: List[str], told: Dict[str, Any]) -> Dict[str, Any]:
    try:
        if "files" in told:
            check_files(folder, told["files"])
            return {}
        return ask(started, _placed(folder, told["request"]), told["timeout"])
    except Failure as failure:
        return failure.as_json()
    except OSError as error:  # a disk that is full, first of all
        return Failure("device", "{}: {}".format(type(error).__name__, error)).as_json()


def _placed(folder: str, request: Dict[str, Any]) -> Dict[str, Any]:
    """The request with whole paths, as its process runs elsewhere."""
    for subject in request["subjects"]:
        for name in ("path", "inputs"):
            subject[name] = os.path.join(folder, subject[name])
        if subject.get("samples"):
            subject["samples"]["file"] = os.path.join(folder, subject["samples"]["file"])
    return request


class _Lines:
    """What comes in pieces, as lines."""

    def __init__(self) -> None:
        self._whole: "queue.Queue[bytes]" = queue.Queue()
        self._begun = b""

    def take(self, data: bytes) -> None:
        """Take in a piece."""
        *whole, self._begun = (self._begun + data).split(b"\n")
        for line in whole:
            self._whole.put(line)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self._whole.get()
