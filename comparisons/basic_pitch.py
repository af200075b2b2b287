"""basic-pitch's old SavedModel, converted, beside its published ONNX and TFLite files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from environments import ours
from figures import Finding
from kept import Kept, once
from tables import table

import edgeopt
from edgeopt.converters.sources import SourceOptions, open_source

SAMPLES = 43844
RATE = 22050
PUBLISHED = {
    "StatefulPartitionedCall:0": "contour",
    "StatefulPartitionedCall:1": "note",
    "StatefulPartitionedCall:2": "onset",
}
Answers = dict[str, Any]


def sounds() -> dict[str, np.ndarray]:
    """Three tones in faint noise, and noise: (1, 43844, 1) each."""
    rng = np.random.default_rng(0)
    time = np.arange(SAMPLES) / RATE
    tones = sum(a * np.sin(2 * np.pi * f * time) for f, a in ((220, 0.3), (277.2, 0.2), (440, 0.1)))
    faint = tones + 0.01 * rng.standard_normal(SAMPLES)
    found = {"tones": faint, "noise": rng.standard_normal(SAMPLES)}
    return {name: sound.astype(np.float32).reshape(1, -1, 1) for name, sound in found.items()}


def by_onnx(file: Path, sound: np.ndarray) -> Answers:
    """What ONNX Runtime answers, by the signature's names."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    names = [PUBLISHED.get(output.name, output.name) for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {session.get_inputs()[0].name: sound}), strict=True))


def by_litert(file: Path, sound: np.ndarray) -> Answers:
    """What LiteRT answers."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(file)).get_signature_runner()
    return dict(runner(**{next(iter(runner.get_input_details())): sound}))


def by_tensorflow(folder: Path, sound: np.ndarray) -> Answers:
    """What TensorFlow answers."""
    source = open_source(folder, SourceOptions())
    answers = source.run({"input_2": sound})
    return dict(zip(("contour", "note", "onset"), answers, strict=True))


ASKED = {
    "published-onnx": ("our ONNX", "published ONNX"),
    "published-tflite": ("our TFLite", "published TFLite"),
    "source-onnx": ("our ONNX", "SavedModel"),
    "source-tflite": ("our TFLite", "SavedModel"),
}
OTHERS = {"published ONNX from SavedModel": ("published ONNX", "SavedModel")}


def main(assets: Path) -> list[str]:
    """Convert, and give the lines of a Markdown table."""
    found = _found(assets)
    rows = (
        [f"{one} from {other}", *(f"{found[each][f'{one} from {other}']:.1e}" for each in found)]
        for one, other in (*ASKED.values(), *OTHERS.values())
    )
    return table(("largest difference; outputs lie in 0..1", *found), rows)


def figures(assets: Path) -> Iterator[Finding]:
    """What was reached."""
    found = _found(assets)
    for key, (one, other) in ASKED.items():
        worst = {name: each[f"{one} from {other}"] for name, each in found.items()}
        theirs = max(each["published ONNX from SavedModel"] for each in found.values())
        told = f"the published ONNX {theirs:.1e}" if other == "SavedModel" else ""
        shown = ", ".join(f"{name} {value:.1e}" for name, value in worst.items())
        yield Finding(f"basic-pitch.{key}", max(worst.values()), shown, told)


def _found(assets: Path) -> dict[str, dict[str, float]]:
    """By sound, the largest difference of each pair; kept."""
    published = assets / "basic_pitch"
    depends = ours(published / "nmp.onnx", published / "nmp.tflite")
    found = once(Kept("basic_pitch"), "found", depends, partial(_compared, published / "nmp"))
    return dict(found)


def _compared(folder: Path) -> dict[str, dict[str, float]]:
    found = {}
    with tempfile.TemporaryDirectory() as out:
        made = edgeopt.convert(folder, to="onnx,tflite", output=out).artifacts
        for name, sound in sounds().items():
            answers = {
                "SavedModel": by_tensorflow(folder, sound),
                "published ONNX": by_onnx(folder.with_suffix(".onnx"), sound),
                "published TFLite": by_litert(folder.with_suffix(".tflite"), sound),
                "our ONNX": by_onnx(Path(made[0].path), sound),
                "our TFLite": by_litert(Path(made[1].path), sound),
            }
            found[name] = {
                f"{one} from {other}": max(
                    float(np.abs(answers[one][each] - theirs).max())
                    for each, theirs in answers[other].items()
                )
                for one, other in (*ASKED.values(), *OTHERS.values())
            }
    return found


if __name__ == "__main__":
    print("\n".join(main(Path(__file__).resolve().parent / ".cache" / "assets")))
