"""EfficientNet-Lite0 as our own torch module, for ``efficientnet_lite0_net.py:net``.

Structure: the published Lite0 table (EfficientNet, arXiv 1905.11946, without squeeze-and-
excitation, with ReLU6). Parameter names follow the checkpoint, so that it loads with strict keys.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn


class Stage(NamedTuple):
    """One row of the table: ``repeats`` blocks, of which the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280
CLASSES = 1000


class SameConv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow's SAME for even heights and widths."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        symmetric = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, symmetric, groups=groups, bias=False)
        before = (kernel - stride) // 2
        after = kernel - stride - before
        self.before_after = (before, after, before, after) if stride > 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, K, ceil(H / stride), ceil(W / stride))."""
        if self.before_after is not None:
            x = nn.functional.pad(x, self.before_after)
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Inverted bottleneck: expand, depthwise, project, and a residual where shapes allow it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = SameConv(inputs, wide, 1)
            self._bn0 = _norm(wide)
        self._depthwise_conv = SameConv(wide, wide, kernel, stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = SameConv(wide, outputs, 1)
        self._bn2 = _norm(outputs)
        self.activation = nn.ReLU6()
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = x
        if self.expands:
            y = self.activation(self._bn0(self._expand_conv(y)))
        y = self.activation(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.residual else y


def _blocks() -> nn.ModuleList:
    blocks = nn.ModuleList()
    inputs = STEM_CHANNELS
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            blocks.append(Block(inputs, stage.channels, stage.kernel, stride, stage.expansion))
            inputs = stage.channels
    return blocks


class EfficientNetLite0(nn.Module):
    """Stem, 16 blocks, head, mean over the picture, one dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, STEM_CHANNELS, 3, stride=2)
        self._bn0 = _norm(STEM_CHANNELS)
        self._blocks = _blocks()
        self._conv_head = SameConv(STAGES[-1].channels, HEAD_CHANNELS, 1)
        self._bn1 = _norm(HEAD_CHANNELS)
        self._fc = nn.Linear(HEAD_CHANNELS, CLASSES)
        self.activation = nn.ReLU6()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Image (N, 3, 224, 224), float32, (x - 127) / 128, RGB, to logits (N, 1000)."""
        x = self.activation(self._bn0(self._conv_stem(image)))
        for block in self._blocks:
            x = block(x)
        x = self.activation(self._bn1(self._conv_head(x)))
        return self._fc(torch.flatten(self.pool(x), 1))


def net() -> nn.Module:
    """Make the network, untrained, in evaluation mode."""
    return EfficientNetLite0().eval()
