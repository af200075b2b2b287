"""Export architectures with random weights to ONNX, in the environment of torchvision and timm.

    .cache/torchvision/bin/python peers/torchvision_export.py FOLDER NAME...

A name is ``timm/NAME`` or torchvision's. Files that are there already are kept.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import torch
import torchvision

SIZES = {"inception_v3": 299, "inception_v4": 299, "inception_resnet_v2": 299}


def main() -> None:
    """Export what is named; what fails is told and left out."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:]:
        path = folder / f"{name.replace('/', '-')}.onnx"
        if path.exists():
            continue
        try:
            export(name, path)
        except Exception as error:  # noqa: BLE001 - exporters raise anything
            traceback.print_exc(limit=1)
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)


def export(name: str, path: Path) -> None:
    """One architecture, for images with a batch of any size."""
    torch.manual_seed(0)
    maker, short = name.split("/") if "/" in name else ("torchvision", name)
    if maker == "timm":
        import timm

        net = timm.create_model(short, pretrained=False)
        size = net.default_cfg["input_size"][-1]
    else:
        net = _torchvision(short)
        size = SIZES.get(short, 224)
    net = net.eval()
    _spread(net)
    image = torch.randn(2, 3, size, size)
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        net, (image,), dynamo=True, optimize=True, verbose=False,
        input_names=["image"], output_names=["scores"], dynamic_shapes=({0: batch},),
    )  # fmt: skip
    assert program is not None
    program.save(str(path), external_data=False)


def _torchvision(name: str) -> torch.nn.Module:
    if name in ("inception_v3", "googlenet"):
        return torchvision.models.get_model(name, weights=None, aux_logits=False, init_weights=True)
    return torchvision.models.get_model(name, weights=None)


def _spread(net: torch.nn.Module) -> None:
    """Statistics of batches and last layers that aren't 0 or 1, so that nothing goes unnoticed."""
    for part in net.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm) and part.running_var is not None:
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.6, 1.4)
        if isinstance(part, torch.nn.Linear) and not part.weight.any():
            torch.nn.init.normal_(part.weight, std=0.02)


if __name__ == "__main__":
    main()
