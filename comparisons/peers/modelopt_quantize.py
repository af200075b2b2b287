"""The peer: NVIDIA's Model Optimizer on an ONNX model, for TensorRT's symmetric rules.

Usage: modelopt_quantize.py MODEL SAMPLES.npz OUTPUT int8 max|entropy
       modelopt_quantize.py MODEL SAMPLES.npz OUTPUT int4 rtn_dq|awq_clip BLOCK
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from modelopt.onnx.quantization import quantize
from samples import Samples

if __name__ == "__main__":
    model, calibration, output, mode, method, *block = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        # It leaves files beside the model that it reads.
        quantize(
            shutil.copy(model, folder),
            quantize_mode=mode,
            calibration_data=Samples(calibration).arrays,
            calibration_method=method,
            calibration_eps=["cpu"],
            high_precision_dtype="fp32",
            output_path=str(Path(output).resolve()),
            log_level="ERROR",
            **({"block_size": int(block[0])} if block else {}),
        )
