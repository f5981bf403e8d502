"""The checklist: each declared property drifting, what cannot be mended, and what AWS adds by itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.account import Actual, ActualIndex, Pitr, look_up
from data.provisioning.apply import apply
from data.provisioning.drift import Check, Step, Target, checks, steps
from data.provisioning.plan import plan
from data.provisioning.requests import create
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, FLASHCARD_SETS, TABLES, Table
from tests.support.accounts import INSTANT, bare_request, make_old, with_index

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECTS = [
    "Table",
    "Partition key",
    "Sort key",
    "Billing mode",
    "Tags",
    "Point-in-time recovery",
    f"Index {BY_STUDENT}",
    f"Index {BY_STATUS}",
    "Deletion protection",
]
BOTH = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.default_name)


def declared(table: Table, **changes: Any) -> Actual:
    """The table as declared, but for `changes`."""
    types = {key: table.types[key] for key in (*table.key_names, "status", "created_at")}
    whole = Actual(
        name=table.default_name,
        status="ACTIVE",
        arn=f"arn:aws:dynamodb:us-east-1:123456789012:table/{table.default_name}",
        keys=tuple((key, "S") for key in table.key_names),
        types=types,
        billing="PAY_PER_REQUEST",
        indexes={
            index.name: ActualIndex(
                "ACTIVE",
                ((index.partition_key, "S"), (index.sort_key, "N")),
                frozenset(table.summary),
            )
            for index in table.indexes
        },
        protected=True,
        items=975,
        size_bytes=1,
        tags=dict(table.tags),
        pitr=Pitr(True, 35, WHEN, WHEN),
    )
    return replace(whole, **changes)


def checklist(table: Table, **changes: Any) -> dict[str, Check]:
    """The checklist of the table as declared but for `changes`, by subject."""
    lines = checks(Target(table, table.default_name), declared(table, **changes))
    return {check.subject: check for check in lines}


def only(lines: Mapping[str, Check]) -> Check:
    """The one line that is not green."""
    (odd,) = [check for check in lines.values() if check.level != "ok"]
    return odd


def change_index(table: Table, name: str, **changes: Any) -> dict[str, ActualIndex]:
    """The declared indexes, one of them changed."""
    indexes = dict(declared(table).indexes)
    return {**indexes, name: replace(indexes[name], **changes)}


@BOTH
def test_a_table_as_declared_is_green_on_every_line_and_needs_no_step(table: Table) -> None:
    lines = checklist(table)
    assert list(lines) == SUBJECTS
    assert {check.level for check in lines.values()} == {"ok"}
    assert all(check.fact for check in lines.values())
    assert steps(list(lines.values())) == ()
    assert lines["Point-in-time recovery"].pitr == Pitr(True, 35, WHEN, WHEN)


@BOTH
def test_each_line_of_the_documents_setup_is_a_line_of_the_checklist(table: Table) -> None:
    facts = {subject: check.fact for subject, check in checklist(table).items()}
    assert facts["Partition key"] == f"{table.partition_key} (String)"
    assert facts["Sort key"] == "user_id (String)"
    assert "PAY_PER_REQUEST" in facts["Billing mode"]
    assert facts["Tags"] == "Project=bandup, Environment=production"
    assert facts["Point-in-time recovery"] == "on, 35 days"
    assert facts["Index user_id-created_at-index"].startswith("user_id, created_at")
    # The remaining line, the Lambdas' variables, is test_lambdas.py's.


@BOTH
def test_where_there_is_no_table_each_line_says_so_and_three_steps_make_it(table: Table) -> None:
    lines = checks(Target(table, "evals"), None)
    assert [check.subject for check in lines] == SUBJECTS
    assert {check.level for check in lines} == {"missing", "recommended"}
    create_step, pitr, protect = steps(lines)
    assert [step.action for step in (create_step, pitr, protect)] == ["create", "pitr", "protect"]
    for part in (
        *("evals", table.partition_key, "user_id", "on-demand", "Project=bandup", "Environment=production"),
        *(BY_STUDENT, BY_STATUS),
    ):
        assert part in create_step.what
    assert (create_step.required, pitr.required, protect.required) == (True, True, False)


@BOTH
@pytest.mark.parametrize(
    ("position", "key"),
    [
        (0, ("id", "S")),
        (0, None),
        (1, ("student", "S")),
        (1, None),
        (0, "N"),
        (1, "N"),
    ],
    ids=["partition key", "both missing", "sort key", "no sort key", "partition key's type", "sort key's type"],
)
def test_other_keys_are_blocked_and_a_blocked_table_gets_no_step_at_all(table: Table, position: int, key: Any) -> None:
    keys = list(declared(table).keys)
    if key is None:
        keys = keys[:position]
    else:
        keys[position] = (keys[position][0], key) if isinstance(key, str) else key
    # Everything else is wrong as well, and none of our business.
    lines = checklist(
        table, keys=tuple(keys), billing="PROVISIONED", tags={}, pitr=Pitr(False), indexes={}, protected=False
    )
    subject = SUBJECTS[1 + position]
    assert lines[subject].level == "blocked"
    assert "Keys cannot be changed" in lines[subject].fact
    assert table.variable in lines[subject].fact
    assert list(lines) == SUBJECTS[:3]
    assert steps(list(lines.values())) == ()


@BOTH
@pytest.mark.parametrize("status", ["DELETING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVING", "ARCHIVED"])
def test_a_table_that_goes_away_or_cannot_be_used_is_blocked(table: Table, status: str) -> None:
    lines = checklist(table, status=status, protected=False, pitr=Pitr(False))
    assert lines["Table"].level == "blocked"
    assert status in lines["Table"].fact
    assert steps(list(lines.values())) == ()


def test_a_table_that_is_being_made_is_building_and_one_that_is_being_changed_is_there() -> None:
    assert only(checklist(EVALUATIONS, status="CREATING")).level == "building"
    assert checklist(EVALUATIONS, status="UPDATING")["Table"].level == "ok"


@BOTH
def test_provisioned_billing_is_red_and_a_required_step_switches_it(table: Table) -> None:
    line = only(checklist(table, billing="PROVISIONED"))
    assert (line.subject, line.level) == ("Billing mode", "missing")
    assert "PROVISIONED" in line.fact
    assert line.step
    assert (line.step.action, line.step.required) == ("billing", True)


@pytest.mark.parametrize(
    ("tags", "detail", "facts"),
    [
        ({}, "Project,Environment", ("Project is missing", "Environment is missing")),
        ({"Project": "bandup"}, "Environment", ("Environment is missing",)),
        ({"Project": "bandup", "Environment": "staging", "Owner": "ops"}, "Environment", ("Environment is staging",)),
        ({"project": "bandup", "Environment": "production"}, "Project", ("Project is missing",)),
        ({"Project": "", "Environment": "production"}, "Project", ("Project is ",)),
    ],
    ids=["none", "one missing", "wrong value", "lower case", "empty"],
)
def test_missing_and_wrong_tags_are_red_and_only_they_are_set(
    tags: dict[str, str], detail: str, facts: tuple[str, ...]
) -> None:
    line = only(checklist(EVALUATIONS, tags=tags))
    assert (line.subject, line.level) == ("Tags", "missing")
    assert all(fact in line.fact for fact in facts)
    assert line.step
    assert (line.step.action, line.step.detail) == ("tags", detail)
    assert "others stay" in line.step.what
    assert "Owner" not in line.step.what
    replaced = tags.get("Environment") == "staging"
    assert ("Environment=production instead of staging" in line.step.what) is replaced
    assert ("setting them back" in line.step.undo) is any(key in tags for key in detail.split(","))


@BOTH
def test_pitr_that_is_off_is_red_and_its_step_names_the_period(table: Table) -> None:
    line = only(checklist(table, pitr=Pitr(False)))
    assert (line.subject, line.level, line.fact) == ("Point-in-time recovery", "missing", "off")
    assert line.step
    assert "35 days" in line.step.what


@BOTH
def test_pitr_of_fewer_days_than_declared_is_drift(table: Table) -> None:
    line = only(checklist(table, pitr=Pitr(True, 7)))
    assert (line.subject, line.level, line.fact) == ("Point-in-time recovery", "missing", "on, but for 7 of 35 days")
    assert line.step
    assert line.step.what.endswith("for 35 days instead of 7")
    assert line.pitr == Pitr(True, 7)


@BOTH
def test_what_a_stack_owns_is_told_with_each_step(table: Table) -> None:
    tags = {"aws:cloudformation:stack-name": "bandup-prod", "aws:cloudformation:logical-id": "Table"}
    lines = checklist(table, tags=tags, protected=False, pitr=Pitr(False))
    planned = steps(list(lines.values()))
    assert {step.action for step in planned} == {"tags", "pitr", "protect"}
    assert {step.stack for step in planned} == {"bandup-prod"}
    assert all("The CloudFormation stack bandup-prod owns it" in step.warning for step in planned)
    assert {step.warning for step in steps(list(checklist(table, protected=False).values()))} == {""}


@BOTH
@pytest.mark.parametrize("name", [BY_STUDENT, BY_STATUS])
def test_each_missing_index_is_recommended(table: Table, name: str) -> None:
    indexes = {key: value for key, value in declared(table).indexes.items() if key != name}
    line = only(checklist(table, indexes=indexes))
    assert (line.subject, line.level) == (f"Index {name}", "recommended")
    assert line.step
    assert (line.step.action, line.step.detail, line.step.required) == ("index", name, False)
    assert line.step.why == "recommended"


@BOTH
@pytest.mark.parametrize("name", [BY_STUDENT, BY_STATUS])
@pytest.mark.parametrize(
    "keys",
    [
        (("document_id", "S"), ("created_at", "N")),
        (("user_id", "S"), ("created_at", "S")),
        (("user_id", "S"),),
        (("created_at", "N"), ("user_id", "S")),
    ],
    ids=["other key", "other type", "no sort key", "turned round"],
)
def test_an_index_of_that_name_with_other_keys_is_blocked_and_the_rest_is_not(
    table: Table, name: str, keys: Any
) -> None:
    lines = checklist(table, indexes=change_index(table, name, keys=keys), pitr=Pitr(False))
    assert lines[f"Index {name}"].level == "blocked"
    assert "delete it in the AWS console" in lines[f"Index {name}"].fact
    assert [step.action for step in steps(list(lines.values()))] == ["pitr"]


def test_an_index_is_blocked_where_another_key_declares_its_attribute_with_another_type() -> None:
    types = {**declared(EVALUATIONS).types, "created_at": "S"}
    line = only(checklist(EVALUATIONS, indexes={BY_STATUS: declared(EVALUATIONS).indexes[BY_STATUS]}, types=types))
    assert (line.subject, line.level, line.step) == (f"Index {BY_STUDENT}", "blocked", None)
    assert line.fact.startswith("created_at is declared as another type")


@BOTH
def test_an_index_that_lacks_attributes_is_told_and_left_as_it_is(table: Table) -> None:
    few = frozenset(set(table.summary) - {"status"})
    line = only(checklist(table, indexes=change_index(table, BY_STUDENT, attributes=few)))
    assert (line.level, line.step) == ("recommended", None)
    assert "does not carry status" in line.fact


@pytest.mark.parametrize(("status", "backfilling"), [("CREATING", True), ("CREATING", False), ("UPDATING", False)])
def test_an_index_that_is_not_ready_is_building(status: str, backfilling: bool) -> None:
    line = only(
        checklist(EVALUATIONS, indexes=change_index(EVALUATIONS, BY_STATUS, status=status, backfilling=backfilling))
    )
    assert (line.level, line.step) == ("building", None)
    assert line.fact == status + (", being filled" if backfilling else "")


@BOTH
def test_a_table_that_can_be_deleted_is_recommended_to_be_protected(table: Table) -> None:
    line = only(checklist(table, protected=False))
    assert (line.subject, line.level) == ("Deletion protection", "recommended")
    assert line.step
    assert (line.step.action, line.step.required) == ("protect", False)


@pytest.mark.parametrize(
    ("failure", "level", "fact"),
    [
        (Failure("not_offered"), "not_offered", "not offered by this endpoint"),
        (Failure("access_denied"), "unchecked", Failure("access_denied")),
    ],
)
def test_what_cannot_be_asked_is_neither_green_nor_a_step(failure: Failure, level: str, fact: str | Failure) -> None:
    lines = checklist(EVALUATIONS, tags=failure, pitr=failure)
    for subject in ("Tags", "Point-in-time recovery"):
        assert lines[subject].level == level
        assert lines[subject].fact == fact
        assert lines[subject].step is None
    assert {check.level for check in lines.values()} == {"ok", level}


def test_an_index_that_carries_everything_or_more_is_no_drift() -> None:
    indexes = change_index(EVALUATIONS, BY_STUDENT, attributes=None)
    extra = ActualIndex("ACTIVE", (("model_used", "S"),), None)
    lines = checklist(EVALUATIONS, indexes={**indexes, "theirs": extra})
    assert {check.level for check in lines.values()} == {"ok"}
    assert "all attributes" in lines[f"Index {BY_STUDENT}"].fact


def every_step() -> list[Step]:
    wrong = {"billing": "PROVISIONED", "tags": {}, "pitr": Pitr(False), "indexes": {}, "protected": False}
    lines = [*checks(Target(EVALUATIONS, "evals"), None), *checklist(FLASHCARD_SETS, **wrong).values()]
    return list(steps(lines))


@pytest.mark.parametrize("step", every_step(), ids=lambda step: f"{step.action} {step.detail}")
def test_a_step_says_what_why_its_cost_and_whether_it_can_be_undone(step: Step) -> None:
    assert step.target.name in step.what
    assert step.why in ("required by the specification", "recommended")
    assert (step.why == "recommended") == (step.action in ("index", "protect"))
    assert step.cost
    assert step.undo.startswith(("Yes", "No"))


# The same through an engine


def on_moto(account: Store, table: Table) -> dict[str, Check]:
    target = Target(table, account.settings.name(table))
    return {check.subject: check for check in plan(account, [target]).checks}


@BOTH
def test_what_aws_or_others_add_is_no_drift(account: Store, table: Table) -> None:
    name = account.settings.name(table)
    create(account.client, table, name)
    arn = account.client.describe_table(TableName=name)["Table"]["TableArn"]
    account.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Owner", "Value": "ops"}])
    account.client.update_table(
        TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    account.client.update_table(
        TableName=name,
        AttributeDefinitions=[
            *account.client.describe_table(TableName=name)["Table"]["AttributeDefinitions"],
            {"AttributeName": "theirs", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "theirs",
                    "KeySchema": [{"AttributeName": "theirs", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    lines = on_moto(account, table)
    assert {s: c.level for s, c in lines.items() if c.level != "ok"} == {
        "Point-in-time recovery": "missing",
        "Deletion protection": "recommended",
    }


def test_what_describe_table_says_beyond_the_declared_is_not_looked_at(account: Store) -> None:
    name = account.settings.evaluations
    request = bare_request(
        EVALUATIONS, name, TableClass="STANDARD_INFREQUENT_ACCESS", SSESpecification={"Enabled": True}
    )
    account.client.create_table(**request)
    make = look_up(account, name)
    assert make is not None
    plain = replace(make, tags={}, pitr=Pitr(False))
    assert {check.subject for check in checks(Target(EVALUATIONS, name), plain)} == set(SUBJECTS)


@BOTH
def test_an_old_table_is_read_as_it_is(account: Store, table: Table) -> None:
    make_old(account)
    lines = on_moto(account, table)
    assert {subject: check.level for subject, check in lines.items()} == dict(
        zip(SUBJECTS, ["ok"] * 3 + ["missing"] * 3 + ["recommended"] * 3, strict=True)
    )
    assert lines["Tags"].fact == "Project is missing, Environment is staging"


@BOTH
def test_pitr_of_fewer_days_is_mended(account: Store, table: Table) -> None:
    name = account.settings.name(table)
    create(account.client, table, name)
    few = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
    account.client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=few)
    (step,) = (s for s in plan(account, [Target(table, name)]).steps if s.action == "pitr")
    assert [event.state for event in apply(account, [step], who="test", clock=INSTANT)] == ["running", "done"]
    assert on_moto(account, table)["Point-in-time recovery"].fact == "on, 35 days"


@BOTH
def test_the_other_tables_keys_are_blocked(account: Store, table: Table) -> None:
    other = TABLES[1 - TABLES.index(table)]
    create(account.client, other, account.settings.name(table))
    assert on_moto(account, table)["Partition key"].level == "blocked"


@BOTH
def test_an_index_with_other_keys_is_read_from_the_engine(account: Store, table: Table) -> None:
    swapped = [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": "user_id", "KeyType": "RANGE"}]
    account.client.create_table(**with_index(table, account.settings.name(table), KeySchema=swapped))
    lines = on_moto(account, table)
    assert lines[f"Index {BY_STUDENT}"].level == "blocked"
    assert "status (String), user_id (String)" in lines[f"Index {BY_STUDENT}"].fact
