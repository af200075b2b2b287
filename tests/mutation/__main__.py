"""Mutation testing: does a test fail for each small fault in what must not have one?

``python -m tests.mutation`` puts faults into the encodings, the ranges and the gate, one at a time,
and runs their own tests. A fault that no test finds needs one, or a reason in survivors.toml.

    python -m tests.mutation                                 everything: about 20 minutes
    python -m tests.mutation edgeopt.calibration.ranges      one module
"""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.running import Outcome, load_all_else, origin, run

HERE = Path(__file__).parent
PLAN = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
"""The tests of each module, and how long they may take."""

EXPLAINED: dict[str, dict[str, str]] = tomllib.loads(
    (HERE / "survivors.toml").read_text(encoding="utf-8")
)
"""Mutants that no test can or need find, by module: which one, and why."""


def judge(module: str) -> tuple[list[tuple[Mutant, Outcome]], list[str]]:
    """Every mutant of a module, and what is wrong with the explanations of it."""
    plan, source = PLAN[module], origin(module).read_text(encoding="utf-8")
    tests, seconds = plan["tests"], plan["seconds"]
    whole = run(module, ast.parse(source), tests, seconds)
    if whole is not Outcome.SURVIVED:
        return [], [f"{module}: its tests fail, or take more than {seconds} s, without a fault"]
    found = []
    for mutant in mutants(source):
        outcome = run(module, mutant.tree, tests, seconds)
        found.append((mutant, outcome))
        if outcome is Outcome.SURVIVED and mutant.name not in EXPLAINED.get(module, {}):
            print(f"  {module}: {mutant.name}", flush=True)
    return found, explanations(module, found)


def explanations(module: str, found: list[tuple[Mutant, Outcome]]) -> list[str]:
    """What is wrong with them: a survivor without one, one without a survivor."""
    explained = EXPLAINED.get(module, {})
    survived = {mutant.name for mutant, outcome in found if outcome is Outcome.SURVIVED}
    missing = [f"{module}: no test finds: {name}" for name in sorted(survived - set(explained))]
    needless = sorted(set(explained) - survived)
    return missing + [f"{module}: explained, but found or gone: {name}" for name in needless]


def main(chosen: list[str]) -> int:
    """Judge those modules, or all; 1 if something is to be done."""
    load_all_else()
    wrong: list[str] = []
    total = survived = 0
    for module in chosen or PLAN:
        found, faults = judge(module)
        left = sum(outcome is Outcome.SURVIVED for _, outcome in found)
        print(f"{module}: {len(found)} mutants, {left} survived", flush=True)
        total, survived, wrong = total + len(found), survived + left, wrong + faults
    print(f"{total} mutants, {total - survived} killed, {survived} survived")
    print("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
