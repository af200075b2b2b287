"""Train a small MobileNetV2-like network on Fashion-MNIST and write the example's files.

    python train.py --data DIR        # DIR holds the four *-ubyte.gz files

Written to ``--output`` (this script's folder unless told otherwise):

* ``model.pt2``            the trained network, a ``torch.export`` archive with a dynamic batch
* ``weights.safetensors``  the same weights, to be loaded into ``net()`` of this file
* ``calibration.npz``      256 training images: ``image`` uint8 (256, 1, 28, 28)
* ``test.npz``             2,000 test images: ``image`` uint8 (2000, 1, 28, 28), ``labels`` int64

The network takes pixels as they are, 0..255, and normalizes them itself, so that no program that
feeds it can get the preprocessing wrong.
"""

from __future__ import annotations

import argparse
import gzip
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

CLASSES = 10
SIDE = 28
CALIBRATION_IMAGES = 256
TEST_IMAGES = 2000
BATCH = 64
PEAK_LEARNING_RATE = 0.15
WEIGHT_DECAY = 5e-4
LABEL_SMOOTHING = 0.05
MAX_SHIFT = 2  # pixels

# Mean and standard deviation of the training images' pixels, on the 0..255 scale.
PIXEL_MEAN = 72.94
PIXEL_STD = 90.02


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Return a convolution without a bias and the batch normalization that supplies it."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """MobileNetV2's block: expand, filter each channel alone, project; add the input if it fits.

    (N, inputs, H, W) -> (N, outputs, H / stride, W / stride).
    Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", section 3.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [*conv_bn(inputs, hidden, 1), nn.ReLU6()]
        layers += [*conv_bn(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6()]
        layers += conv_bn(hidden, outputs, 1)
        self.body = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class FashionNet(nn.Module):
    """Pixels float32 (N, 1, 28, 28), 0..255 -> class scores (logits) float32 (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *conv_bn(1, 32, 3),
            nn.ReLU6(),
            InvertedResidual(32, 64, stride=2, expansion=1),
            InvertedResidual(64, 64, stride=1, expansion=3),
            InvertedResidual(64, 64, stride=1, expansion=3),
            InvertedResidual(64, 96, stride=2, expansion=3),
            InvertedResidual(96, 96, stride=1, expansion=3),
            *conv_bn(96, 192, 1),
            nn.ReLU6(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(192, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Return the scores of a batch of images."""
        x = (image - PIXEL_MEAN) / PIXEL_STD
        scores: Tensor = self.classifier(self.pool(self.features(x)).flatten(1))
        return scores


def net() -> nn.Module:
    """Return the network with untrained weights: the factory that ``weights.safetensors`` fits."""
    return FashionNet()


@dataclass(frozen=True, eq=False)
class Split:
    """Images uint8 (N, 1, 28, 28) and their labels int64 (N,)."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def read_split(folder: Path, prefix: str) -> Split:
    """Read one split (``train`` or ``t10k``) of the data set in its IDX format."""
    images = gzip.decompress((folder / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())
    return Split(
        images=np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, SIDE, SIDE),
        labels=np.frombuffer(labels, np.uint8, offset=8).astype(np.int64),
    )


def balanced(split: Split, count: int, seed: int) -> Split:
    """Return ``count`` images drawn from each class in turn: class sizes differ by one at most."""
    order = np.random.default_rng(seed).permutation(len(split.labels))
    by_class = [order[split.labels[order] == label] for label in range(CLASSES)]
    chosen = np.array([by_class[i % CLASSES][i // CLASSES] for i in range(count)])
    return Split(split.images[chosen], split.labels[chosen])


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images and shift each by up to ``MAX_SHIFT`` pixels; same shape."""
    count = len(images)
    mirror = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    images = torch.where(mirror, images.flip(3), images)
    padded = nn.functional.pad(images, [MAX_SHIFT] * 4)
    shift = torch.randint(2 * MAX_SHIFT + 1, (2, count, 1), generator=generator)
    rows, columns = shift + torch.arange(SIDE)
    sample = torch.arange(count).view(-1, 1, 1)
    return padded[sample, 0, rows.unsqueeze(2), columns.unsqueeze(1)].unsqueeze(1)


def train(model: nn.Module, data: Split, epochs: int, seed: int) -> None:
    """Train in place: SGD under a one-cycle learning rate."""
    generator = torch.Generator().manual_seed(seed)
    images, labels = torch.tensor(data.images), torch.tensor(data.labels)
    steps = len(labels) // BATCH
    optimizer = torch.optim.SGD(
        model.parameters(),
        PEAK_LEARNING_RATE,
        momentum=0.9,
        weight_decay=WEIGHT_DECAY,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_LEARNING_RATE, total_steps=epochs * steps, pct_start=0.2
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
    model.train().to(memory_format=torch.channels_last)  # the quicker layout on a CPU
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        for batch in torch.randperm(len(labels), generator=generator)[: steps * BATCH].split(BATCH):
            pixels = augment(images[batch], generator).float()
            loss = criterion(model(pixels), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - start
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {seconds:.0f} s", flush=True)
    model.eval().to(memory_format=torch.contiguous_format)


@torch.no_grad()
def accuracy(model: nn.Module, data: Split) -> float:
    """Return the fraction of images whose highest score is their label's."""
    batches = torch.tensor(data.images).split(500)
    predicted = torch.cat([model(batch.float()).argmax(1) for batch in batches])
    return float((predicted == torch.tensor(data.labels)).double().mean())


def name_output(program: ExportedProgram, name: str) -> None:
    """Rename the program's only output: exporters name theirs after it."""
    graph = program.graph
    (current,) = program.graph_signature.user_outputs
    old = next(node for node in graph.nodes if node.name == current)
    with graph.inserting_after(old):
        new = graph.create_node(old.op, old.target, old.args, old.kwargs, name=name)
    new.meta = old.meta
    old.replace_all_uses_with(new)
    graph.erase_node(old)
    program.graph_signature.replace_all_uses(old.name, new.name)


def export(model: nn.Module) -> ExportedProgram:
    """Return the network as a graph: ``image`` (batch, 1, 28, 28) -> ``scores`` (batch, 10)."""
    example = torch.zeros(2, 1, SIDE, SIDE)
    program = torch.export.export(model, (example,), dynamic_shapes={"image": {0: Dim("batch")}})
    name_output(program, "scores")
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # holds the paths of the machine that exported it
    return program


def save(model: nn.Module, training: Split, test: Split, output: Path) -> None:
    """Write the four files that this script's docstring lists."""
    output.mkdir(parents=True, exist_ok=True)
    torch.export.save(export(model), output / "model.pt2")
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, output / "weights.safetensors")
    calibration = balanced(training, CALIBRATION_IMAGES, seed=0)
    np.savez_compressed(output / "calibration.npz", image=calibration.images)
    np.savez_compressed(output / "test.npz", image=test.images, labels=test.labels)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the *-ubyte.gz files")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="other counts round differently")
    return parser.parse_args()


def main() -> None:
    """Train, report the accuracy and save."""
    options = parse_arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    training, full_test = read_split(options.data, "train"), read_split(options.data, "t10k")
    test = balanced(full_test, TEST_IMAGES, seed=0)
    model = net()
    start = time.perf_counter()
    train(model, training, options.epochs, options.seed)
    print(f"trained in {time.perf_counter() - start:.0f} s")
    print(f"accuracy on all 10,000 test images: {accuracy(model, full_test):.2%}")
    print(f"accuracy on the {TEST_IMAGES:,} of test.npz: {accuracy(model, test):.2%}")
    save(model, training, test, options.output)


if __name__ == "__main__":
    main()
