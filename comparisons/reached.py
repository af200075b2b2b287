"""What was reached, kept in the repository: ``reached.json``, from which the page is made.

A run writes the sections that it measured; the others stay, with the machine, the day and the
commit that they are of.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from figures import Finding
from kept import Origin, commit, cpu

FILE = Path(__file__).resolve().parent / "reached.json"
FORMAT = "edgeopt.figures/1"
SOFTWARE = ("edgeopt", "onnxruntime", "ai-edge-litert", "tensorflow-cpu", "tensorrt-rtx")
FEATURES = {
    "avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI", "avx_vnni": "VNNI",
    "amx_int8": "AMX",
}  # fmt: skip
"""What a processor can do, by the kernel's names."""


@dataclass(frozen=True)
class Source:
    """Where a section's findings come from.

    Args:
        machine: Its processor, what that can do, its cores.
        commits: Of EdgeOpt's sources, that results were measured at, the oldest first: peers' stay
            valid longer than ours. One with a ``+`` had changes that weren't committed.
        first: The day of the oldest result, ``YYYY-MM-DD``.
        last: Of the newest.
        software: Packages and their versions.
    """

    machine: str
    commits: tuple[str, ...]
    first: str
    last: str
    software: dict[str, str]


@dataclass(frozen=True)
class Reached:
    """All of it.

    Args:
        sections: Where each section's findings come from, by its name.
        findings: By the figure's key.
    """

    sections: dict[str, Source]
    findings: dict[str, Finding]


def read(path: Path = FILE) -> Reached:
    """What is kept; nothing where there is no file yet."""
    if not path.exists():
        return Reached({}, {})
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content["format"] != FORMAT:
        raise ValueError(f"{path}: {content['format']!r} instead of {FORMAT!r}")
    sections = {
        name: Source(**{**each, "commits": tuple(each["commits"])})
        for name, each in content["sections"].items()
    }
    findings = {key: Finding(key, **each) for key, each in content["findings"].items()}
    return Reached(sections, findings)


def renewed(
    before: Reached, section: str, found: Iterable[Finding], used: Iterable[Origin]
) -> Reached:
    """The same with a section's new findings, and what they were made of."""
    findings = {**before.findings, **{each.key: each for each in found}}
    return Reached({**before.sections, section: source(used)}, findings)


def source(used: Iterable[Origin]) -> Source:
    """Where results come from, on this machine."""
    origins = sorted(used, key=lambda origin: origin.at)
    commits = dict.fromkeys(origin.commit for origin in origins if origin.commit)
    days = [origin.at for origin in origins] or [round(time.time())]
    return Source(
        machine(), tuple(commits) or (commit(),), _day(days[0]), _day(days[-1]), _software()
    )


def write(reached: Reached, path: Path = FILE) -> None:
    """Keep it, in the same bytes for the same findings."""
    findings = {}
    for key in sorted(reached.findings):
        content = asdict(reached.findings[key])
        del content["key"]
        findings[key] = content
    sections = {name: asdict(reached.sections[name]) for name in sorted(reached.sections)}
    content = {"format": FORMAT, "sections": sections, "findings": findings}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """The processor, what it can do, and how many cores there are."""
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        flags = {word for line in lines if line.startswith("flags") for word in line.split()}
    known = dict.fromkeys(name for flag, name in FEATURES.items() if flag in flags)
    return ", ".join([cpu(), *known, f"{os.cpu_count()} cores", platform.system()])


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _software() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in SOFTWARE:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:
            continue
    return found
