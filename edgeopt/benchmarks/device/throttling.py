"""Whether the machine holds its processor back: flags of a Raspberry Pi, counters of x86."""

from __future__ import annotations

import os
from typing import List

from .sensors import Absent, numbered, read_text, tool

_FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
_CPUS = "sys/devices/system/cpu"

FLAGS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
    16: "under-voltage since boot",
    17: "frequency capped since boot",
    18: "throttled since boot",
    19: "soft temperature limit since boot",
}
"""What the bits mean: https://www.raspberrypi.com/documentation/computers/os.html#get_throttled."""


def throttled(root: str = "/") -> List[str]:
    """What a Raspberry Pi's firmware says holds it back; empty if nothing.

    Raises:
        Absent: If the machine has no such firmware.
    """
    try:
        text = read_text(root, _FIRMWARE)  # hexadecimal, without 0x
    except Absent:
        text = tool(root, "vcgencmd", "get_throttled").rpartition("=")[2]  # throttled=0x50005
    bits = int(text, 16)
    return [words for bit, words in sorted(FLAGS.items()) if bits >> bit & 1]


def throttle_count(root: str = "/") -> int:
    """How often the processor's cores grew too hot since the machine was started (x86).

    Raises:
        Absent: If the kernel doesn't count it.
    """
    counters = [
        "{}/{}/thermal_throttle/core_throttle_count".format(_CPUS, cpu)
        for cpu in numbered(root, _CPUS, "cpu")
    ]
    there = [name for name in counters if os.path.isfile(os.path.join(root, *name.split("/")))]
    if not there:
        raise Absent("/{}/cpu*/thermal_throttle: no such folder".format(_CPUS))
    return sum(int(read_text(root, name)) for name in there)
