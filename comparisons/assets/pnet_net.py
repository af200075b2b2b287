"""MTCNN's proposal network as our own torch module, for ``pnet_net.py:net``.

Structure: Zhang et al., "Joint Face Detection and Alignment", arXiv 1604.02878, figure 2 (P-Net).
Parameter names follow the checkpoint of facenet-pytorch 2.6.0, so that it loads with strict keys.
"""

from __future__ import annotations

import torch
from torch import nn


class ProposalNet(nn.Module):
    """Fully convolutional, with a head for boxes and one for faces."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1 = nn.Conv2d(32, 2, 1)
        self.conv4_2 = nn.Conv2d(32, 4, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Propose faces.

        Args:
            image: (N, 3, H, W), float32, (x - 127.5) / 128, RGB.

        Returns:
            Box offsets (N, 4, H', W') and probabilities of no face and face (N, 2, H', W'),
            where H' is ceil((H - 2) / 2) - 4: 59 for 128.
        """
        x = self.pool1(self.prelu1(self.conv1(image)))
        x = self.prelu2(self.conv2(x))
        x = self.prelu3(self.conv3(x))
        return self.conv4_2(x), torch.softmax(self.conv4_1(x), dim=1)


def net() -> nn.Module:
    """Make the network, untrained, in evaluation mode."""
    return ProposalNet().eval()
