"""The state a machine is in: clocks, temperatures, load, free memory. Read before and after."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from typing import Any, Dict, List

from .power import energy, on_battery, power_mode, rails
from .sensors import Absent, field, numbered, read_text, reading
from .throttling import throttle_count, throttled

_CPUS = "sys/devices/system/cpu"
_ZONES = "sys/class/thermal"


def conditions(root: str = "/", system: str = "") -> Dict[str, Any]:
    """The state of the machine now.

    Args:
        root: Where ``proc`` and ``sys`` are.
        system: ``Linux``, ``Darwin`` or ``Windows``; this machine's, if empty.

    Returns:
        ``at`` (ISO 8601, UTC, by the machine's own clock), and as readings: ``governor`` (those in
        use), ``frequency_mhz`` (a core each), ``temperature_c`` (by zone), ``load_average`` (over a
        minute), ``memory_available_bytes``, ``throttled`` (what holds it back), ``throttle_count``,
        ``power_mode``, ``rails_mw`` (by label), ``energy_uj`` (by RAPL domain), ``battery``
        (whether it runs on one).
    """
    system = system or platform.system()
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "governor": reading(lambda: sorted(set(_each_cpu(root, system, "scaling_governor")))),
        "frequency_mhz": reading(
            lambda: [int(khz) // 1000 for khz in _each_cpu(root, system, "scaling_cur_freq")]
        ),
        "temperature_c": reading(lambda: _temperatures(root, system)),
        "load_average": reading(lambda: _load_average(root, system)),
        "memory_available_bytes": reading(lambda: _memory_available(root, system)),
        "throttled": reading(lambda: throttled(root)),
        "throttle_count": reading(lambda: throttle_count(root)),
        "power_mode": reading(lambda: power_mode(root)),
        "rails_mw": reading(lambda: rails(root)),
        "energy_uj": reading(lambda: energy(root)),
        "battery": reading(lambda: on_battery(root)),
    }


def _linux_only(system: str) -> None:
    if system != "Linux":
        raise Absent("not read on {}".format(system))


def _each_cpu(root: str, system: str, name: str) -> List[str]:
    _linux_only(system)
    cpus = numbered(root, _CPUS, "cpu")
    present = [cpu for cpu in cpus if os.path.isdir(os.path.join(root, _CPUS, cpu, "cpufreq"))]
    if not present:
        raise Absent("/{}/cpu*/cpufreq: no such folder".format(_CPUS))
    return [read_text(root, "{}/{}/cpufreq/{}".format(_CPUS, cpu, name)) for cpu in present]


def _temperatures(root: str, system: str) -> Dict[str, float]:
    _linux_only(system)
    found: Dict[str, float] = {}
    for zone in numbered(root, _ZONES, "thermal_zone"):
        folder = "{}/{}".format(_ZONES, zone)
        try:
            celsius = int(read_text(root, folder + "/temp")) / 1000
        except (Absent, ValueError):
            continue  # a zone that is switched off refuses to be read; the others still tell
        name = _zone_name(root, folder, zone)
        found[name if name not in found else "{} ({})".format(name, zone)] = celsius
    if not found:
        raise Absent("no zone in /{} can be read".format(_ZONES))
    return found


def _zone_name(root: str, folder: str, zone: str) -> str:
    try:
        return read_text(root, folder + "/type")
    except Absent:
        return zone


def _load_average(root: str, system: str) -> float:
    if system == "Linux":
        return float(read_text(root, "proc/loadavg").split()[0])
    if not hasattr(os, "getloadavg"):
        raise Absent("{} has no load average".format(system))
    return os.getloadavg()[0]


def _memory_available(root: str, system: str) -> int:
    _linux_only(system)
    return int(field(read_text(root, "proc/meminfo"), "MemAvailable").split()[0]) * 1024
