"""Where a device is, alone or behind a profile's name and an ``@``. The scheme says how.

``ssh://user@host:port``; ``adb://serial``; ``emulated://cortex-a72``, with a path if the emulator's
roots are not where they usually are. See ``transport.py``.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from edgeopt.core.errors import UsageError
from edgeopt.core.record import Record
from edgeopt.targets.cores import CORES

_SCHEME = re.compile(r"(?:(?P<profile>.+?)@)?(?P<address>(?:ssh|adb|emulated)://.*)")
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+")
_SERIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Address(Record, frozen=True):
    """A device that can be reached.

    Args:
        host: A name, an address, or a ``Host`` of the user's ssh configuration; a serial number as
            ``adb devices`` lists it, empty for the only device there is; the processor that is
            emulated.
        user: Who logs in; empty for ssh's own choice.
        port: None for ssh's own choice.
        scheme: What reaches it.
        path: The folder of the emulator's roots; empty for the usual one.
    """

    host: str
    user: str = ""
    port: int | None = None
    scheme: Literal["ssh", "adb", "emulated"] = "ssh"
    path: str = ""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.destination}{port}{self.path}"

    @property
    def destination(self) -> str:
        """As ssh takes it: ``user@host``."""
        return f"{self.user}@{self.host}" if self.user else self.host


def split_target(target: str) -> tuple[str | None, Address | None]:
    """A target's profile and its address; None for what isn't there.

    Raises:
        UsageError: If the address isn't one.
    """
    match = _SCHEME.fullmatch(target)
    if match is None:
        return target, None
    return match["profile"], parse_address(match["address"])


def parse_address(text: str) -> Address:
    """``ssh://user@host:port``, ``adb://serial`` or ``emulated://cortex-a72``.

    Raises:
        UsageError: If it isn't one. A host or user that ssh would take for an option is none.
    """
    if text.startswith("adb://"):
        return _adb(text)
    hint = "write ssh://user@host, ssh://user@host:port or emulated://cortex-a76"
    try:
        parts = urlsplit(text)
        host, user, port = parts.hostname or "", parts.username or "", parts.port
    except ValueError as error:
        raise UsageError(f"{text}: {error}", hint=hint) from error
    if parts.scheme == "emulated":
        return _emulated(text, parts.netloc, parts.path)
    beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.password
    named = _HOST.fullmatch(host) and not host.startswith("-")
    if parts.scheme != "ssh" or not named or beyond or (user and not _USER.fullmatch(user)):
        raise UsageError(f"{text}: not the address of a device", hint=hint)
    return Address(host=host, user=user, port=port)


def _emulated(text: str, cpu: str, path: str) -> Address:
    if cpu not in CORES:
        raise UsageError(
            f"{text}: {cpu!r} is not emulated",
            hint=f"write {' or '.join(f'emulated://{name}' for name in CORES)}",
        )
    return Address(host=cpu, scheme="emulated", path=path.rstrip("/"))


def _adb(text: str) -> Address:
    # Not by urlsplit: it writes letters small, and serial numbers have both.
    serial = text.removeprefix("adb://")
    if serial and not _SERIAL.fullmatch(serial):
        raise UsageError(
            f"{text}: not the address of a device",
            hint="write adb://SERIAL, as `adb devices` has it",
        )
    return Address(host=serial, scheme="adb")
