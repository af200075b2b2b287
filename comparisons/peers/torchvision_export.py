"""Export architectures with random weights to ONNX, in the environment of torchvision and timm.

    .cache/torchvision/bin/python peers/torchvision_export.py FOLDER NAME...

A name is ``timm/NAME``, ``small/NAME`` of ``small_nets.py``, or torchvision's. Files that are there
already are kept. Beside each is its program, ``NAME.pt2``, if ``--programs`` comes first.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import torch
import torchvision
from small_nets import NETS
from torch import Tensor, nn

SIZES = {"inception_v3": 299, "inception_v4": 299, "inception_resnet_v2": 299}
SEGMENTING = ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50")
DETECTING = ("ssdlite320_mobilenet_v3_large",)


def main() -> None:
    """Export what is named; what fails is told and left out."""
    programs = sys.argv[1] == "--programs"
    folder, *names = sys.argv[2 if programs else 1 :]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        path = Path(folder) / f"{name.replace('/', '-')}.{'pt2' if programs else 'onnx'}"
        if path.exists():
            continue
        try:
            export(name, path)
        except Exception as error:  # noqa: BLE001 - exporters raise anything
            traceback.print_exc(limit=1)
            print(f"{name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)


def export(name: str, path: Path) -> None:
    """One architecture, for a batch of any size; a program for a batch of 1."""
    torch.manual_seed(0)
    net, given = made(name)
    net = net.eval()
    _spread(net)
    if path.suffix == ".pt2":
        torch.export.save(torch.export.export(net, tuple(g[:1] for g in given)), path)
        return
    batch = torch.export.Dim("batch")
    names = ["image"] if len(given) == 1 else [f"input_{n}" for n in range(len(given))]
    program = torch.onnx.export(
        net, given, dynamo=True, optimize=True, verbose=False,
        input_names=names, dynamic_shapes=tuple({0: batch} for _ in given),
    )  # fmt: skip
    assert program is not None
    program.save(str(path), external_data=False)


def made(name: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A net, and what it takes at a batch of 2."""
    maker, short = name.split("/") if "/" in name else ("torchvision", name)
    if maker == "small":
        return NETS[short]()
    if maker == "timm":
        import timm

        net = timm.create_model(short, pretrained=False)
        return net, (_images(net.default_cfg["input_size"][-1]),)
    if short in SEGMENTING:
        found = torchvision.models.get_model(short, weights=None, weights_backbone=None)
        return _Segmenting(found), (_images(224),)
    if short in DETECTING:
        found = torchvision.models.get_model(short, weights=None, weights_backbone=None)
        return _Detecting(found), (_images(320),)
    return _torchvision(short), (_images(SIZES.get(short, 224)),)


def _images(size: int) -> Tensor:
    return torch.randn(2, 3, size, size)


def _torchvision(name: str) -> nn.Module:
    if name in ("inception_v3", "googlenet"):
        return torchvision.models.get_model(name, weights=None, aux_logits=False, init_weights=True)
    return torchvision.models.get_model(name, weights=None)


class _Segmenting(nn.Module):
    """Scores of classes for each pixel."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.net(image)["out"]
        return found


class _Detecting(nn.Module):
    """Boxes and scores of every anchor, before they are decoded and sorted out."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = net.backbone, net.head

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        found = self.head(list(self.backbone(image).values()))
        return found["bbox_regression"], found["cls_logits"]


def _spread(net: nn.Module) -> None:
    """Statistics of batches and last layers that aren't 0 or 1, so that nothing goes unnoticed."""
    for part in net.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_var is not None:
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.6, 1.4)
        if isinstance(part, nn.Linear) and not part.weight.any():
            nn.init.normal_(part.weight, std=0.02)


if __name__ == "__main__":
    main()
