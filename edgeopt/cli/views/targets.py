"""How ``edgeopt targets`` tells what is known of devices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from edgeopt.cli.figures import plural, three
from edgeopt.cli.tables import lines, table
from edgeopt.targets import TfliteRuntime
from edgeopt.targets.emulator import Emulator
from edgeopt.targets.profile import Profile


def draw_list(profiles: Sequence[Profile]) -> str:
    """A line for each."""
    rows = [(p.name, ", ".join(p.formats), p.description) for p in profiles]
    return table(("target", "runs", "is"), rows, left=3)


def draw_check(profiles: Sequence[Profile]) -> str:
    """That they can be used."""
    return "".join(f"{p.name}: valid; runs {', '.join(p.formats) or 'nothing'}\n" for p in profiles)


def draw_emulators(made: Sequence[Emulator]) -> str:
    """What can be done with each."""
    return "".join(
        f"{each.cpu}: {each.root}\n"
        f"  edgeopt benchmark ARTIFACT --target {quote(str(each.address))}\n"
        f"  {each.python} is its Python\n"
        for each in made
    )


def draw_target(profile: Profile) -> str:
    """Everything about one."""
    parts = [
        f"{profile.name}: {profile.description}\n",
        lines(_facts(profile)),
        lines((f"{fmt.value}", ", ".join(profile.precisions(fmt))) for fmt in profile.formats),
        "".join(f"No {fmt.value}: {why}.\n" for fmt, why in profile.without.items()),
        "".join(f"No {precision.value}: {why}.\n" for precision, why in profile.lacks.items()),
        _published(profile),
    ]
    return "\n".join(part for part in parts if part)


def _facts(profile: Profile) -> Iterator[tuple[str, str]]:
    if profile.cpu is not None:
        cores = ", ".join(f"{c.count} x {c.name} {c.ghz:g} GHz" for c in profile.cpu.cores)
        yield "processor", cores or profile.cpu.arch
        yield "instruction sets", ", ".join(profile.cpu.features)
    if profile.gpu is not None:
        yield "GPU", profile.gpu.name or "any from Ampere on"
    if (unit := profile.accelerator) is not None:
        tops = f"{unit.tops:g} TOPS" if unit.tops else ""
        own = f"{unit.memory_mb:g} MB" if unit.memory_mb else ""
        yield "accelerator", ", ".join(filter(None, (unit.name, tops, own, unit.note)))
    if (memory := profile.memory) is not None:
        sizes = " or ".join(f"{gb:g} GB" for gb in memory.gb)
        rate = f"{memory.bandwidth_gb_s:g} GB/s" if memory.bandwidth_gb_s else ""
        yield "memory", ", ".join(filter(None, (memory.kind, sizes, rate)))
    for system in profile.software:
        named = {"Python": system.python, "CUDA": system.cuda, "TensorRT": system.tensorrt}
        yield system.name, ", ".join(f"{k} {v}" for k, v in named.items() if v)
    if profile.tflite is not TfliteRuntime.LITERT:
        yield "TFLite by", profile.tflite.value
    yield "threads", plural(profile.threads, "thread")
    yield "address", profile.address


def _published(profile: Profile) -> str:
    rows = [(p.model, p.precision, p.on, p.source, three(p.ms)) for p in profile.published]
    if not rows:
        return "No latencies are published by its maker, as far as was found.\n"
    titles = ("published latencies", "precision", "on", "by", "ms")
    return table(titles, rows, left=4)
