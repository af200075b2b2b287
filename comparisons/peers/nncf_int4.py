"""The peer: NNCF's 4-bit weights of matrix products, symmetric, its best data-aware settings.

Usage: nncf_int4.py MODEL SAMPLES.npz OUTPUT BLOCK
"""

from __future__ import annotations

import sys

import nncf
import onnx
from samples import Samples

if __name__ == "__main__":
    model, calibration, output, block = sys.argv[1:5]
    samples = Samples(calibration)
    # The table of words is left alone, as on the other sides.
    compressed = nncf.compress_weights(
        onnx.load(model),
        mode=nncf.CompressWeightsMode.INT4_SYM,
        ratio=1.0,
        group_size=int(block),
        all_layers=True,
        dataset=nncf.Dataset(samples),
        subset_size=len(samples),
        scale_estimation=True,
        ignored_scope=nncf.IgnoredScope(types=["Gather"], validate=False),
    )
    onnx.save(compressed, output)
