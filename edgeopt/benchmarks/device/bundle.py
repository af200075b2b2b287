"""A bundle's own program: measures its artifacts on this device and writes what it found.

Needs numpy and the artifacts' runtime. Exit codes: 0 measured; 1 measured, but an output is too far
from its reference; 2 the bundle is damaged; 3 it can't be measured here.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import Any, Dict, List, Optional, Sequence

from . import told
from .child import ask
from .contents import read_bundle
from .failure import Failure
from .kind import kind
from .lock import alone
from .program import main as perform
from .program import write
from .summary import report
from .tether import follow_standard_input

DONE, DIFFERENT, DAMAGED, UNABLE = 0, 1, 2, 3

TASK = "task"
"""The first argument of a fresh process of this program."""

PYTHON = "EDGEOPT_PYTHON"
"""Names what starts such a process, where that isn't the Python that runs this."""

_SLOWER = 20
"""How many times the first inference's time a sample may take before the process counts as hung."""


def main(program: str, arguments: Sequence[str]) -> int:
    """Measure the bundle that ``program`` lies in.

    Args:
        program: This program's file.
        arguments: Of its command line.
    """
    if list(arguments[:1]) == [TASK]:
        return perform(arguments[1:])
    folder = os.path.dirname(os.path.abspath(program))
    options = _parser(folder).parse_args(arguments)
    if options.tethered:
        follow_standard_input()
    started = starting(program)
    try:
        bundle = read_bundle(folder)
        plan = {name: value for name, value in _changed(options) if value is not None}
        bundle["plan"].update(plan)
        with alone(options.name, options.wait):
            found = _Run(folder, bundle, started).measure()
    except Failure as failure:
        write(options.output, failure.as_json())
        sys.stderr.write("Error: {}\n".format(told.failure(failure, bundle_names(folder))))
        return DAMAGED if failure.stage == "bundle" else UNABLE
    try:
        write(options.output, found)
    except OSError as error:
        why = told.shown("{}: {}".format(options.output, error.strerror or error))
        sys.stderr.write("Error: {}\n".format(why))
        return UNABLE
    sys.stdout.write(told.found(found, options.output))
    return DONE if all(map(_passed, found["measurements"])) else DIFFERENT


def starting(program: str) -> List[str]:
    """How a fresh process of this program is started."""
    return [os.environ.get(PYTHON) or sys.executable, os.path.abspath(program), TASK]


def bundle_names(folder: str) -> List[str]:
    """The artifacts' names; none if even they can't be read."""
    try:
        return [each["file"] for each in read_bundle(folder)["artifacts"]]
    except Failure:
        return []


def _parser(folder: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.pyz", description=__doc__)
    parser.add_argument("--duration", type=float, help="seconds of timed calls in each process")
    parser.add_argument("--processes", type=int, help="fresh processes")
    parser.add_argument("--threads", type=int, help="threads within an operator")
    parser.add_argument(
        "-o", "--output", default=os.path.join(folder, "result.json"),
        help="where the result goes: result.json beside this program if not given",
    )  # fmt: skip
    parser.add_argument(
        "--wait", type=float, default=0.0, help="seconds to wait for another measurement to end"
    )
    parser.add_argument(
        "--tethered", action="store_true", help="end when standard input closes: see tether.py"
    )
    parser.add_argument("--name", default=user(), help="who measures, for others who want to")
    return parser


def user() -> str:
    """Who started this."""
    try:
        return getpass.getuser()
    except Exception:  # noqa: BLE001 - a user without a name raises KeyError, ImportError or OSError
        return "somebody"


def _changed(options: argparse.Namespace) -> Any:
    return [(name, getattr(options, name)) for name in ("duration", "processes", "threads")]


def _passed(measurement: Dict[str, Any]) -> bool:
    checked = measurement["verification"]
    return all(
        output["sqnr_db"] is None or output["sqnr_db"] >= checked["floor_db"]
        for output in checked["outputs"]
    )


class _Run:
    """One measurement of a bundle.

    Args:
        folder: Where the bundle is.
        bundle: Its content.
        started: How a fresh process of this program is started.
    """

    def __init__(self, folder: str, bundle: Dict[str, Any], started: Sequence[str]) -> None:
        self.folder, self.artifacts, self.started = folder, bundle["artifacts"], started
        self.target, self.plan = bundle["target"], bundle["plan"]

    def measure(self) -> Dict[str, Any]:
        """The fields of ``result.BenchmarkReport``."""
        subjects = [self._subject(artifact) for artifact in self.artifacts]
        solos, checks = [], []
        for index, subject in enumerate(subjects):
            solos.append(self._ask("solo", "solo", [dict(subject, answers=None)], index))
            patience = _SLOWER * len(subject["answers"]["counted"]) * solos[-1]["first_ns"] / 1e9
            checks.append(self._ask("check", "check", [subject], index, patience))
        plain = [dict(subject, answers=None) for subject in subjects]
        paired = [
            self._ask("paired", str(process), plain) for process in range(self.plan["processes"])
        ]
        known = [self._known(*each) for each in zip(self.artifacts, checks)]
        return report(known, solos, paired)

    def _ask(
        self,
        task: str,
        seed: str,
        subjects: List[Dict[str, Any]],
        index: Optional[int] = None,
        longer: float = 0.0,
    ) -> Dict[str, Any]:
        plan = self.plan
        planned = 10 * len(subjects) * (plan["duration"] + plan["warmup"])
        request = {
            "task": task,
            "threads": plan["threads"],
            "seed": "{}/{}".format(plan["seed"], seed),
            "warmup_seconds": plan["warmup"],
            "duration_seconds": plan["duration"],
            "subjects": subjects,
        }
        try:
            return ask(self.started, request, plan["timeout"] + planned + longer)
        except Failure as failure:
            if index is not None:
                failure.artifact = index
            raise

    def _subject(self, artifact: Dict[str, Any]) -> Dict[str, Any]:
        answers = dict(artifact["answers"])
        for name in ("samples", "references"):
            answers[name] = os.path.join(self.folder, answers[name])
        return {
            "path": os.path.join(self.folder, artifact["file"]),
            "inputs": os.path.join(self.folder, artifact["inputs"]),
            "names": artifact["names"],
            "runtime": artifact["runtime"],
            "answers": answers,
        }

    def _known(self, artifact: Dict[str, Any], checked: Dict[str, Any]) -> Dict[str, Any]:
        """What of a measurement its timing doesn't tell."""
        known = {name: artifact[name] for name in ("sha256", "size_bytes", "format", "precision")}
        accuracy = dict(artifact["accuracy"], values=checked["accuracy"])
        verification = dict(artifact["verification"], outputs=checked["outputs"])
        return dict(
            known,
            artifact=artifact["file"],
            kind=kind(),
            target=self.target,
            threads=self.plan["threads"],
            batch=artifact["batch"],
            inputs=artifact["fed_with"],
            accuracy=accuracy,
            verification=verification,
        )
