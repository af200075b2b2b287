"""Structures that torchvision and timm have no net of: small, with random weights.

Dense prediction, detection up to its boxes and scores, audio, recurrent nets and an encoder of
text. Needs torch alone; :data:`NETS` gives each with what it takes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Made = tuple[nn.Module, tuple[Tensor, ...]]


def _double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_layer(inputs, outputs, nn.ReLU()), *_layer(outputs, outputs, nn.ReLU()))


def _layer(inputs: int, outputs: int, act: nn.Module, size: int = 3, step: int = 1) -> list:  # type: ignore[type-arg]
    conv = nn.Conv2d(inputs, outputs, size, step, size // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs), act]


class UNet(nn.Module):
    """Four levels down and up again; upwards by ConvTranspose, or by bilinear resizing."""

    def __init__(self, *, resized: bool = False, width: int = 16) -> None:
        super().__init__()
        widths = [width * 2**n for n in range(4)]
        self.down = nn.ModuleList(_double(i, o) for i, o in zip([3, *widths], widths, strict=False))
        self.pool = nn.MaxPool2d(2)
        self.rise = nn.ModuleList(_rise(2 * w, w, resized) for w in widths[2::-1])
        self.up = nn.ModuleList(_double(2 * w, w) for w in widths[2::-1])
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """``(N, 3, H, W)`` to scores of two classes a pixel, ``(N, 2, H, W)``."""
        kept: list[Tensor] = []
        for n, block in enumerate(self.down):
            image = block(image if n == 0 else self.pool(image))
            kept.append(image)
        for rise, block, skip in zip(self.rise, self.up, kept[2::-1], strict=True):
            image = block(torch.cat([skip, rise(image)], 1))
        found: Tensor = self.last(image)
        return found


def _rise(inputs: int, outputs: int, resized: bool) -> nn.Module:
    if not resized:
        return nn.ConvTranspose2d(inputs, outputs, 2, 2)
    larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return nn.Sequential(larger, nn.Conv2d(inputs, outputs, 1))


class Yolo(nn.Module):
    """A one-stage detector in the manner of YOLOv8, up to boxes and scores before NMS."""

    def __init__(self, classes: int = 10, bins: int = 8) -> None:
        super().__init__()
        self.classes, self.bins = classes, bins
        act = nn.SiLU()
        self.stem = nn.Sequential(*_layer(3, 16, act, step=2), *_layer(16, 32, act, step=2))
        self.split = nn.Sequential(*_layer(32, 32, act, 1))
        self.inner = nn.Sequential(*_layer(16, 16, act), *_layer(16, 16, act))
        self.fine = nn.Sequential(*_layer(48, 64, act, step=2))
        self.coarse = nn.Sequential(*_layer(64, 64, act, step=2))
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.pooled = nn.Sequential(*_layer(64 * 3, 64, act, 1))
        self.rise = nn.Upsample(scale_factor=2, mode="nearest")
        self.joined = nn.Sequential(*_layer(128, 64, act))
        self.boxes = nn.ModuleList(nn.Conv2d(64, 4 * bins, 1) for _ in range(2))
        self.scores = nn.ModuleList(nn.Conv2d(64, classes, 1) for _ in range(2))
        self.register_buffer("steps", torch.arange(bins, dtype=torch.float32).view(1, 1, bins, 1))
        self.register_buffer("centres", _centres(((20, 8.0), (10, 16.0))))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, 3, 160, 160)`` to boxes in pixels ``(N, 4, 500)`` and scores ``(N, 10, 500)``."""
        first, second = self.split(self.stem(image)).chunk(2, 1)
        fine = self.fine(torch.cat([first, second, second + self.inner(second)], 1))
        coarse = self.coarse(fine)
        once = self.pool(coarse)
        coarse = self.pooled(torch.cat([coarse, once, self.pool(once)], 1))
        fine = self.joined(torch.cat([fine, self.rise(coarse)], 1))
        levels = (fine, coarse)
        sides = torch.cat([h(x).flatten(2) for h, x in zip(self.boxes, levels, strict=True)], 2)
        scores = torch.cat([h(x).flatten(2) for h, x in zip(self.scores, levels, strict=True)], 2)
        return self._boxes(sides), scores.sigmoid()

    def _boxes(self, sides: Tensor) -> Tensor:
        """The mean of each side's distribution over distances, as corners around the centres."""
        count = sides.shape[2]
        likely = sides.view(-1, 4, self.bins, count).softmax(2)
        before, after = (likely * self.steps).sum(2).chunk(2, 1)
        centres, stride = self.centres[:, :2], self.centres[:, 2:]
        low, high = centres - before, centres + after
        return torch.cat([(low + high) / 2, high - low], 1) * stride


def _centres(levels: tuple[tuple[int, float], ...]) -> Tensor:
    found = []
    for size, stride in levels:
        ys, xs = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        places = torch.stack([xs, ys]).flatten(1) + 0.5
        found.append(torch.cat([places, torch.full((1, size * size), stride)]))
    return torch.cat(found, 1)[None]


class SuperResolution(nn.Module):
    """PReLU and PixelShuffle, in the manner of ESPCN and FSRCNN."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 5, padding=2), nn.PReLU(32),
            nn.Conv2d(32, 32, 3, padding=1), nn.PReLU(32),
            nn.Conv2d(32, 3 * 9, 3, padding=1), nn.PixelShuffle(3),
        )  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:
        """``(N, 3, 64, 64)`` to ``(N, 3, 192, 192)``."""
        found: Tensor = self.layers(image)
        return found


class Style(nn.Module):
    """Reflected edges, InstanceNorm, GroupNorm and nearest resizing, as nets of style have."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Sequential(
            nn.ReflectionPad2d(4), nn.Conv2d(3, 16, 9), nn.InstanceNorm2d(16, affine=True),
            nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.GroupNorm(4, 32), nn.ReLU(),
        )  # fmt: skip
        self.inner = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(32, 32, 3), nn.InstanceNorm2d(32, affine=True),
        )  # fmt: skip
        self.out = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(32, 3, 3), nn.Tanh()
        )

    def forward(self, image: Tensor) -> Tensor:
        """``(N, 3, 96, 96)`` to the same."""
        hidden = self.into(image)
        found: Tensor = self.out(hidden + self.inner(hidden))
        return found


class Waves(nn.Module):
    """One-dimensional convolutions over a waveform, in the manner of M5."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, size, step in (
            (1, 32, 80, 4), (32, 32, 3, 1), (32, 64, 3, 1), (64, 128, 3, 1),
        ):  # fmt: skip
            layers += [nn.Conv1d(inputs, outputs, size, step), nn.BatchNorm1d(outputs)]
            layers += [nn.ReLU(), nn.MaxPool1d(4)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(128, 12)

    def forward(self, sound: Tensor) -> Tensor:
        """``(N, 1, 8000)`` to scores ``(N, 12)``."""
        found: Tensor = self.last(self.layers(sound).mean(2))
        return found


class Keywords(nn.Module):
    """Separable convolutions along time over 40 bands (DS-CNN, MatchboxNet)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(40, 64, 5, padding=2), nn.ReLU()]
        for spread in (1, 2, 4):
            layers += [
                nn.Conv1d(64, 64, 9, padding=4 * spread, dilation=spread, groups=64),
                nn.Conv1d(64, 64, 1), nn.BatchNorm1d(64), nn.ReLU(),
            ]  # fmt: skip
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(64, 12)

    def forward(self, bands: Tensor) -> Tensor:
        """``(N, 40, 101)`` to scores ``(N, 12)``."""
        found: Tensor = self.last(self.layers(bands).mean(2))
        return found


class Recurrent(nn.Module):
    """Two layers of an LSTM or GRU over 40 bands at 49 times."""

    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.cells = kind(40, 64, num_layers=2, batch_first=True)
        self.last = nn.Linear(64, 12)

    def forward(self, bands: Tensor) -> Tensor:
        """``(N, 49, 40)`` to scores ``(N, 12)``."""
        found: Tensor = self.last(self.cells(bands)[0][:, -1])
        return found


class Text(nn.Module):
    """Two layers of BERT over 64 words, with the mask that its exporters write."""

    def __init__(self, width: int = 128, heads: int = 4, words: int = 1000) -> None:
        super().__init__()
        self.heads = heads
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(64, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(2))
        self.last = nn.Linear(width, width)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Words ``(N, 64)`` and which of them count, to a vector ``(N, 128)``."""
        hidden = self.norm(self.words(ids) + self.places(torch.arange(ids.shape[1])))
        bias = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        for layer in self.layers:
            hidden = layer(hidden, bias)
        return torch.tanh(self.last(hidden[:, 0]))


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.three = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """``(N, L, width)`` to the same."""
        batch, count, width = hidden.shape
        q, k, v = (
            part(hidden).view(batch, count, self.heads, -1).transpose(1, 2) for part in self.three
        )
        scores = q @ k.transpose(2, 3) / (width // self.heads) ** 0.5 + bias
        seen = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, count, width)
        hidden = self.norms[0](hidden + self.out(seen))
        found: Tensor = self.norms[1](hidden + self.outer(nn.functional.gelu(self.inner(hidden))))
        return found


def _words() -> tuple[Tensor, ...]:
    return torch.randint(1, 1000, (2, 64)), (torch.rand(2, 64) > 0.2).long()


NETS: dict[str, Callable[[], Made]] = {
    "unet": lambda: (UNet(), (torch.randn(2, 3, 160, 160),)),
    "unet_resized": lambda: (UNet(resized=True), (torch.randn(2, 3, 160, 160),)),
    "yolo": lambda: (Yolo(), (torch.randn(2, 3, 160, 160),)),
    "super_resolution": lambda: (SuperResolution(), (torch.randn(2, 3, 64, 64),)),
    "style": lambda: (Style(), (torch.randn(2, 3, 96, 96),)),
    "waves": lambda: (Waves(), (torch.randn(2, 1, 8000),)),
    "keywords": lambda: (Keywords(), (torch.randn(2, 40, 101),)),
    "lstm": lambda: (Recurrent(nn.LSTM), (torch.randn(2, 49, 40),)),
    "gru": lambda: (Recurrent(nn.GRU), (torch.randn(2, 49, 40),)),
    "text": lambda: (Text(), _words()),
}
"""By name: the net and what it takes, at a batch of 2."""
