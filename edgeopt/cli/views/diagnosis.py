"""What ``edgeopt doctor`` found."""

from __future__ import annotations

from collections.abc import Sequence

from edgeopt.benchmarks.conditions import Machine
from edgeopt.cli.figures import size
from edgeopt.cli.tables import lines, table
from edgeopt.pipeline.doctor import Capability, Diagnosis
from edgeopt.pipeline.packages import PackageState


def draw_diagnosis(found: Diagnosis) -> str:
    """The machine, the packages, and what can be done with them."""
    parts = [
        lines([("edgeopt", found.edgeopt), ("python", found.python), ("system", found.platform)])
        + lines(_machine(found.machine, found.gpu)),
        table(("package", "for", "version", "state"), map(_package, found.packages), left=4),
        lines(
            [
                *_capabilities("reads", found.sources),
                *_capabilities("makes", found.outputs),
                *_capabilities("builds", found.engines),
            ]
        ),
        "Everything that EdgeOpt can't do without is here.\n"
        if found.healthy
        else "EdgeOpt can't work here until the packages above are mended.\n",
    ]
    return "\n".join(parts)


def _machine(host: Machine, gpu: str | None) -> list[tuple[str, str]]:
    cores, usable = host.cores.value, host.usable_cores.value
    limited = f", {usable} of them usable" if usable and usable != cores else ""
    return [
        ("cpu    ", host.cpu.value or f"unknown ({host.cpu.absent})"),
        ("isa    ", ", ".join(host.isa.value or ()) or f"unknown ({host.isa.absent})"),
        ("cores  ", f"{cores}{limited}" if cores else ""),
        ("memory ", size(host.memory_bytes.value)),
        ("gpu    ", gpu or "none that CUDA can use: engines are built here, and run elsewhere"),
    ]


def _package(package: PackageState) -> tuple[str, str, str, str]:
    parts = [package.state.value, package.problem, package.install]
    used = f"[{package.extra}]" if package.extra else "core"
    return package.name, used, package.version or "", ": ".join(p for p in parts if p)


def _capabilities(verb: str, known: Sequence[Capability]) -> list[tuple[str, str]]:
    """What works here, then for each command what it would add."""
    lacking: dict[str, list[str]] = {}
    for capability in known:
        if not capability.available and capability.install:
            lacking.setdefault(capability.install, []).append(capability.name)
    here = ", ".join(c.name for c in known if c.available) or "nothing"
    return [
        (verb, here),
        *(("", f"{', '.join(names)} after: {command}") for command, names in lacking.items()),
    ]
