"""What ``edgeopt convert`` made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgeopt.cli.figures import ABSENT, decibels, percent, plural, size, three
from edgeopt.cli.tables import table
from edgeopt.cli.views.delegation import delegated
from edgeopt.cli.views.device import on_device
from edgeopt.core.manifest import DataRecord, Manifest, Verification

if TYPE_CHECKING:
    from edgeopt.pipeline.convert import ConvertResult
    from edgeopt.pipeline.making import Artifact
    from edgeopt.pipeline.search.record import Mix, Point

_TITLES = (
    "file",
    "format",
    "precision",
    "size",
    "SQNR",
    "agreement",
    "max abs error",
    "integer layers",
)


def draw_conversion(result: ConvertResult) -> str:
    """A row an artifact, then what the figures are based on and where the files are."""
    drawn = table(_TITLES, map(_row, result.artifacts), left=3)
    told = dict.fromkeys(line for a in result.artifacts for line in _told(a))
    told |= dict.fromkeys(line for a in result.artifacts for line in _delegated(a.manifest))
    told |= dict.fromkeys(line for a in result.artifacts for line in on_device(a.manifest))
    folder = Path(result.artifacts[0].path).parent
    where = f"The artifacts are in {folder}, each with its manifest beside it (.json)."
    return drawn + "\n" + "".join(f"{line}\n" for line in (*told, where))


def _row(artifact: Artifact) -> tuple[str, ...]:
    manifest = artifact.manifest
    return (
        Path(artifact.path).name,
        manifest.format.value,
        manifest.precision.value,
        size(manifest.size_bytes),
        *_distance(manifest.verification),
        _integer(manifest),
    )


def _distance(checked: Verification | None) -> tuple[str, str, str]:
    """SQNR of the worst output, and the worst agreement and error of any."""
    if checked is None:
        return ABSENT, ABSENT, ABSENT
    agreements = [o.agreement for o in checked.outputs if o.agreement is not None]
    return (
        decibels(checked.worst.sqnr_db),
        percent(min(agreements, default=None)),
        three(max(o.max_abs_error for o in checked.outputs)),
    )


def _integer(manifest: Manifest) -> str:
    if manifest.integer_layers is None:
        return ""
    return f"{manifest.integer_layers}/{manifest.integer_layers + len(manifest.float_layers)}"


def _told(artifact: Artifact) -> list[str]:
    return [*_based_on(artifact.manifest), *_effort(artifact), *_spared(artifact), *_kit(artifact)]


def _kit(artifact: Artifact) -> list[str]:
    """What to do with a kit, which is no engine yet."""
    manifest = artifact.manifest
    if manifest.engine is None or manifest.engine.builder is not None:
        return []
    # The same line for all of a command's kits, so that it stands there once.
    return [
        f"A kit is no engine yet: one for {manifest.recipe.target} is built there. Copy the kit's "
        "folder to it and run the run.py inside with python3, which builds the engine with the "
        "device's own TensorRT, checks and times it."
    ]


def _effort(artifact: Artifact) -> list[str]:
    """What more effort would cost is judged by what this one did."""
    effort = artifact.manifest.recipe.effort
    if effort is None:
        return []
    name = Path(artifact.path).name
    return [f"{name} took {artifact.seconds:.1f} s at --effort {effort}."]


def _spared(artifact: Artifact) -> list[str]:
    """Which layers a search spared, what that gives, and where its trade-off is."""
    search = artifact.search
    if search is None or search.chosen is None:
        return []
    from edgeopt.pipeline.search.record import Mix, page_path, search_path

    chosen, int8 = search.point(search.chosen), search.point(Mix())
    assert chosen is not None
    assert int8 is not None
    page = page_path(Path(artifact.path)).name
    if chosen is int8:
        return [f"auto is int8 as it is: {search.budget.told(int8.quality)}{_latency(int8)}."]
    return [
        f"auto keeps {_named(search.chosen)} of {plural(search.layers, 'layer')} to meet the "
        f"budget: {search.budget.told(chosen.quality)}{_latency(chosen)}; "
        f"int8: {search.budget.told(int8.quality)}{_latency(int8)}.",
        f"All that was tried is in {page} and {search_path(Path(artifact.path)).name}.",
    ]


def _named(mix: Mix) -> str:
    kept = ((mix.keep_float, "float"), (mix.keep_16bit, "at 16 bits"))
    return " and ".join(f"{', '.join(names)} {how}" for names, how in kept if names)


def _latency(point: Point) -> str:
    return "" if point.ratio is None else f", {point.ratio.point:.2f}x the latency of float32"


def _based_on(manifest: Manifest) -> list[str]:
    lines = []
    if manifest.calibration:
        lines.append(
            f"{manifest.precision.value} is encoded for {manifest.recipe.target} and calibrated on "
            f"{' and '.join(map(samples, manifest.calibration))}."
        )
    checked = manifest.verification
    lines.append(
        f"{manifest.precision.value} is not verified."
        if checked is None
        else f"Verified against {_reference(checked)} on {samples(checked.data)}{_how(checked)}."
    )
    return lines


def _delegated(manifest: Manifest) -> Iterator[str]:
    if manifest.delegation is not None:
        yield f"{manifest.artifact}: {delegated(manifest.delegation)}."


def _reference(checked: Verification) -> str:
    return "the source" if checked.reference == "source" else f"the {checked.reference}"


def _how(checked: Verification) -> str:
    if checked.stand_in:
        return "; what ran was the ONNX that went into it, as it stands, in ONNX Runtime"
    if not checked.emulated:
        return ""
    return ", sums emulated in float: this CPU's 8-bit kernels saturate, the target's don't"


def samples(data: DataRecord) -> str:
    """Which data, and how many of its samples."""
    start, stop = data.used
    if data.kind == "random":
        return f"{plural(stop - start, 'random sample')} ({data.location}), which are not real data"
    if stop - start == data.samples:
        return f"{plural(data.samples, 'sample')} of {data.location}"
    return f"{stop - start:,} of the {plural(data.samples, 'sample')} of {data.location}"
