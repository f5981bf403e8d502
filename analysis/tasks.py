"""Which of the two Writing tasks a record is of, where it tells. IELTS scores them apart."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from data.schema import CRITERIA, CRITERION_NAMES, WRITING

TASKS = (1, 2)
_NAMED = re.compile(r"[-_ ]?task[-_ ]?([12])(?![0-9])", re.IGNORECASE)
_LONGEST = 200  # characters of a model's name that are looked at
_ATTRIBUTES = ("task", "task_type", "task_number", "writing_task")
_VARIES = "task_achievement_band"
_RESPONSE = {_VARIES: "Task response"}


def of_model(model_used: object) -> int | None:
    """The task that a model's name tells: 1, 2, or None where it does not.

    >>> of_model("gemini-writing_task2"), of_model("gemini-2.5-flash"), of_model(None)
    (2, None, None)
    """
    named = _NAMED.search(model_used[:_LONGEST]) if isinstance(model_used, str) else None
    return int(named[1]) if named else None


def of_record(evaluation_type: str | None, model_used: str | None, unknown: Mapping[str, Any]) -> int | None:
    """The task of a whole record: what an attribute of its own says, else the model's name.

    >>> of_record("writing", "gemini-2.5", {"task_type": "Task 2"}), of_record("writing", "gemini-writing_task1", {})
    (2, 1)
    >>> of_record("speaking", "x-task2", {}), of_record("writing", None, {"task": 3})
    (None, None)
    """
    if evaluation_type != WRITING:
        return None
    for attribute in _ATTRIBUTES:
        number = str(unknown.get(attribute, "")).strip().casefold().removeprefix("task").strip(" _-")
        if number in ("1", "2"):
            return int(number)
    return of_model(model_used)


def without_task(model_used: str) -> str:
    """The model's name without the task: another task is not another model.

    >>> without_task("gemini-writing_task2"), without_task("gemini-writing-task-1-v2")
    ('gemini-writing', 'gemini-writing-v2')
    """
    return _NAMED.sub("", model_used[:_LONGEST]) + model_used[_LONGEST:]


def criteria(skill: str, task: int | None) -> Mapping[str, str]:
    """The names of a skill's criteria; the first one of Writing is called differently in Task 2.

    >>> criteria("writing", 2)["task_achievement_band"], criteria("writing", None)["task_achievement_band"]
    ('Task response', 'Task achievement')
    """
    names = CRITERIA.get(skill, {})
    return {**names, **_RESPONSE} if skill == WRITING and task == 2 else names


def shared(evaluations: pd.DataFrame) -> int | None:
    """The task that every scored Writing evaluation is of; None where they are of both, or one does not tell.

    >>> of = {"evaluation_type": ["writing", "speaking"], "task_achievement_band": [6.0, None]}
    >>> shared(pd.DataFrame({**of, "model_used": ["x-task2", "y"]})), shared(pd.DataFrame({**of, "model_used": "y"}))
    (2, None)
    """
    scored = evaluations[(evaluations["evaluation_type"] == WRITING) & evaluations[_VARIES].notna()]
    of_each = {of_model(model) for model in scored["model_used"].unique()}
    return of_each.pop() if len(of_each) == 1 else None


def criterion_names(task: int | None) -> Mapping[str, str]:
    """The names of every skill's criteria where all Writing at hand is of one task; None where it may be of both."""
    return {**CRITERION_NAMES, **_RESPONSE} if task == 2 else CRITERION_NAMES
