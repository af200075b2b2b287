"""A fresh process of the program, which ends when this one does."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from typing import Any, Dict, Sequence

from .failure import Failure

REQUEST, RESULT, WORDS = "request.json", "result.json", "words.txt"
"""Files of a process: what it is asked, what it answers, what it says besides."""


def run(program: Sequence[str], folder: str, timeout: float) -> int:
    """Start the program on ``request.json`` in ``folder``; give its exit code.

    Args:
        program: How it is started, without its arguments.
        folder: Where it runs.
        timeout: Seconds after which it is killed.

    Raises:
        subprocess.TimeoutExpired: If it was.
    """
    command = [*program, REQUEST, RESULT, "--tethered"]
    with open(os.path.join(folder, WORDS), "wb") as words:
        process = subprocess.Popen(  # noqa: S603 - this Python and our own program
            command, cwd=folder, stdin=subprocess.PIPE, stdout=words, stderr=words
        )
        try:
            # Not communicate(): it closes standard input, and that is the tether.
            return process.wait(timeout)
        finally:
            process.kill()
            process.wait()
            assert process.stdin is not None
            process.stdin.close()


def ask(program: Sequence[str], request: Dict[str, Any], timeout: float) -> Dict[str, Any]:
    """Have a request answered by a fresh process.

    Raises:
        Failure: What the process says went wrong, or how it ended without a word.
    """
    with tempfile.TemporaryDirectory(prefix="edgeopt-") as folder:
        with open(os.path.join(folder, REQUEST), "w", encoding="utf-8") as file:
            json.dump(request, file)
        try:
            code = run(program, folder, timeout)
        except subprocess.TimeoutExpired as expired:
            raise Failure("run", "no result after {:g} s".format(timeout)) from expired
        path = os.path.join(folder, RESULT)
        if not os.path.isfile(path):
            raise Failure("run", _ending(code, os.path.join(folder, WORDS)))
        with open(path, encoding="utf-8") as file:
            answer: Dict[str, Any] = json.load(file)
    if "failure" in answer:
        raise Failure(**answer["failure"])
    return answer


def _ending(code: int, words: str) -> str:
    with open(words, encoding="utf-8", errors="replace") as file:
        lines = file.read().strip().splitlines()
    how = "killed by signal {}".format(-code) if code < 0 else "exit code {}".format(code)
    return "the process ended without a result ({}): {}".format(
        how, lines[-1] if lines else "it left no message"
    )
