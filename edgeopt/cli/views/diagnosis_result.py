"""What ``edgeopt diagnose`` found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeopt.cli.figures import ABSENT, decibels, milliseconds, percent, plural, three
from edgeopt.cli.tables import lines, table
from edgeopt.cli.views.conversion import samples
from edgeopt.cli.views.diagnosis_layers import draw_layers, draw_weights
from edgeopt.core.printable import shown
from edgeopt.pipeline.diagnosis.points import INPUT
from edgeopt.pipeline.diagnosis.records import (
    ColumnGroup,
    DiagnosisResult,
    LayerDiagnosis,
    OutputDiagnosis,
    Suggestion,
    Trial,
    UnlikeScales,
)
from edgeopt.pipeline.diagnosis.rules import NOTHING_TO_DO
from edgeopt.pipeline.diagnosis.runtime_records import Timing

MOST_OPS = 10
MOST_NAMED = 5


def draw_result(result: DiagnosisResult, *, everything: bool, page: str | None) -> str:
    """The outputs, the layers, what stands out, the time, and the next step.

    Args:
        result: The diagnosis.
        everything: Whether long tables are shown whole.
        page: Where a page of it was written.
    """
    parts = [
        lines(_summary(result)),
        _outputs(result),
        draw_layers(result, everything=everything),
        lines(_falls(result)),
        draw_weights(result, everything=everything),
        _block("Outlier channels:", _outliers(result), everything),
        _block("Columns of unlike scale that share one:", map(_unlike, result.unlike_scales), True),
        _block("Stays float:", _floats(result), everything),
        _time(result.timing, everything),
        _inserted(result),
        _trials(result.trials),
        f"The page is in {shown(page)}.\n" if page else "",
        _steps(result),
    ]
    return "\n".join(part for part in parts if part)


def _steps(result: DiagnosisResult) -> str:
    """The next step, and where it is none, what would give more."""
    told = _step("Next", result.suggestion)
    more = next(iter(result.further), None) if result.suggestion.rule == NOTHING_TO_DO else None
    return told + (_step("For more", more) if more else "")


def _step(title: str, step: Suggestion) -> str:
    options = f": {step.options}" if step.options else ""
    return f"{title}: {step.step}{options}\n{' ' * len(title)}  because {step.because}\n"


def _summary(result: DiagnosisResult) -> list[tuple[str, str]]:
    origin = {
        "evaluation": "",
        "verification": ", which it was verified on",
        "calibration": ", which it was calibrated on",
        "random": "",
    }[result.data_from]
    return [
        ("artifact", result.artifact),
        ("precision", f"{result.precision.value}, for {result.target}"),
        ("float graph", f"of {result.reference}"),
        ("data", samples(result.data) + origin),
        ("kernels", _kernels(result)),
    ]


def _kernels(result: DiagnosisResult) -> str:
    if not result.saturating:
        return ""
    return "this CPU's 8-bit kernels saturate; layers are compared with exact sums"


def _outputs(result: DiagnosisResult) -> str:
    titles = ("output", "SQNR", "with this CPU's kernels", "agreement", "max abs error")
    return table(titles, map(_output, result.outputs))


def _output(output: OutputDiagnosis) -> tuple[str, ...]:
    exact, kernels = output.exact, output.kernels
    return (
        exact.output,
        decibels(exact.sqnr_db),
        decibels(kernels.sqnr_db) if kernels else "",
        percent(exact.agreement) if exact.agreement is not None else "",
        three(exact.max_abs_error),
    )


def _falls(result: DiagnosisResult) -> list[tuple[str, str]]:
    by_name = {layer.tensor: layer for layer in result.layers}
    first = by_name.get(result.first_below or "")
    drop = by_name.get(result.largest_drop or "")
    noisy = by_name.get(result.noisiest or "")
    return [
        (
            f"first below {result.threshold_db:g} dB",
            f"{name(first)}: {decibels(first.sqnr_db)}" if first else "none",
        ),
        (
            "largest drop",
            f"{name(drop)}: {drop.drop_db:.1f} dB below what goes in" if drop else "none",
        ),
        (
            "most noise of its own",
            f"{name(noisy)}: {decibels(noisy.own.total_db)}, from "
            f"{noisy.own.cause.value if noisy.own.cause else ABSENT}"
            if noisy
            else "none",
        ),
    ]


def name(layer: LayerDiagnosis) -> str:
    """A layer for people: its node and operator, or the input's name."""
    return f"{layer.op} {layer.tensor}" if layer.op == INPUT else f"{layer.node} ({layer.op})"


def _outliers(result: DiagnosisResult) -> Iterator[str]:
    found = [x for x in result.layers if x.range and x.channels and x.channels.outliers]
    for layer in sorted(found, key=lambda x: -x.channels.ratio if x.channels else 0):
        assert layer.channels is not None
        channels = layer.channels.outliers[:MOST_NAMED]
        told = ", ".join(f"{c.index} ({c.ratio:.0f}x)" for c in channels)
        yield (
            f"{layer.tensor}: {told} of {layer.channels.count}, times the median channel's "
            "largest value"
        )


def _unlike(unlike: UnlikeScales) -> str:
    return (
        f"{unlike.tensor} (to {', '.join(unlike.outputs)}), axis {unlike.axis}, in steps of "
        f"{unlike.scale:.3g}: {_group(unlike.large)}; {_group(unlike.small)}"
    )


def _group(group: ColumnGroup) -> str:
    runs = [f"{a}" if b == a + 1 else f"{a}-{b - 1}" for a, b in group.columns]
    shown = ", ".join(runs[:MOST_NAMED]) + (", ..." if len(runs) > MOST_NAMED else "")
    return f"{shown} up to {group.largest:.3g}: {decibels(group.sqnr_db)}"


def _floats(result: DiagnosisResult) -> Iterator[str]:
    """A line for each reason, with the layers that share it."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for layer in result.float_layers:
        grouped.setdefault((layer.op, layer.reason), []).append(layer.node)
    for (op, reason), nodes in grouped.items():
        more = f" and {len(nodes) - MOST_NAMED} more" if len(nodes) > MOST_NAMED else ""
        yield f"{op} {', '.join(nodes[:MOST_NAMED])}{more}: {reason}"


def _block(title: str, told: Iterator[str] | Sequence[str], everything: bool) -> str:
    found = list(told)
    shown = found if everything else found[: 2 * MOST_NAMED]
    if len(found) > len(shown):
        shown = [*shown, f"... and {len(found) - len(shown)} more: -v or --json has all of them"]
    return (
        "".join(f"{line}\n" for line in (title, *(f"  {line}" for line in shown))) if found else ""
    )


def _time(timing: Timing, everything: bool) -> str:
    shown = timing.ops if everything else timing.ops[:MOST_OPS]
    rows = [
        (
            op.op,
            milliseconds(op.float_ms) if op.float_ms else "",
            f"{op.float_share:.0%}" if op.float_ms else "",
            milliseconds(op.artifact_ms) if op.artifact_ms else "",
            f"{op.artifact_share:.0%}" if op.artifact_ms else "",
        )
        for op in shown
    ]
    rows.append(("all", milliseconds(timing.float_ms), "", milliseconds(timing.artifact_ms), ""))
    titles = ("operator", "float ms", "share", "artifact ms", "share ")
    where = timing.machine.cpu.value or timing.machine.architecture
    told = (
        f"Measured on {where} with {timing.runtime}, {plural(timing.threads, 'thread')}, "
        f"{plural(timing.runs, 'run')} by the runtime's profiler; `edgeopt benchmark` compares "
        "latencies.\n"
    )
    return table(titles, rows) + told


def _inserted(result: DiagnosisResult) -> str:
    if not result.inserted:
        return ""
    told = ", ".join(f"{i.artifact} {i.op} (float: {i.float_graph})" for i in result.inserted)
    return f"Inserted by the runtime: {told}\n"


def _trials(trials: Sequence[Trial]) -> str:
    titles = ("tried out", "worst output", "gain")
    rows = [
        (trial.keep.options, decibels(trial.sqnr_db), f"{trial.gain_db:+.1f} dB")
        for trial in trials
    ]
    return table(titles, rows) if rows else ""
