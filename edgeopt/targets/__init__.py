"""What a model must run on: device profiles, and how each wants its integers encoded."""

from edgeopt.targets.host import host_architecture
from edgeopt.targets.profile import (
    DEFAULT_TARGET,
    EncodingRules,
    FixedEncoding,
    Gpu,
    Profile,
    Runtime,
    TensorRule,
    TfliteRuntime,
    known_targets,
    load_target,
)

__all__ = [
    "DEFAULT_TARGET",
    "EncodingRules",
    "FixedEncoding",
    "Gpu",
    "Profile",
    "Runtime",
    "TensorRule",
    "TfliteRuntime",
    "host_architecture",
    "known_targets",
    "load_target",
]
