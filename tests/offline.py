"""Run a program that dies at once if it, or anything it starts, makes a socket for the internet.

``python offline.py PROGRAM ...`` has Linux kill whatever calls ``socket(AF_INET)`` or
``socket(AF_INET6)``, by a seccomp filter: libraries in C++ are caught like Python. Sockets within
the machine are left alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys

SOCKET = {"x86_64": 41, "aarch64": 198}
"""The number of the system call, by machine."""

_NO_NEW_PRIVILEGES, _SET_FILTER, _BY_FILTER = 38, 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _FIRST_ARGUMENT = 0, 16  # places in what the filter sees
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _instructions(call: int) -> list[tuple[int, int, int, int]]:
    # Each: what to do, how many to leave out if equal and if not, and with what.
    return [
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, 0, 3, call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_EQUAL, 2, 0, socket.AF_INET),
        (_IF_EQUAL, 1, 0, socket.AF_INET6),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _KILL),
    ]


def forbid() -> None:
    """From now on, for this process and all that it starts.

    Raises:
        OSError: If the system refuses.
    """
    listed = _instructions(SOCKET[platform.machine()])
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in listed))
    program = struct.pack("HP", len(listed), ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    filtered = ctypes.create_string_buffer(program)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_FILTER, _BY_FILTER, filtered, 0, 0)):
        if prctl(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    forbid()
    os.execvp(sys.argv[1], sys.argv[1:])
