"""torchvision's and timm's architectures and a few small structures, exported with random weights.

Each is exported to ONNX in an environment of its own (``peers/torchvision.txt``, 5.6 GB), with a
batch of any size, and kept in ``.cache/architectures``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from environments import HERE, python

FOLDER = HERE / ".cache" / "architectures"

FAMILIES = {
    "AlexNet, VGG": ("alexnet", "vgg11", "vgg16_bn", "timm/vgg11_bn", "timm/repvgg_a0"),
    "ResNet, ResNeXt": (
        "resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d", "timm/resnet26d",
        "timm/seresnet50", "timm/resnext26ts",
    ),
    "MobileNet, MNASNet": (
        "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "mnasnet1_0",
        "timm/mobilenetv2_100", "timm/mobilenetv3_small_100", "timm/mobilenetv4_conv_small",
        "timm/hardcorenas_a", "timm/fbnetc_100", "timm/mixnet_s", "timm/ghostnet_100",
    ),
    "EfficientNet": (
        "efficientnet_b0", "efficientnet_v2_s", "timm/efficientnet_lite0",
        "timm/tf_efficientnet_lite0", "timm/tf_efficientnet_b0",
    ),
    "RegNet": ("regnet_x_400mf", "regnet_y_400mf", "timm/regnety_002"),
    "ShuffleNet": ("shufflenet_v2_x0_5", "shufflenet_v2_x1_0"),
    "SqueezeNet": ("squeezenet1_0", "squeezenet1_1"),
    "DenseNet": ("densenet121", "densenet169", "timm/densenet121"),
    "Inception": ("inception_v3", "googlenet", "timm/inception_v3"),
    "ConvNeXt": ("convnext_tiny", "timm/convnext_atto", "timm/convnextv2_atto"),
    "vision transformers and mixers": (
        "vit_b_16", "swin_t", "maxvit_t", "timm/deit_tiny_patch16_224",
        "timm/vit_tiny_patch16_224", "timm/xcit_nano_12_p16_224", "timm/mixer_s16_224",
        "timm/resmlp_12_224", "timm/poolformer_s12",
    ),
    "mixtures of both": (
        "timm/mobilevit_xxs", "timm/edgenext_xx_small", "timm/levit_128s",
        "timm/efficientformer_l1", "timm/fastvit_t8",
    ),
    "segmentation": (
        "lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "small/unet",
        "small/unet_resized",
    ),
    "detection": ("ssdlite320_mobilenet_v3_large", "small/yolo"),
    "images to images": ("small/super_resolution", "small/style"),
    "audio": ("small/waves", "small/keywords", "small/lstm", "small/gru"),
    "text": ("small/text",),
}  # fmt: skip
"""``timm/NAME``; ``small/NAME`` of ``peers/small_nets.py``; else torchvision's."""

NAMES = tuple(name for names in FAMILIES.values() for name in names)


CONVOLUTIONAL = tuple(
    name
    for family in (
        "AlexNet, VGG", "ResNet, ResNeXt", "MobileNet, MNASNet", "EfficientNet", "RegNet",
        "SqueezeNet", "DenseNet", "Inception",
    )
    for name in FAMILIES[family]
)  # fmt: skip
"""Classifiers of nothing but convolutions: ShuffleNet's shuffle is a transpose of its own."""

CLASSIFIERS = (*CONVOLUTIONAL, *FAMILIES["ShuffleNet"], *FAMILIES["ConvNeXt"])


def exported(name: str) -> Path:
    """Where an architecture's ONNX is, once it was exported."""
    return FOLDER / f"{name.replace('/', '-')}.onnx"


def export(names: Sequence[str]) -> None:
    """Export what isn't there yet; what the exporter fails on is missing afterwards.

    Raises:
        EnvironmentUnavailableError: If torchvision's environment can't be made.
    """
    _run([name for name in names if not exported(name).exists()])


def programs(names: Sequence[str]) -> None:
    """Export programs, ``.pt2``, for a batch of 1, beside the ONNX files.

    Raises:
        EnvironmentUnavailableError: If torchvision's environment can't be made.
    """
    lacking = [name for name in names if not exported(name).with_suffix(".pt2").exists()]
    _run(lacking, "--programs")


def _run(names: Sequence[str], *options: str) -> None:
    if names:
        script = str(HERE / "peers" / "torchvision_export.py")
        command = [str(python("torchvision")), script, *options, str(FOLDER), *names]
        subprocess.run(command, check=True)
