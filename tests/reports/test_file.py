"""Which files a page may replace."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeopt.core.errors import OutputError
from edgeopt.reports.file import check_page, is_ours, write_page


def test_a_page_of_ours_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, "<p>one \u00d7 two</p>")
    assert is_ours(page)
    write_page(page, "<p>three</p>")
    assert page.read_text(encoding="utf-8").startswith("<p>three</p>")
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize("content", [b"mine", b"", b"<!-- edgeopt sha256=0 -->\n"])
def test_a_file_of_someone_elses_is_kept(tmp_path: Path, content: bytes) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(content)
    with pytest.raises(OutputError, match="not written by EdgeOpt") as error:
        write_page(page, "<p>ours</p>")
    assert "--force" in error.value.hint
    assert page.read_bytes() == content
    write_page(page, "<p>ours</p>", force=True)
    assert is_ours(page)


def test_a_page_that_was_edited_is_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, "<p>ours</p>")
    page.write_bytes(page.read_bytes().replace(b"ours", b"hers"))
    with pytest.raises(OutputError, match="or was changed since"):
        check_page(page, force=False)


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        check_page(tmp_path / "missing" / "page.html", force=False)
    with pytest.raises(OutputError, match="is a folder"):
        check_page(tmp_path, force=True)
