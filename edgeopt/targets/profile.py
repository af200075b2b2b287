"""Device profiles: TOML files read into frozen records.

A profile says how integers are encoded for the device's runtimes, what it can't run and why, what
it is, and what was published of its speed.
"""

from __future__ import annotations

import difflib
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from edgeopt.core.errors import UnsupportedError, UsageError
from edgeopt.core.precision import Format, Precision
from edgeopt.core.record import Record, read_toml
from edgeopt.targets.hardware import Accelerator, Budget, Count, Cpu, Memory, Published, Software
from edgeopt.targets.host import host_architecture, host_profile

DEFAULT_TARGET = "x86-64-vnni"
"""Without ``--target`` the encoding is this one's, never the host's, so that the same command
gives the same bytes on every machine."""


COMPUTE_CAPABILITIES = (
    *("7.5", "8.0", "8.6", "8.7", "8.9", "9.0", "10.0", "10.3", "11.0", "12.0", "12.1"),
)
"""Of the GPUs that TensorRT 10.3 to 11 supports, Turing being the oldest."""


HOST = "host"
"""This machine: the profile that its processor has."""


class Runtime(StrEnum):
    """What reads an artifact on the device."""

    ONNXRUNTIME = "onnxruntime"
    LITERT = "litert"
    TENSORRT = "tensorrt"


class TfliteRuntime(StrEnum):
    """What runs TFLite files on the device."""

    LITERT = "litert"
    MICRO = "tflite-micro"
    EDGE_TPU = "edge-tpu"


class TensorRule(Record, frozen=True):
    """How one kind of tensor is written as integers.

    Args:
        dtype: The integers' type.
        bits: How many of them are used.
        symmetric: Whether the zero point is fixed at the middle of the type's range (0 if signed).
        per_channel: Whether each output channel has a scale of its own.
        pair_limit: For weights: what two of one sign may add up to at most, where the kernels add
            their products in 16 bits; None where sums are exact.
    """

    dtype: Literal["uint8", "int8", "uint16", "int16"]
    bits: Literal[4, 7, 8, 16] = 8
    symmetric: bool = False
    per_channel: bool = False
    pair_limit: int | None = None

    def __post_init__(self) -> None:
        if (self.bits == 16) != self.dtype.endswith("16"):
            raise ValueError(f"{self.dtype} can't hold what uses {self.bits} bits of it")


class FixedEncoding(Record, frozen=True):
    """The only scale and zero point that a runtime takes for some operator's output.

    Args:
        scale: Reals a step of the integers.
        zero_point: The integer that stands for 0.
    """

    scale: float
    zero_point: int


class EncodingRules(Record, frozen=True):
    """A runtime's rules for integers on this device.

    Args:
        activation: Activations: one scale a tensor.
        weight: Constant weights of convolutions and matrix products.
        integer_bias: Whether biases are int32 with scale ``s_input * s_weight``; else float.
        runtime: What reads the artifact.
        wide: Activations at 16 bits; None where there are none.
        fixed: Outputs with a scale of their own, by ONNX operator.
        fixed_wide: The same at 16 bits.
        equal: ONNX operators whose inputs and output must have one scale between them.
        hybrid: Whether matrix products may round what they take when the model runs: LiteRT's
            hybrid kernels, which other runtimes of its files don't have.
        residual_sums: Whether additions before a LayerNormalization are written as Sum, which
            keeps ONNX Runtime from fusing the two into a slower kernel: where that was timed.
        masked_floors: Whether scores that a mask takes from a softmax get a floor, which spares
            ONNX Runtime denormal numbers: where that was timed.
        lacks: Precisions that the runtime doesn't have, and why.
    """

    activation: TensorRule
    weight: TensorRule
    integer_bias: bool = True
    runtime: Runtime = Runtime.ONNXRUNTIME
    wide: TensorRule | None = None
    fixed: dict[str, FixedEncoding] = msgspec.field(default_factory=dict)
    fixed_wide: dict[str, FixedEncoding] = msgspec.field(default_factory=dict)
    equal: tuple[str, ...] = ()
    hybrid: bool = True
    residual_sums: bool = False
    masked_floors: bool = False
    lacks: dict[Precision, str] = msgspec.field(default_factory=dict)

    def deciding(self, precision: Precision) -> tuple[object, ...]:
        """The rules that decide an artifact's bytes: equal ones give equal artifacts."""
        if precision.static:
            own = (self.activation, self.weight, self.integer_bias, self.fixed, self.equal)
            return *own, self.residual_sums, self.masked_floors, self.hybrid
        if precision is Precision.INT8_DYNAMIC:
            return self.weight, self.residual_sums, self.masked_floors
        if precision is Precision.INT16X8:
            return self.wide, self.integer_bias, self.fixed_wide
        return ()

    @property
    def lacking(self) -> dict[Precision, str]:
        """The precisions that can't be made by these rules, and why."""
        if self.wide is not None:
            return self.lacks
        return {Precision.INT16X8: "its profile has no activations of 16 bits", **self.lacks}

    @property
    def widened(self) -> EncodingRules:
        """The rules for int16x8: nothing adds products of 16 and 8 bits in 16."""
        assert self.wide is not None
        weight = msgspec.structs.replace(self.weight, bits=8, pair_limit=None)
        return msgspec.structs.replace(
            self, activation=self.wide, weight=weight, fixed=self.fixed_wide
        )


class Gpu(Record, frozen=True):
    """The graphics processor, where TensorRT runs on it.

    Args:
        compute_capability: As NVIDIA counts them: ``8.9``; empty for any from Ampere on.
    """

    compute_capability: str = ""

    def __post_init__(self) -> None:
        known = ", ".join(COMPUTE_CAPABILITIES)
        if self.compute_capability not in ("", *COMPUTE_CAPABILITIES):
            raise ValueError(
                f"TensorRT knows no compute capability {self.compute_capability!r} (it knows "
                f"{known})"
            )

    @property
    def name(self) -> str:
        """As TensorRT has it: ``SM89``; empty for any."""
        return f"SM{self.compute_capability.replace('.', '')}" if self.compute_capability else ""


class Profile(Record, frozen=True):
    """A target device.

    Args:
        name: How it is named on the command line.
        description: One line.
        encoding: The int8 rules of each format's runtime on it.
        like: Shipped profiles that give what this one doesn't say itself: encodings, the processor,
            what runs TFLite files, what is lacking, and the warning; the first that says it.
        tflite: What runs its TFLite files.
        cpu: The processor that computes; None where another device does.
        gpu: What TensorRT runs on; None without one.
        warning: Said when artifacts are made for it, such as where they would be wrong.
        without: Formats that nothing on it runs, and why.
        lacks: Precisions that it doesn't compute in any format, and why.
        accelerator: What computes besides the processor.
        memory: Its memory.
        software: Systems that its vendor has for it.
        threads: Threads that suit it.
        budget: What an artifact may cost there.
        address: Where one is: ``ssh://user@host`` or ``adb://serial``.
        binaries: The native programs that measure there instead of Python, by the format they run:
            files of this machine, built for the device.
        published: Latencies that others measured, with their sources.
    """

    name: str
    description: str
    encoding: dict[Format, EncodingRules] = msgspec.field(default_factory=dict)
    like: tuple[str, ...] = ()
    tflite: TfliteRuntime = TfliteRuntime.LITERT
    cpu: Cpu | None = None
    gpu: Gpu | None = None
    warning: str = ""
    without: dict[Format, str] = msgspec.field(default_factory=dict)
    lacks: dict[Precision, str] = msgspec.field(default_factory=dict)
    accelerator: Accelerator | None = None
    memory: Memory | None = None
    software: tuple[Software, ...] = ()
    threads: Count = 1
    budget: Budget = Budget()
    address: str = ""
    binaries: dict[Format, str] = msgspec.field(default_factory=dict)
    published: tuple[Published, ...] = ()

    @property
    def formats(self) -> tuple[Format, ...]:
        """What it runs."""
        gpu = {Format.TENSORRT} if self.gpu is None else set()
        return tuple(f for f in self.encoding if f not in self.without and f not in gpu)

    @property
    def usual_formats(self) -> tuple[Format, ...]:
        """What is made for it if nothing is asked for: ONNX, where it runs that."""
        return (Format.ONNX,) if Format.ONNX not in self.without else self.formats

    def precisions(self, fmt: Format) -> tuple[Precision, ...]:
        """The precisions that it runs in a format."""
        lacking = {**self.rules(fmt).lacking, **self.lacks}
        return tuple(p for p in Precision if p not in lacking)

    @property
    def exact_sums(self) -> bool:
        """Whether it adds 8-bit products exactly; x86 without VNNI does so in 16 bits."""
        if self.cpu is None or self.cpu.arch != "x86_64":
            return True
        return bool({"avx512_vnni", "avx_vnni"} & {*self.cpu.features})

    def runs_here(self, fmt: Format) -> bool:
        """Whether this machine's runtime makes of an artifact what the target's does."""
        ours = self.cpu is not None and self.cpu.arch == host_architecture()
        return ours and self.rules(fmt).runtime is not Runtime.TENSORRT

    def check(self, fmt: Format, precision: Precision, *, wide: bool = False) -> None:
        """Refuse a precision that the target's runtime doesn't have.

        Args:
            fmt: The format.
            precision: The precision.
            wide: Whether some activations of an int8 artifact are to have 16 bits.

        Raises:
            UnsupportedError: Says why, and names those that it has.
            UsageError: If the profile has no encoding for the format.
        """
        if fmt in self.without:
            raise UnsupportedError(
                f"target {self.name!r} runs no {fmt.value}: {self.without[fmt]}",
                hint=f"it runs: {', '.join(self.formats)}",
            )
        if fmt is Format.TENSORRT and self.gpu is None:
            raise UsageError(
                f"an engine is built for one GPU, and target {self.name!r} has none",
                hint=f"name a target that has one: {', '.join(_with_gpu())}",
            )
        if not precision.quantizes and precision not in self.lacks:
            return
        lacking = {**self.rules(fmt).lacking, **self.lacks}
        if wide and precision.static and Precision.INT16X8 in lacking:
            raise UnsupportedError(
                f"target {self.name!r} keeps no layer at 16 bits: {lacking[Precision.INT16X8]}",
                hint="--keep-float does",
            )
        if precision in lacking:
            raise UnsupportedError(
                f"target {self.name!r} has no {precision.value} {fmt.value}: {lacking[precision]}",
                hint=f"it has: {', '.join(p for p in Precision if p not in lacking)}",
            )

    def rules(self, fmt: Format) -> EncodingRules:
        """The int8 rules for a format.

        Raises:
            UsageError: If the profile has none.
        """
        if fmt not in self.encoding:
            raise UsageError(
                f"target {self.name!r} has no int8 encoding for {fmt.value}",
                hint=f"it has: {', '.join(f.value for f in self.encoding) or 'none'}",
            )
        return self.encoding[fmt]


def shipped_targets() -> list[str]:
    """The names of the profiles that come with EdgeOpt."""
    folder = resources.files("edgeopt.targets") / "profiles"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def known_targets() -> list[str]:
    """Every name that ``--target`` takes."""
    return [*shipped_targets(), HOST]


def load_target(name: str) -> Profile:
    """Read a shipped profile by name, or the user's own by its path (``./board.toml``).

    Raises:
        UsageError: If there is none of that name (suggests the nearest), or the file isn't valid.
    """
    if name.endswith(".toml"):
        profile = read_toml(Path(name), Profile)
        for other in profile.like:
            if other not in shipped_targets():
                raise UsageError(f"{name}: `like`: no target called {other!r}", hint=_meant(other))
        return _completed(profile)
    if name == HOST:
        # Others' latencies are those of their machines.
        found = load_target(host_profile())
        return msgspec.structs.replace(found, name=HOST, warning="", published=())
    if name not in known_targets():
        raise UsageError(
            f"no target called {name!r}",
            hint=_device(name) or f"{_meant(name)}; or name a TOML file",
        )
    with resources.as_file(
        resources.files("edgeopt.targets") / "profiles" / f"{name}.toml"
    ) as path:
        return _completed(read_toml(path, Profile))


def _device(name: str) -> str:
    """How a device's address is written, to who seems to have meant one; empty for others."""
    if "@" not in name and not name.startswith(("ssh:", "adb:")):
        return ""
    return "a device is written ssh://user@host or raspberry-pi-5@ssh://user@host, a phone adb://serial"


def _meant(name: str) -> str:
    known = known_targets()
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}known: {', '.join(known)}"


def _completed(profile: Profile) -> Profile:
    for name in profile.like:
        other = load_target(name)
        profile = msgspec.structs.replace(
            profile,
            encoding={**other.encoding, **profile.encoding},
            cpu=profile.cpu or other.cpu,
            warning=profile.warning or other.warning,
            without={**other.without, **profile.without},
            lacks={**other.lacks, **profile.lacks},
            tflite=other.tflite if profile.tflite is TfliteRuntime.LITERT else profile.tflite,
        )
    return profile


def _with_gpu() -> list[str]:
    return [name for name in shipped_targets() if load_target(name).gpu is not None]
