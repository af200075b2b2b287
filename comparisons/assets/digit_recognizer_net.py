"""The digit recognizer as our own torch module, for ``digit_recognizer_net.py:net``.

Three 3x3 convolutions with ReLU and 2x2 maximum pooling, then two dense layers. Parameter names
follow the checkpoint of digit-recognizer-py 0.1.0, so that it loads with strict keys.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

CHANNELS = (1, 32, 64, 128)
FEATURES = CHANNELS[-1] * 3 * 3
HIDDEN = 256
DIGITS = 10


class DigitRecognizer(nn.Module):
    """Convolutions and dense layers in two sequences."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(CHANNELS):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.conv_layers = nn.Sequential(*layers)
        self.fc_layers = nn.Sequential(
            nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIGITS)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (N, 1, 28, 28), float32, (x / 255 - 0.1307) / 0.3081, to logits (N, 10)."""
        return self.fc_layers(torch.flatten(self.conv_layers(image), 1))


def net() -> nn.Module:
    """Make the network, untrained, in evaluation mode."""
    return DigitRecognizer().eval()
