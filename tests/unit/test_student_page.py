"""What the page of a student says where its filters leave nothing over."""

import pytest

from data.records import evaluations
from ui.components.filters import Period
from ui.shell import address
from ui.students import profile

ALL, MONTH = Period("All", None), Period("30 days", 30)


@pytest.mark.parametrize(
    ("period", "of_task", "sentence"),
    [
        (MONTH, None, "Choose a longer period: the last 30 days have no evaluations of this student."),
        (MONTH, 1, "Choose a longer period: the last 30 days have no evaluations of Writing Task 1 or another skill."),
        (MONTH, 0, "This student has no evaluations of Writing Task 1. Choose “All” as the Writing task."),
        (ALL, 0, "This student has no evaluations of Writing Task 1. Choose “All” as the Writing task."),
    ],
)
def test_where_no_evaluation_is_left_the_page_says_which_filter_to_change(
    period: Period, of_task: int | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "given", {"task": "1"}.get)
    history = evaluations.frame([{"evaluation_id": {"S": "e"}}, {"evaluation_id": {"S": "f"}}])
    assert profile.none_left(history if of_task is None else history.iloc[:of_task], history, period) == sentence
