"""What the script on the device noted, taken apart; nothing of it is believed unchecked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from edgeopt.benchmarks.conditions import Conditions, Machine, Reading
from edgeopt.benchmarks.device.conditions import conditions
from edgeopt.benchmarks.device.machine import machine
from edgeopt.core.errors import MeasurementError
from edgeopt.core.record import Record

BEFORE, AFTER = "before", "after"

_STATE = re.compile(r"(before|after)/(proc|sys)/[A-Za-z0-9_:/-]+")
_NOT_READ = Reading[int](absent="the measuring script doesn't read it")


class Said(Record, frozen=True):
    """What one process of the program left.

    Args:
        words: What it said, on both of its outputs.
        code: Its exit code.
        times: What it wrote of each call, a line each; None if it wrote nothing.
    """

    words: str
    code: int
    times: str | None


class Answer:
    """What the script noted.

    Args:
        content: ``answer.txt``.
        token: What begins its sections; none but the script knows it.

    Raises:
        MeasurementError: If it isn't whole.
    """

    def __init__(self, content: bytes, token: str) -> None:
        text = content.decode("utf-8", errors="replace")
        self._sections = dict(_sections(text, token))
        if "end" not in self._sections:
            raise MeasurementError(
                "the device's answer was cut off", hint="check the connection, and measure again"
            )

    @property
    def emulated(self) -> bool:
        """Whether the device's root has the marker of emulated ones."""
        return "emulated" in self._sections

    def said(self, name: str) -> Said | None:
        """What the process of a step left; None if it wasn't started."""
        code = self._sections.get(f"code/{name}", "").strip()
        if not code.isdigit():
            return None
        return Said(self._sections.get(f"said/{name}", ""), int(code),
                    self._sections.get(f"times/{name}"))  # fmt: skip

    def machine(self, scratch: Path) -> Machine:
        """What the device is.

        Args:
            scratch: A folder for copies of its files.
        """
        root = self._copied(scratch, BEFORE)
        found = msgspec.convert(machine(str(root), "Linux"), Machine)
        system, release, architecture = (*self._sections.get("uname", "").split(), "", "", "")[:3]
        processors = re.findall(r"^processor\s*:", self._text(BEFORE, "proc/cpuinfo"), re.MULTILINE)
        board = self._sections.get("board", "").strip()
        return msgspec.structs.replace(
            found,
            system=system,
            release=release,
            architecture=architecture,
            python=None,
            board=Reading(value=board) if board else found.board,
            cores=Reading(value=len(processors)) if processors else _NOT_READ,
            usable_cores=_NOT_READ,
        )

    def conditions(self, scratch: Path, when: str) -> Conditions:
        """The state the device was in.

        Args:
            scratch: A folder for copies of its files.
            when: :data:`BEFORE` or :data:`AFTER`.
        """
        found = msgspec.convert(conditions(str(self._copied(scratch, when)), "Linux"), Conditions)
        return msgspec.structs.replace(found, at=self._sections.get(f"{when}/at", "").strip())

    def _copied(self, scratch: Path, when: str) -> Path:
        """The device's files below a root of their own, for the readers of this machine's."""
        root = scratch / when
        root.mkdir(exist_ok=True)
        for name, text in self._sections.items():
            if _STATE.fullmatch(name) and name.startswith(f"{when}/"):
                file = scratch / PurePosixPath(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        return root

    def _text(self, when: str, path: str) -> str:
        return self._sections.get(f"{when}/{path}", "")


def _sections(text: str, token: str) -> Iterator[tuple[str, str]]:
    _, *parts = text.split(f"\n{token} ")
    for part in parts:
        name, _, content = part.partition("\n")
        yield name.strip(), content
