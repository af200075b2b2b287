"""The peer: NNCF's post-training quantization of an ONNX model.

Usage: nncf_int8.py MODEL SAMPLES.npz OUTPUT [--transformer] [--accurate]
"""

from __future__ import annotations

import sys

import nncf
import onnx
from samples import Samples

if __name__ == "__main__":
    model, calibration, output, *flags = sys.argv[1:]
    samples = Samples(calibration)
    quantized = nncf.quantize(
        onnx.load(model),
        nncf.Dataset(samples),
        subset_size=len(samples),
        model_type=nncf.ModelType.TRANSFORMER if "--transformer" in flags else None,
        fast_bias_correction="--accurate" not in flags,
    )
    onnx.save(quantized, output)
