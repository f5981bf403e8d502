"""The verdict of all checks: never in sync where something is broken, pending or could not be checked."""

from dataclasses import replace
from typing import Any

import pytest

from data.dynamodb.errors import Failure
from data.provisioning.drift import Check, Level, Step, Target, checks
from data.provisioning.lambdas import Proof
from data.provisioning.plan import Plan
from data.provisioning.verdict import failed_exit_code, judge
from data.schema import EVALUATIONS, FUNCTIONS
from wording.account import counts, headline

TARGET = Target(EVALUATIONS, "evals")
STEP = Step("pitr", TARGET, "", "Turn it on", True, "None", "Yes")
PROTECT = Step("protect", TARGET, "", "Protect it", False, "None", "Yes")
VARIABLE = Step("variable", TARGET, "x/y", "Set it", True, "None", "Yes")


def table(level: Level, subject: str = "Table", step: Step | None = None) -> Check:
    return Check(TARGET, subject, level, "the fact", step)


def planned(*links: Check, tables: tuple[Check, ...] = ()) -> Plan:
    return Plan(tables or (table("ok"),), (Proof(FUNCTIONS[0], "f", links or (table("ok", "Lambda"),)),))


@pytest.mark.parametrize(
    ("plan", "state", "code"),
    [
        (planned(), "in sync", 0),
        (planned(table("missing", "Lambda")), "broken", 2),
        (planned(table("missing", "Role")), "broken", 2),
        (planned(table("missing", "Variable", VARIABLE)), "broken", 2),
        (planned(table("unchecked", "Role")), "could not be checked", 3),
        (planned(table("building", "Lambda")), "changes pending", 2),
        (planned(table("recommended", "Role")), "in sync", 0),
        (planned(table("not_offered", "Lambda")), "in sync", 0),
        (planned(tables=(table("unchecked", "Tags"),)), "could not be checked", 3),
        (planned(tables=(table("blocked", "Sort key"),)), "broken", 2),
        (planned(tables=(table("missing", "PITR", STEP),)), "changes pending", 2),
        (planned(tables=(table("recommended", "Deletion protection", PROTECT),)), "changes pending", 2),
        (planned(table("unchecked", "Role"), tables=(table("missing", "PITR", STEP),)), "changes pending", 2),
        (planned(table("missing", "Role"), tables=(table("missing", "PITR", STEP),)), "broken", 2),
    ],
)
def test_the_worst_check_decides(plan: Plan, state: str, code: int) -> None:
    verdict = judge(plan)
    assert (verdict.state, verdict.exit_code) == (state, code)


def test_each_problem_is_named_and_the_worst_comes_first() -> None:
    verdict = judge(planned(table("unchecked", "Role"), table("missing", "Lambda"), table("missing", "Role")))
    assert [(p.owner, p.check.subject) for p in verdict.problems] == [
        ("Writing evaluator", "Lambda"),
        ("Writing evaluator", "Role"),
        ("Writing evaluator", "Role"),
    ]
    assert headline(verdict) == "2 problems, 1 thing could not be checked: Writing evaluator · Lambda: the fact"
    assert counts(verdict) == "2 problems, 1 thing could not be checked"


def test_in_sync_is_said_with_what_the_endpoint_does_not_offer() -> None:
    assert headline(judge(planned())) == "Up to date"
    verdict = judge(planned(table("not_offered", "Lambda"), tables=(table("not_offered", "Tags"),)))
    assert headline(verdict) == "Up to date, as far as this endpoint can show it: it does not offer Tags, Lambda"


def test_on_real_aws_what_was_not_offered_was_not_checked() -> None:
    verdict = judge(replace(planned(table("not_offered", "Lambda")), real_aws=True))
    assert (verdict.state, verdict.exit_code) == ("could not be checked", 3)


def test_what_comes_with_a_table_to_be_created_is_not_counted_beside_it() -> None:
    verdict = judge(planned(table("unchecked", "Role"), table("missing"), tables=checks(TARGET, None)))
    assert verdict.state == "changes pending"
    assert [p.check.subject for p in verdict.problems] == ["Table", "Point-in-time recovery", "Deletion protection"]


def test_what_is_only_recommended_can_be_left_out_but_nothing_else() -> None:
    plan = planned(
        tables=(table("recommended", "Deletion protection", PROTECT), table("blocked", "Index x"), table("ok"))
    )
    assert judge(plan).state == "broken"
    assert judge(plan, required_only=True).state == "in sync"
    assert judge(planned(table("unchecked", "Role")), required_only=True).exit_code == 3


def test_a_table_that_several_lambdas_share_is_one_problem() -> None:
    plan = planned(table("blocked", "Keys"), tables=(table("blocked", "Sort key"),))
    assert [p.check.subject for p in judge(plan).problems] == ["Sort key"]


@pytest.mark.parametrize(
    ("kind", "code"), [("access_denied", 3), ("throttled", 3), ("unreachable", 3), ("credentials", 1), ("region", 1)]
)
def test_where_nothing_could_be_compared_the_code_says_whose_fault_it_is(kind: Any, code: int) -> None:
    assert failed_exit_code(Failure(kind)) == code
