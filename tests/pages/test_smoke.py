"""Every page opens on the demo, for ops and without an address, and says nothing of an error."""

from pathlib import Path

import pytest

from tests.support.app import ROOT, show, words


@pytest.mark.parametrize("page", sorted(path.name for path in Path(ROOT, "pages").glob("*.py")))
def test_a_page_opens(page: str) -> None:
    app = show(f"pages/{page}", {"user_id": "user-101"} if page in ("student.py", "compare.py") else {})
    assert not app.exception
    assert [title.value for title in app.title]
    assert "⚠" not in words(app)
