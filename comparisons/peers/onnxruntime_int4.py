"""The peer: ONNX Runtime's 4-bit weights of matrix products, round to nearest, symmetric.

Usage: onnxruntime_int4.py MODEL OUTPUT BLOCK
"""

from __future__ import annotations

import sys

import onnx
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

if __name__ == "__main__":
    model, output, block = sys.argv[1:4]
    quantizer = MatMulNBitsQuantizer(
        onnx.load(model), bits=4, block_size=int(block), is_symmetric=True
    )
    quantizer.process()
    onnx.save(quantizer.model.model, output)
