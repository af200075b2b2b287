"""The peer: ONNX Runtime's dynamic quantizer, per channel.

Its symbolic shape inference fails on MiniLM's mask, and is left out.

Usage: onnxruntime_dynamic.py MODEL OUTPUT
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder, "prepared.onnx")
        quant_pre_process(sys.argv[1], prepared, skip_symbolic_shape=True)
        quantize_dynamic(
            prepared,
            sys.argv[2],
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
