"""The peer: a process that loads a ``.pt2`` and exports it with PyTorch, and does nothing more.

Usage: export_only.py MODEL.pt2 OUTPUT.onnx
"""

from __future__ import annotations

import sys

import torch

if __name__ == "__main__":
    program = torch.export.load(sys.argv[1])
    exported = torch.onnx.export(program, dynamo=True, optimize=True, verbose=False)
    assert exported is not None
    exported.save(sys.argv[2], external_data=False)
