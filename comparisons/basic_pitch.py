"""basic-pitch's old SavedModel, converted, beside its published ONNX and TFLite files.

pip download --no-deps basic-pitch==0.4.0 && unzip basic_pitch-*.whl -d DIR
python comparisons/basic_pitch.py DIR/basic_pitch/saved_models/icassp_2022/nmp
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

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


def main() -> None:
    """Print the largest difference of each pair."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="the SavedModel nmp, its other forms beside it")
    folder = parser.parse_args().folder
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
            for one in ("our ONNX", "our TFLite", "published ONNX"):
                for other, theirs in answers.items():
                    if one == other:
                        continue
                    worst = max(float(np.abs(answers[one][k] - theirs[k]).max()) for k in theirs)
                    print(f"{name}: {one} from {other}: {worst:.1e}")


if __name__ == "__main__":
    main()
