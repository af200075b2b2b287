"""An ONNX model to TFLite by onnx2tf: int8 with its calibration, or float.

python onnx2tf_convert.py MODEL.onnx SAMPLES.npz OUT.tflite [--samples 32] [--float]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx2tf
from samples import Samples


def main() -> None:
    """Convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("samples")
    parser.add_argument("output", type=Path)
    parser.add_argument("--samples", dest="count", type=int, default=32)
    parser.add_argument("--float", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asked = {} if options.float else _calibration(options.samples, options.count, Path(folder))
        # It simplifies the file that it is given, where it lies.
        model = shutil.copy(options.model, folder)
        onnx2tf.convert(
            input_onnx_file_path=str(model), output_folder_path=folder, batch_size=1,
            non_verbose=True, **asked,
        )  # fmt: skip
        kind = "float32" if options.float else "full_integer_quant"
        (made,) = Path(folder).glob(f"*_{kind}.tflite")
        options.output.write_bytes(made.read_bytes())


def _calibration(samples: str, count: int, folder: Path) -> dict[str, object]:
    given = Samples(samples)
    each = [given[index] for index in range(min(count, len(given)))]
    ((name, _),) = each[0].items()
    images = np.concatenate([sample[name].transpose(0, 2, 3, 1) for sample in each])
    np.save(folder / "calibration.npy", np.ascontiguousarray(images))
    channels = images.shape[-1]
    plain = [[[[0.0] * channels]]], [[[[1.0] * channels]]]  # what the net takes, as it is
    return {
        "output_integer_quantized_tflite": True,
        "custom_input_op_name_np_data_path": [[name, str(folder / "calibration.npy"), *plain]],
    }


if __name__ == "__main__":
    main()
