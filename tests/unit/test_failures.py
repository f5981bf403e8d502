"""Sentences for failures: every kind and case has both, for the page and for the terminal."""

import copy
from collections.abc import Sequence
from string import Formatter
from typing import get_args

import pytest

from data.dynamodb.errors import Case, Failure, Kind
from data.provisioning.account import Pitr
from data.provisioning.apply import Event
from data.provisioning.drift import Check, Step, Target, checks
from data.schema import EVALUATIONS
from wording import account, failures
from wording.failures import SENTENCES, Medium

KINDS: tuple[Kind, ...] = get_args(Kind)
CASES: tuple[Case, ...] = get_args(Case)
TARGET = Target(EVALUATIONS, "evals")
DENIED = Failure("access_denied", operation="dynamodb:Query", resource="table/evals", detail="policy")
DENIED_IN_WORDS = (
    "AWS denied dynamodb:Query on table/evals. "
    "Add the action dynamodb:Query on table/evals to the policy of these credentials."
)


def full(kind: Kind, case: Case | None = None) -> Failure:
    """A failure of which everything is known."""
    return Failure(
        kind, case=case, code="Code", operation="Query", resource="evals", index="by-student", detail="{detail}"
    )


EVERY = [*(full(kind) for kind in KINDS), *(full("unexpected", case) for case in CASES)]


def test_every_kind_and_case_has_a_row_and_no_row_is_left_over() -> None:
    assert sorted(SENTENCES) == sorted([*KINDS, *CASES])


@pytest.mark.parametrize("place", get_args(Medium))
@pytest.mark.parametrize("failure", EVERY, ids=[failure.case or failure.kind for failure in EVERY])
def test_cause_and_remedy_are_sentences(failure: Failure, place: Medium) -> None:
    for sentence in (failures.cause(failure, place), failures.remedy(failure, place)):
        assert sentence.endswith(".")
        assert not sentence.endswith("..")
        assert sentence[0].isupper() or sentence.startswith(("{detail}", "evals"))


@pytest.mark.parametrize("failure", EVERY, ids=[failure.case or failure.kind for failure in EVERY])
def test_only_the_page_has_a_button_to_press(failure: Failure) -> None:
    on_page, in_terminal = failures.remedy(failure), failures.remedy(failure, "terminal")
    assert "refresh" not in in_terminal.casefold()
    asks_again = "again" in {field for _, field, *_ in Formatter().parse(SENTENCES[failure.case or failure.kind][1])}
    assert ("press Refresh" in on_page) == ("run this again" in in_terminal) == asks_again


def test_a_remedy_that_begins_with_asking_again_begins_with_a_capital() -> None:
    assert failures.remedy(Failure("changed")) == "Press Refresh to see how it is now."
    assert failures.remedy(Failure("changed"), "terminal") == "Run this again to see how it is now."


def test_what_is_not_known_leaves_no_gap() -> None:
    assert failures.cause(Failure("unreachable")) == "DynamoDB could not be reached."
    assert failures.cause(Failure("unreachable", detail="http://x")) == "DynamoDB could not be reached at http://x."
    unknown = Failure("unexpected", operation="Query", resource="evals")
    assert failures.cause(unknown) == "DynamoDB answered Query on evals with an unknown error."


def test_the_fact_of_a_check_says_why_it_is_not_known() -> None:
    assert account.fact(Check(TARGET, "Tags", "ok", "all there")) == "all there"
    assert account.fact(Check(TARGET, "Tags", "unchecked", DENIED)) == f"could not be checked. {DENIED_IN_WORDS}"
    endpoint = Failure("not_offered", case="endpoint")
    assert account.fact(Check(TARGET, "Lambda", "not_offered", endpoint)) == failures.cause(endpoint)


RECOVERY = "Point-in-time recovery"
THERE = Check(TARGET, "Table", "ok", "ACTIVE")


@pytest.mark.parametrize(
    ("of_table", "sentence"),
    [
        (
            [THERE, Check(TARGET, RECOVERY, "unchecked", DENIED)],
            f"Whether evals can be restored could not be checked. {DENIED_IN_WORDS}",
        ),
        (
            [Check(TARGET, "Table", "unchecked", DENIED)],
            f"Whether evals can be restored could not be checked. {DENIED_IN_WORDS}",
        ),
        ([THERE, Check(TARGET, RECOVERY, "not_offered", "not offered by this endpoint")], "does not offer"),
        ([THERE, Check(TARGET, "Sort key", "blocked", "none")], "the checklist"),
        ([Check(TARGET, "Table", "blocked", "DELETING")], "the checklist"),
        ([THERE, Check(TARGET, RECOVERY, "ok", "on", pitr=Pitr(True))], "is on, but DynamoDB names no time"),
        ([THERE, Check(TARGET, RECOVERY, "missing", "off")], "Point-in-time recovery of evals is off."),
        (checks(TARGET, None), "There is no table evals."),
    ],
)
def test_why_a_table_cannot_be_restored_is_told_apart_from_that_nobody_knows(
    of_table: Sequence[Check], sentence: str
) -> None:
    assert sentence in account.not_restorable(of_table)


def test_a_step_that_waits_says_what_happened_and_one_that_failed_what_to_do_as_well() -> None:
    step = Step("tags", TARGET, "", "Tag evals", True, "None", "Yes")
    assert account.message(Event(step, "done", "as declared")) == "as declared"
    assert account.message(Event(step, "waiting", DENIED)) == failures.cause(DENIED)
    assert account.message(Event(step, "failed", DENIED)) == DENIED_IN_WORDS


def test_a_plan_that_could_not_be_checked_says_why() -> None:
    failure = Failure("changed", case="plan_unchecked", detail="Tag evals", reasons=(DENIED,))
    assert failures.cause(failure) == (
        f"Whether this is still to be done could not be checked. {DENIED_IN_WORDS} It is about: Tag evals."
    )


def test_a_note_says_which_index_could_not_be_checked() -> None:
    assert failures.note("Stopped.") == "Stopped."
    note = failures.note(Failure("throttled", resource="evals", index="by-student"))
    assert note.startswith("It could not be checked what the index by-student carries. DynamoDB is answering too many")


def test_a_failure_that_was_kept_can_be_copied() -> None:
    kept = Failure("busy", case="too_new", resource="bandup-evaluations", reasons=(Failure("limit"),)).to_keep()
    assert copy.deepcopy(kept) == copy.copy(kept) == kept
