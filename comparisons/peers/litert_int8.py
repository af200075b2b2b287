"""A ``.pt2`` to TFLite by litert-torch, and to int8 by ai-edge-quantizer with its calibration.

    python litert_int8.py MODEL.pt2 SAMPLES.npz OUT.tflite [--minmax] [--samples 32] [--float]

Its own calibration follows extremes by a moving average, which clips; ``--minmax`` gives it the
extremes instead. ``--float`` stops at the float file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import calibrator, quantizer, recipe
from ai_edge_quantizer.utils import qsv_utils
from samples import Samples


def main() -> None:
    """Convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("samples")
    parser.add_argument("output", type=Path)
    parser.add_argument("--minmax", action="store_true")
    parser.add_argument("--float", action="store_true")
    parser.add_argument("--samples", dest="count", type=int, default=32)
    options = parser.parse_args()
    module = torch.export.load(options.model).module()
    net = litert_torch.to_channel_last_io(module, args=[0])
    (example,) = _inputs(Samples(options.samples), 1)
    given = tuple(torch.from_numpy(array) for array in example.values())
    converted = litert_torch.convert(net, given, strict_export=False)
    plain = options.output if options.float else options.output.with_suffix(".float")
    converted.export(str(plain))
    if options.float:
        return
    made = quantizer.Quantizer(str(plain))
    made.load_quantization_recipe(recipe.static_wi8_ai8())
    found = _ranges(made, plain, Samples(options.samples), options)
    made.quantize(found).export_model(options.output, overwrite=True)
    plain.unlink()


def _ranges(
    made: quantizer.Quantizer, plain: Path, samples: Samples, options: argparse.Namespace
) -> object:
    data = {"serving_default": [*_inputs(samples, options.count)]}
    if not options.minmax:
        return made.calibrate(data, num_threads=1)
    observed = calibrator.Calibrator(
        str(plain), num_threads=1, qsv_update_func=qsv_utils.min_max_update
    )
    observed.calibrate(data, made._recipe_manager)
    return observed.get_model_qsvs()


def _inputs(samples: Samples, count: int) -> Iterator[dict[str, np.ndarray]]:
    for index in range(min(count, len(samples))):
        (image,) = samples[index].values()
        yield {"args_0": np.ascontiguousarray(image.transpose(0, 2, 3, 1))}


if __name__ == "__main__":
    main()
