"""Ask for the known faults of pinned packages, and say plainly what could not be asked.

pip-audit ends with success if its service knows nothing of a package, or of all of them, as behind
a mirror that holds packages only. Here that is said: known faults end with 1, whatever hasn't been
checked is named, and a network that isn't there fails nothing, as no change here can mend it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

SERVICES = ("pypi", "osv")
ENOUGH = 120
"""Seconds for one service."""


def ask(service: str, pinned: str) -> list[dict[str, Any]] | str:
    """What a service knows of each package, or why it could not be asked."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service]
    options = ["--requirement", pinned, "--no-deps", "--disable-pip", "--format", "json"]
    quiet = ["--progress-spinner", "off", "--timeout", "10"]
    try:
        ran = subprocess.run(
            [*command, *options, *quiet], capture_output=True, text=True, timeout=ENOUGH
        )
        found: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"no answer within {ENOUGH} s"
    except ValueError:
        return (ran.stderr.strip().splitlines() or ["no answer"])[-1]
    return found


def report(answers: dict[str, list[dict[str, Any]] | str]) -> tuple[list[str], int]:
    """The lines to print, and the exit code: 1 if a fault is known."""
    faults: dict[tuple[str, str], str] = {}
    known: set[str] = set()
    unknown: set[str] = set()
    lines: list[str] = []
    for service, answer in answers.items():
        if isinstance(answer, str):
            lines.append(f"{service}: not asked: {answer}")
            continue
        for package in answer:
            name = package["name"]
            (unknown if "skip_reason" in package else known).add(name)
            for fault in package.get("vulns", []):
                fixed = ", ".join(fault["fix_versions"]) or "no version yet"
                what = f"{name} {package['version']}: {fault['id']}, mended in {fixed}"
                faults[name, fault["id"]] = what
    unchecked = sorted(unknown - known)
    lines += faults.values()
    if not known:
        lines.append("NOT CHECKED: no service could say anything of any package")
    elif unchecked:
        lines.append(f"not checked: {', '.join(unchecked)}")
    if known:
        lines.append(f"checked: {len(known)} packages, {len(faults)} known faults")
    return lines, int(bool(faults))


def main(pinned: str) -> int:
    """Ask all services of the packages that a file pins."""
    lines, code = report({service: ask(service, pinned) for service in SERVICES})
    # Where GitHub runs this, what wasn't checked stands on the run's page.
    mark = "::warning title=pip-audit::" if os.environ.get("GITHUB_ACTIONS") else ""
    for line in lines:
        print((mark if "not checked" in line.lower() else "") + line)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
