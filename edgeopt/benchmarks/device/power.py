"""What the machine draws, and what it may: RAPL's counters, a Jetson's rails and power mode."""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from .sensors import Absent, entries, numbered, read_text, tool

_RAPL = "sys/class/powercap"
_HWMON = "sys/class/hwmon"
_SUPPLIES = "sys/class/power_supply"
_TOLD = ("type", "scope", "status", "online")
_CHANNELS = (1, 2, 3)  # an INA3221 has three


def energy(root: str = "/") -> Dict[str, int]:
    """RAPL's counters by domain, in uJ; they wrap around, and often only root may read them.

    Raises:
        Absent: If there are none, or none may be read.
    """
    found: Dict[str, int] = {}
    reason = "/{} has no intel-rapl:*".format(_RAPL)
    for zone in sorted(e for e in entries(root, _RAPL) if e.startswith("intel-rapl:")):
        folder = "{}/{}".format(_RAPL, zone)
        try:
            name = read_text(root, folder + "/name")
            found["{} ({})".format(name, zone)] = int(read_text(root, folder + "/energy_uj"))
        except Absent as absent:
            reason = str(absent)
    if not found:
        raise Absent(reason)
    return found


def rails(root: str = "/") -> Dict[str, float]:
    """What a Jetson's rails draw, in mW, by their labels: an INA3221's volts times its amperes.

    Raises:
        Absent: If there is no such sensor.
    """
    found = dict(_channels(root))
    if not found:
        raise Absent("no ina3221 in /{}".format(_HWMON))
    return found


def _channels(root: str) -> Iterator[Tuple[str, float]]:
    for device in numbered(root, _HWMON, "hwmon"):
        folder = "{}/{}".format(_HWMON, device)
        if _text(root, folder + "/name") != "ina3221":
            continue
        for channel in _CHANNELS:
            try:
                millivolts = int(read_text(root, "{}/in{}_input".format(folder, channel)))
                milliamperes = int(read_text(root, "{}/curr{}_input".format(folder, channel)))
            except Absent:
                continue  # a channel that isn't connected
            label = _text(root, "{}/in{}_label".format(folder, channel))
            yield label or "{} channel {}".format(device, channel), millivolts * milliamperes / 1000


def _text(root: str, path: str) -> str:
    try:
        return read_text(root, path)
    except Absent:
        return ""


def power_mode(root: str = "/") -> str:
    """A Jetson's power mode, such as ``MAXN``; its number where only that can be read.

    Raises:
        Absent: If the machine has none.
    """
    try:
        told = tool(root, "nvpmodel", "-q")  # NV Power Mode: MAXN
    except Absent as absent:
        try:
            status = read_text(root, "var/lib/nvpmodel/status")  # pmode:0002
        except Absent:
            raise absent from None
        return "mode {}".format(int(status.partition("pmode:")[2].split()[0]))
    for line in told.splitlines():
        if line.startswith("NV Power Mode:"):
            return line.partition(":")[2].strip()
    raise Absent("nvpmodel -q said {!r}".format(told[:80]))


def on_battery(root: str = "/") -> bool:
    """Whether the machine runs on a battery: one is discharging, and nothing else is connected.

    Raises:
        Absent: If the kernel knows of no power supply.
    """
    supplies = sorted(entries(root, _SUPPLIES))
    if not supplies:
        raise Absent("/{} is empty".format(_SUPPLIES))
    told = [
        {name: _text(root, "{}/{}/{}".format(_SUPPLIES, each, name)) for name in _TOLD}
        for each in supplies
    ]
    # A mouse's or a pen's battery is the device's, not the machine's.
    return not any(each["online"] == "1" for each in told) and any(
        each["type"] == "Battery" and each["scope"] != "Device" and each["status"] == "Discharging"
        for each in told
    )
