"""What ``edgeopt inspect`` found."""

from __future__ import annotations

from collections.abc import Mapping

from edgeopt.cli.figures import decibels, percent, plural, size, three
from edgeopt.cli.tables import lines, table
from edgeopt.cli.views.conversion import samples
from edgeopt.cli.views.delegation import delegated
from edgeopt.core.manifest import Engine, Manifest, Official, Verification
from edgeopt.core.tflite_metadata import StoredNormalization
from edgeopt.pipeline.inspection.records import (
    Basis,
    Inspection,
    Layer,
    ManifestState,
    StoredEncoding,
)

_BASES = {
    Basis.RUNTIME: "seen in the runtime's graph",
    Basis.STRUCTURE: "by structure",
    Basis.BUILD_LOG: "by the log of the build",
}

MOST_LAYERS = 60
MOST_OPERATORS = 10
_TITLES = ("layer", "op", "weights", "arithmetic", "input scale", "weight scales", "output scale")


def draw_inspection(found: Inspection, *, everything: bool) -> str:
    """The file in a few lines, then its layers and what stayed float.

    Args:
        found: The inspection.
        everything: Whether long tables are shown whole.
    """
    most = len(found.layers) if everything else MOST_LAYERS
    parts = [lines(_summary(found, everything)), _layers(found, most), _floats(found, most)]
    hidden = len(found.layers) - most
    if hidden > 0:
        parts.append(f"... and {plural(hidden, 'layer')} more: -v or --json has all of them\n")
    return "\n".join(part for part in parts if part)


def _summary(found: Inspection, everything: bool) -> list[tuple[str, str]]:
    return [
        ("file", found.file),
        ("format", _format(found)),
        ("size", _size(found)),
        ("sha256", found.sha256),
        *(("input", str(spec)) for spec in found.inputs),
        *(("output", str(spec)) for spec in found.outputs),
        ("operators", _operators(found.ops, len(found.ops) if everything else MOST_OPERATORS)),
        ("integers", _integers(found)),
        ("signature", ", ".join(found.signatures)),
        ("metadata", ", ".join(found.metadata)),
        *(("normalization", _normalization(one)) for one in found.normalization),
        ("runtime", _runtime(found)),
        ("delegate", delegated(found.delegation) if found.delegation is not None else ""),
        *_evidence(found),
    ]


def _runtime(found: Inspection) -> str:
    said = found.oldest_runtime
    return f"TensorFlow Lite {said} or newer, as the file says" if said else ""


def _size(found: Inspection) -> str:
    if found.parameters is None:
        return size(found.size_bytes)
    return f"{size(found.size_bytes)}, {plural(found.parameters, 'parameter')}"


def _normalization(said: StoredNormalization) -> str:
    mean, std = (", ".join(map(three, values)) for values in (said.mean, said.std))
    pixels = f"{said.color} pixels" if said.color else "pixels"
    return f"{said.input}: ({pixels} - [{mean}]) / [{std}]"


def _format(found: Inspection) -> str:
    made_by = f", made by {found.producer}" if found.producer else ""
    if found.ir_version is None:
        return f"{found.format.value}{made_by}"
    opsets = ", ".join(f"{domain} {number}" for domain, number in found.opsets.items())
    return f"{found.format.value}: IR {found.ir_version}, opset {opsets}{made_by}"


def _operators(ops: Mapping[str, int], most: int) -> str:
    shown = ", ".join(f"{op} {count}" for op, count in list(ops.items())[:most])
    return shown + (f" and {plural(len(ops) - most, 'kind')} more" if len(ops) > most else "")


def _integers(found: Inspection) -> str:
    if not found.layers:
        return ""
    count = sum(layer.arithmetic == "integer" for layer in found.layers)
    basis = _BASES[found.layers_from]
    pairs = f"; {plural(found.qdq_pairs, 'QDQ pair')}" if found.qdq_pairs else ""
    if not count:
        return f"none in {plural(len(found.layers), 'layer')}{pairs}"
    return f"{count} of {plural(len(found.layers), 'layer')} ({basis}){pairs}"


def _evidence(found: Inspection) -> list[tuple[str, str]]:
    manifest = found.manifest
    if manifest is None:
        told = {
            ManifestState.ABSENT: "none: not made by EdgeOpt, or moved away from it",
            ManifestState.STALE: "of another file, not believed",
            ManifestState.UNREADABLE: "not readable",
        }
        return [("manifest", told[found.manifest_state])]
    return [
        ("manifest", "describes this file"),
        ("precision", _precision(manifest)),
        *_engine(manifest.engine),
        ("source", f"{manifest.source.location} ({manifest.source.kind})"),
        ("converter", _official(manifest.official)),
        ("calibrated", " and ".join(map(samples, manifest.calibration))),
        ("scales", _scales(found)),
        *_verified(manifest),
    ]


def _engine(engine: Engine | None) -> list[tuple[str, str]]:
    if engine is None:
        return []
    capability = engine.compute_capability
    gpu = f"compute capability {capability}" if capability else "any from Ampere on"
    shapes = [
        ("takes", f"{s.input}: {' to '.join(dict.fromkeys(map(str, (s.least, s.largest))))}")
        for s in engine.shapes
    ]
    kind = "an engine" if engine.builder else "a kit that the engine is built from on the device"
    return [("is", kind), ("gpu", gpu), *shapes]


def _precision(manifest: Manifest) -> str:
    encoded = f", encoded for {manifest.recipe.target}" if manifest.encodings else ""
    return f"{manifest.precision.value}{encoded}"


def _official(found: Official | None) -> str:
    if found is None:
        return ""
    if found.ranges is None or found.named + found.derived == 0:
        ranges = "" if found.ranges is None else f", ranges by {found.ranges}"
    else:
        ranges = f", ranges by {found.ranges}: {found.named} by name, {found.derived} derived"
        if found.unknown:
            ranges += f"; {plural(len(found.unknown), 'operator')} float for want of one"
    why = f" ({found.reason})" if found.reason else ", as asked"
    return f"{found.converter}{why}{ranges}"


def _scales(found: Inspection) -> str:
    if not found.encodings:
        return ""
    equal = "equal the manifest's, bit for bit" if found.encodings_match else "DIFFER"
    return f"{plural(len(found.encodings), 'tensor')} read back: {equal}"


def _verified(manifest: Manifest) -> list[tuple[str, str]]:
    if manifest.verification is None:
        return [("verified", "no")]
    return [
        ("verified", _check(manifest.verification, output))
        for output in range(len(manifest.verification.outputs))
    ]


def _check(verification: Verification, index: int) -> str:
    output = verification.outputs[index]
    agreement = f", agreement {percent(output.agreement)}" if output.agreement is not None else ""
    return (
        f"{output.output}: {decibels(output.sqnr_db)} against the "
        f"{verification.reference} (floor {verification.floor_db:g}), max abs error "
        f"{output.max_abs_error:.3g}{agreement}, on {samples(verification.data)}"
        f"{', emulated' if verification.emulated else ''}"
        f"{', as the ONNX that went in' if verification.stand_in else ''}"
    )


def _layers(found: Inspection, most: int) -> str:
    encodings = {encoding.tensor: encoding for encoding in found.encodings}
    rows = [_row(layer, encodings) for layer in found.layers[:most]]
    return table(_TITLES, rows, left=4) if rows else ""


def _row(layer: Layer, encodings: Mapping[str, StoredEncoding]) -> tuple[str, ...]:
    shape = "x".join(map(str, layer.weight_shape)) if layer.weight_shape else ""
    return (
        layer.name,
        layer.op,
        f"{shape} {layer.weight_dtype}" if layer.weight_dtype else "",
        layer.arithmetic,
        *(_scale(encodings.get(t or "")) for t in (layer.input, layer.weight, layer.output)),
    )


def _scale(encoding: StoredEncoding | None) -> str:
    if encoding is None:
        return ""
    low, high = min(encoding.scale), max(encoding.scale)
    if encoding.axis is not None:
        return f"{low:.3g}..{high:.3g}"
    zero = "" if encoding.constant else f" @{encoding.zero_point[0]}"
    return f"{low:.3g}{zero} {encoding.dtype}"


def _floats(found: Inspection, most: int) -> str:
    reasons = [(layer.name, layer.reason) for layer in found.layers if layer.reason]
    known = {name for name, _ in reasons}
    # What isn't a layer of the file: control flow, or a node that was merged into another.
    others = found.manifest.float_layers if found.manifest else ()
    reasons += [(f"{o.op} {o.node}", o.reason) for o in others if o.node not in known]
    text = "".join(f"  {name}: {reason}\n" for name, reason in reasons[:most])
    return f"Stayed float:\n{text}" if text else ""
