"""The measure of calibration: a process that loads the float model and runs each sample once.

Usage: plain.py MODEL SAMPLES.npz
"""

from __future__ import annotations

import sys

import onnxruntime
from samples import Samples

if __name__ == "__main__":
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    for sample in Samples(sys.argv[2]):
        session.run(None, sample)
