"""What a source answers doesn't depend on how many cores there are."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


def test_one_thread_computes_and_then_as_many_as_before() -> None:
    from edgeopt.converters.sources.exported import running
    from edgeopt.core.errors import DataError

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with running("net"):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(DataError), running("net"):
            raise RuntimeError("a sample")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
