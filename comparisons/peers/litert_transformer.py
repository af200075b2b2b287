"""A transformer's ``.pt2`` to TFLite by litert-torch, and its weights to int8 by ai-edge-quantizer.

    python litert_transformer.py MODEL.pt2 SAMPLES.npz OUT.tflite [--float]

Activations are rounded by what they are at run time. ``--float`` stops at the float file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import litert_torch
import torch
from ai_edge_quantizer import quantizer, recipe
from samples import Samples


def main() -> None:
    """Convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("samples")
    parser.add_argument("output", type=Path)
    parser.add_argument("--float", action="store_true")
    options = parser.parse_args()
    module = torch.export.load(options.model).module()
    given = tuple(torch.from_numpy(array) for array in Samples(options.samples)[0].values())
    converted = litert_torch.convert(module, given, strict_export=False)
    plain = options.output if options.float else options.output.with_suffix(".float")
    converted.export(str(plain))
    if options.float:
        return
    made = quantizer.Quantizer(str(plain))
    made.load_quantization_recipe(recipe.dynamic_wi8_afp32())
    made.quantize().export_model(options.output, overwrite=True)
    plain.unlink()


if __name__ == "__main__":
    main()
