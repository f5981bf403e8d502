"""Text of others on its way to the screen: what it costs, what is kept of it, and what a widget takes it for."""

import gc
import json
import os
import sys
import tracemalloc
from pathlib import Path

import pytest

from data import roster
from data.environment import read_settings
from data.records import periods
from data.settings import SettingsError
from tests.support.work import is_linear
from ui.components import grid
from ui.students import feedback
from wording import foreign_text


def test_nothing_of_a_class_list_is_kept_by_cells_of_half_a_megabyte() -> None:
    """One emoji makes every letter of a text take four bytes, and what a function remembers is by the whole text."""
    cells = [f"{n}\U0001f600{'x' * 130_000}" for n in range(18)]
    lines = [",".join([*cells[n : n + 6], "user"]) for n in range(0, len(cells), 6)]
    padded = [f"u{n},{' ' * 130_000}\u00e9{n}\U0001f600,,,,," for n in range(6)]
    content = "\n".join(["user_id,name,class,target_band,test_date,teacher,note", *lines, *padded]).encode()
    roster.parse(b"user_id,name\nu,A")
    tracemalloc.start()
    try:
        roster.parse(content)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2_000_000


@pytest.mark.parametrize(
    "value", [[[]] * 100_000, [1] * 100_000, {str(n): n for n in range(100_000)}, [[[1] * 300] * 300]]
)
def test_feedback_of_very_many_entries_is_cut_and_says_how_many_are_left_out(value: object) -> None:
    text = str(feedback.layout(value))  # type: ignore[arg-type]
    assert len(text) < 600_000
    assert " more]" in text


def test_feedback_of_usual_length_is_whole() -> None:
    assert " more]" not in str(feedback.layout({"strengths": ["clear"] * 500, "fluency": {"band": 6.5}}))


@pytest.mark.parametrize(
    "name", ["[]", '["Open","Delete"]', "[1]", r'["\u003amaterial/delete:"]', ":material/delete:", "  [x]", "[].pdf]"]
)
def test_no_name_is_json_or_an_icon_to_the_button_of_a_row(name: str) -> None:
    button = grid._button(name)
    assert button.replace("\u2060", "") == name
    assert not button.lstrip().startswith("[")
    assert ":material/" not in button


@pytest.mark.parametrize(
    "mark", "\u0301\u0610\u0670\u06d6\u0730\u0951\u093c\u0f71\u1037\u302a\u3099\ua66f\ua8e0\ufe20\U0001d165\U0001e8d0"
)
def test_of_thousands_of_marks_on_a_letter_thirty_are_shown_whatever_the_script(mark: str) -> None:
    assert foreign_text.visible("a" + mark * 2_000) == f"a{mark * 30}[1,970 more marks]"
    source = foreign_text.escaped(json.dumps("a" + mark * 2_000, ensure_ascii=False))
    assert json.loads(source) == "a" + mark * 2_000
    assert source.count(mark) == 30
    assert is_linear(foreign_text.visible, mark)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(roster.RosterError, match="no file"):
        roster.read(str(pipe))
    monkeypatch.setenv("BANDUP_ENV_FILE", str(pipe))
    with pytest.raises(SettingsError, match="no file"):
        read_settings()


def test_a_first_page_may_be_empty() -> None:
    """With a key from which the next one goes on, as DynamoDB may answer a Query."""
    assert periods._split([], 0) == ([], [])
