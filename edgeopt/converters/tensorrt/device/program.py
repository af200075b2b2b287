"""The command line: a request in, an answer out, both JSON files."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Sequence

from .build import build
from .failure import Failure
from .support import support

Task = Callable[[Dict[str, Any]], Dict[str, Any]]
TASKS: Dict[str, Task] = {"build": build, "support": support}


def main(arguments: Sequence[str]) -> int:
    """Do what a request asks for and write the answer, or the failure in its place.

    Args:
        arguments: The request's path, and the answer's.

    Returns:
        0 if it was done, 1 if it couldn't be.
    """
    request_path, answer_path = arguments
    with open(request_path, encoding="utf-8") as file:
        request = json.load(file)
    try:
        answer = _perform(request)
    except Failure as failure:
        answer = failure.as_json()
    except MemoryError:
        answer = Failure("build", "MemoryError").as_json()
    except OSError as error:
        told = "{}: {}".format(error.filename, error.strerror or error)
        answer = Failure("output", told).as_json()
    _write(answer_path, answer)
    return 1 if "failure" in answer else 0


def _perform(request: Dict[str, Any]) -> Dict[str, Any]:
    if request["task"] == "build" and request["module"] == "trtexec":
        from .trtexec import build_by_trtexec  # what it imports takes a while

        return build_by_trtexec(request)
    return TASKS[request["task"]](request)


def _write(path: str, answer: Dict[str, Any]) -> None:
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace(path + ".part", path)
