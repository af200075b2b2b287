"""The processors that can be emulated, as their boards describe them."""

from __future__ import annotations

from edgeopt.core.record import Record


class Core(Record, frozen=True):
    """An ARM core.

    Args:
        part: Its number in ``/proc/cpuinfo``.
        variant: Its major revision there.
        revision: Its minor revision there.
        features: Its instruction sets there, as a board's kernel lists them.
    """

    part: str
    variant: str
    revision: int
    features: str

    def cpuinfo(self, processors: int) -> str:
        """A ``/proc/cpuinfo`` of that many of them."""
        return "".join(
            f"processor\t: {number}\nBogoMIPS\t: 100.00\nFeatures\t: {self.features}\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: {self.variant}\n"
            f"CPU part\t: {self.part}\nCPU revision\t: {self.revision}\n\n"
            for number in range(processors)
        )


CORES = {
    "cortex-a72": Core("0xd08", "0x0", 3, "fp asimd evtstrm crc32 cpuid"),
    "cortex-a76": Core(
        *("0xd0b", "0x4", 1),
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
        "dcpop asimddp",
    ),
}
"""By QEMU's names; a Raspberry Pi 4 has the first, a Raspberry Pi 5 the second."""
