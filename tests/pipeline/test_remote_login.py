"""Logging in to a device: whatever keeps ssh out is said, with what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgeopt.benchmarks.store import measurement_path
from edgeopt.core.errors import MeasurementError
from edgeopt.targets.ssh import FOLDER
from tests.board import keygen

if TYPE_CHECKING:
    from tests.board import Board


def refused(board: Board, artifact: Path, told: str) -> None:
    """It ends with code 3 and those words, and leaves nothing on either side."""
    with pytest.raises(MeasurementError, match=told) as raised:
        board.measure(artifact)
    assert raised.value.exit_code == 3
    assert not measurement_path(artifact, "arm64").exists()
    assert not (board.home / FOLDER).exists()


def test_a_host_that_is_not_known(board: Board, conv_net: Path) -> None:
    (board.folder / "known").write_text("")
    refused(board, conv_net, r"Host key verification failed.*log in once")
    assert (board.folder / "known").read_text() == ""


def test_a_host_that_is_another_now(board: Board, conv_net: Path) -> None:
    keygen(board.folder / "other")
    known = (board.folder / "known").read_text().split()
    other = (board.folder / "other.pub").read_text().split()
    (board.folder / "known").write_text(f"{known[0]} {other[0]} {other[1]}\n")
    refused(board, conv_net, "verification failed")


def test_a_key_that_is_not_taken(board: Board, conv_net: Path) -> None:
    (board.folder / "key").unlink()
    (board.folder / "key.pub").rename(board.folder / "former.pub")
    keygen(board.folder / "key")
    (board.folder / "key.pub").write_bytes((board.folder / "former.pub").read_bytes())
    refused(board, conv_net, r"Permission denied.*ssh-copy-id")


def test_a_key_that_is_missing(board: Board, conv_net: Path) -> None:
    (board.folder / "key").unlink()
    refused(board, conv_net, r"Permission denied.*ssh-copy-id")


def test_a_host_that_takes_passwords_only(board: Board, conv_net: Path) -> None:
    board.serve("PubkeyAuthentication no", "PasswordAuthentication yes")
    refused(board, conv_net, r"Permission denied \(password.*never asks for a password.*a key")


def test_nobody_is_there(board: Board, conv_net: Path) -> None:
    board.server.terminate()
    board.server.wait()
    refused(board, conv_net, r"refused.*check the port")
