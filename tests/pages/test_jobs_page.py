"""The Jobs page: the burst, its reason, what hangs, and marking just that as failed."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import streamlit as st

from analysis.fingerprints import signature
from analysis.incidents import code_of
from data.demo import engine
from data.demo.sample import sample
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.dynamodb.facts import TableFacts
from data.provisioning.requests import create
from data.records.jobs import Key, Mark, Marked, mark_failed
from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, TABLES
from data.settings import Settings
from queries import all_jobs, source
from queries.access.gate import Refused, Visitor
from queries.cache import Cache
from tests.support import engines
from tests.support.app import GONE, OPS, FailingClient, refused, scores, show, words
from tests.support.known_class import completed, failed, put
from ui.components import filters, grid
from ui.jobs import detail, listing, marking
from ui.shell import address
from ui.shell.boundary import NOT_SHOWN
from ui.students.record import NOTHING_TO_DO

JOBS = "pages/jobs.py"


def table_at(partition: str, region: str) -> TableFacts:
    """An empty table that is there."""
    return TableFacts("t", f"arn:{partition}:dynamodb:{region}:1:table/t", 0, 0, {})


def labels(app: Any) -> dict[str, str]:
    """The top line."""
    return {metric.label: metric.value for metric in app.metric}


# The demo's waiting jobs grow old while other tests run.
pytestmark = pytest.mark.usefixtures("demo_anew")


def test_the_file_says_which_jobs_were_chosen(files: dict[str, Callable[[], bytes]]) -> None:
    show(JOBS, {"state": "failed", "kind": "writing", "student": "user-1"})
    (content,) = (make().decode("utf-8-sig") for name, make in files.items() if name.startswith("jobs-"))
    assert re.search(r"^# jobs: \d+ rows? \(Status: Failed; Type: Writing; Student ID: user-1\)\r\n", content)


@pytest.fixture
def filled(dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]) -> Store:
    """The sample on dynoxide over HTTP, changeable, shown by the pages."""
    from dataclasses import replace  # noqa: PLC0415

    store = Store.open(replace(new_settings(dynoxide), allow_changes=True), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    data = sample(datetime.now(UTC))
    recent = (datetime.now(UTC) - timedelta(days=20)).timestamp()
    for table, records in ((EVALUATIONS, data.evaluations), (FLASHCARD_SETS, data.sets)):
        young = [r for r in records if recent < r.get("created_at", 0) < 2e9 and len(str(r)) < 9000]
        engine.write(store.client, store.settings.name(table), young)
    use(store)
    return store


def everything(store: Store) -> dict[str, dict[str, Any]]:
    """All items of both tables by id."""
    items: dict[str, dict[str, Any]] = {}
    for table in TABLES:
        pages = store.client.get_paginator("scan").paginate(TableName=store.settings.name(table))
        items |= {item[table.partition_key]["S"]: item for page in pages for item in page["Items"]}
    return items


def test_the_burst_its_reason_and_what_hangs_are_on_the_first_screen() -> None:
    app = show(JOBS)
    top = labels(app)
    assert int(top["Failed"]) >= 14
    assert int(top["Stuck"]) == 3
    assert int(top["Overdue"]) == 1
    assert top["Not recovered"].isdigit()
    text = words(app)
    assert re.search(r"3 jobs stuck \(oldest since \d+ \w+( \d{4})?, \d\d:\d\d\), 1 overdue\.", text)
    assert "most failures on" in text
    errors = next(frame.value for frame in app.dataframe if "First seen" in frame.value.columns)
    assert [*errors] == ["Error", "Jobs", "Students", "First seen", "Last seen", "Recovered", "History", "Full message"]
    assert [sum(history) for history in errors["History"]] == errors["Jobs"].tolist()
    assert errors["Error"].iloc[0].startswith("Throttled by ")
    assert errors["Error"].is_unique
    assert errors["Full message"].iloc[0].startswith("ThrottlingException")
    assert errors["Jobs"].is_monotonic_decreasing
    assert (errors["First seen"] <= errors["Last seen"]).all()


def test_incidents_come_first_with_their_students_and_each_has_an_address_of_its_own() -> None:
    app = show(JOBS)
    sentences = [str(html.value) for html in app.get("html") if "Throttled by gemini" in str(html.value)]
    assert "recovered. Over for" in sentences[0]
    assert "user-" not in "".join(sentences)  # the class list has all their names
    codes = re.findall(r"incident=([0-9a-f]{16}-\d{8}T\d{6})", sentences[0])
    assert codes
    for period in ({}, {"jobs": "1h"}):  # a link is good on any later day
        incident = show(JOBS, {"incident": codes[-1], **period})
        rows = next(frame.value for frame in incident.dataframe if "Error message" in frame.value.columns)
        assert len({signature(message) for message in rows["Error message"]}) == 1
        assert {"Status", "First seen", "Last seen", "Jobs", "Students", "Recovered"} <= {*scores(incident)}
        assert scores(incident)["Jobs"] == str(len(rows))
        assert not incident.metric  # it is a page about one incident


@pytest.mark.parametrize("code", ["00000000-20260101T000000", "00000000-29990101T000000", "nothing"])
def test_a_link_to_no_incident_is_said(code: str) -> None:
    assert "Its jobs may have been marked as failed since" in words(show(JOBS, {"incident": code}))


def test_a_link_is_good_where_more_failed_since_than_can_be_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    page = " ".join(str(html.value) for html in show(JOBS).get("html"))
    codes = re.findall(r"incident=([0-9a-f]{16}-\d{8}T\d{6})", page)
    oldest = min(codes, key=lambda code: code.partition("-")[2])
    between = all_jobs.between
    monkeypatch.setattr(all_jobs, "between", lambda *args, **more: between(*args, **more | {"most_reasons": 1}))
    assert scores(show(JOBS, {"incident": oldest}))["Jobs"] == "1"
    # Of one that is not there nobody can say that it is none.
    text = words(show(JOBS, {"incident": f"00000000-{oldest.partition('-')[2]}"}))
    assert "It may be among the jobs or error messages that were not loaded." in text
    assert "Its jobs may have been marked as failed since" not in text


def test_an_incident_is_not_over_where_later_failures_are_too_many_to_be_explained(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = (30, 29, 3, 2, 1)
    put(empty, *(failed(f"u{n}", n / 24) | {"error": "late"} for n in hours))
    put(empty, completed("v", 4 / 24, 6.0), completed("w", 0.01, 6.0))
    page = " ".join(str(html.value) for html in show(JOBS).get("html"))
    codes = {code.partition("-")[2]: code for code in re.findall(r"incident=([0-9a-f]{16}-\d{8}T\d{6})", page)}
    first, second = (codes[begin] for begin in sorted(codes))
    between = all_jobs.between
    monkeypatch.setattr(all_jobs, "between", lambda *args, **more: between(*args, **more | {"most_reasons": 2}))
    known = scores(show(JOBS, {"incident": second}))
    assert known["Status"].startswith("▲ Not over by")
    assert known["Jobs"] == "2 or more"
    assert "or later" in known["Last seen"]
    # What was over before that is over.
    known = scores(show(JOBS, {"incident": first}))
    assert known["Status"].startswith("✓ Over for")
    assert known["Jobs"] == "2"
    assert "or later" not in known["Last seen"]


def test_a_figure_of_the_top_line_filters_the_list_and_lets_it_go_again() -> None:
    app = show(JOBS, {"kind": "writing", "reason": "x"})
    figures = labels(app)
    app.button(key="only_Not recovered").click().run()
    rows = next(frame.value for frame in app.dataframe if "Error message" in frame.value.columns)
    assert app.query_params == {"state": "missing", "list": "figures"}
    assert len(rows) == int(figures["Not recovered"])
    app.button(key="only_Not recovered").click().run()
    assert app.query_params == {}


def test_a_bar_of_the_chart_is_a_filter_of_its_own_hour_or_day() -> None:
    whole = show(JOBS, {"state": "failed"}, "UTC")
    rows = next(frame.value for frame in whole.dataframe if "Error message" in frame.value.columns)
    day = rows["Date"].iloc[0].tz_convert(UTC)
    of_day = show(JOBS, {"state": "failed", "during": f"{day:%Y-%m-%d}"}, "UTC")
    listed = next(frame.value for frame in of_day.dataframe if "Error message" in frame.value.columns)
    assert set(listed["ID"]) == set(rows.loc[rows["Date"].dt.date == day.date(), "ID"])
    of_hour = show(JOBS, {"state": "failed", "during": f"{day:%Y-%m-%dT%H}"}, "UTC")
    hourly = next(frame.value for frame in of_hour.dataframe if "Error message" in frame.value.columns)
    assert set(hourly["ID"]) == set(rows.loc[rows["Date"].dt.floor("h") == day.floor("h"), "ID"])
    assert "is none" in words(show(JOBS, {"during": "soon"}))


def test_the_list_holds_all_but_completed_jobs_newest_first_with_what_they_say() -> None:
    app = show(JOBS)
    rows = next(frame.value for frame in app.dataframe if "Error message" in frame.value.columns)
    assert rows["Date"].is_monotonic_decreasing
    assert not rows["Status"].str.contains("completed").any()
    assert rows.loc[rows["Status"].str.contains("failed"), "Error message"].notna().all()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"kind": "flashcards"}, lambda rows: rows["Job"].str.startswith("Flashcards").all()),
        ({"state": "stuck"}, lambda rows: rows["Status"].str.startswith("■ stuck").all() and len(rows) == 3),
        ({"reason": "ThrottlingException"}, lambda rows: rows["Error message"].str.startswith("Throttling").all()),
        ({"text": "too many requests"}, lambda rows: rows["Error message"].str.contains("Too many requests").all()),
        ({"model": "audio", "state": "failed"}, lambda rows: rows["Model"].str.contains("audio").all()),
    ],
)
def test_each_filter_is_in_the_url_and_holds(params: dict[str, str], expected: Callable[[Any], bool]) -> None:
    app = show(JOBS, params)
    rows = next(frame.value for frame in app.dataframe if "Error message" in frame.value.columns)
    assert len(rows)
    assert expected(rows)


def test_a_link_to_a_job_shows_all_of_it(filled: Store) -> None:
    item = next(i for i in everything(filled).values() if {"evaluation_id", "error"} <= {*i})
    params = {"table": "evaluations", "job_id": item["evaluation_id"]["S"], "user_id": item["user_id"]["S"]}
    app = show(JOBS, params)
    text = words(app)
    assert scores(app)["ID"] == item["evaluation_id"]["S"]
    assert scores(app)["Error message"] == item["error"]["S"]
    assert "Other fields" not in text  # it would say the error message again
    # It depends on the hour whether the first one that failed has had a result since.
    advice = next(phrase for phrase in ("Next step:", NOTHING_TO_DO) if phrase in text)
    assert text.index(advice) < text.index("Error message")
    assert "Later succeeded" in text
    assert "Other jobs by this student" in text
    assert "There is no job “nobody”" in words(show(JOBS, {**params, "job_id": "nobody"}))


GIVEN_UP = {"failure_reason": str(Mark("ops", datetime(2026, 3, 1, tzinfo=UTC)))}


@pytest.mark.parametrize(
    ("days", "more", "sentence"),
    [
        (2.5, {}, NOTHING_TO_DO),
        (2.5, GIVEN_UP, NOTHING_TO_DO),
        (1, {}, "Ask the student to submit again if this one still matters: there are later Writing results."),
        (1, GIVEN_UP, "Ask the student to submit again if this one still matters: there are later Writing results."),
        (4, {}, "Ask the student to submit again."),
    ],
)
def test_a_job_and_its_evaluation_have_one_advice(
    days: float, more: dict[str, Any], sentence: str, empty: Store
) -> None:
    put(empty, failed("u", 3) | more, completed("u", days, 6.0))
    of_job = {"table": "evaluations", "job_id": "u-writing-3", "user_id": "u"}
    assert sentence in words(show(JOBS, of_job))
    assert sentence in words(show("pages/evaluation.py", {"evaluation_id": "u-writing-3", "user_id": "u"}))


def test_an_incident_tells_apart_who_has_no_result_who_practised_since_and_who_recovered(empty: Store) -> None:
    put(empty, *(failed(user, 3) | {"error": "late"} for user in "uvw"))
    put(empty, completed("u", 2.5, 6.0), completed("v", 1, 6.0))
    code = re.findall(r"incident=([0-9a-f]{16}-\d{8}T\d{6})", " ".join(str(h.value) for h in show(JOBS).get("html")))[0]
    text = words(show(JOBS, {"incident": code}))
    for heading, user in (("No result yet", "w"), ("Practised since", "v"), ("Recovered", "u")):
        assert re.search(rf'{heading}: 1 student[^\n]*user_id={user}"', text), heading
    assert "Ask the student to submit again if this one still matters." in text


def test_of_a_job_outside_the_period_nobody_knows_whether_there_is_a_later_result(filled: Store) -> None:
    failed = [i for i in everything(filled).values() if {"evaluation_id", "error"} <= {*i}]
    item = min(failed, key=lambda one: float(one["created_at"]["N"]))
    params = {"table": "evaluations", "job_id": item["evaluation_id"]["S"], "user_id": item["user_id"]["S"]}
    assert "unless there is a later result." in words(show(JOBS, {**params, "jobs": "24h"}))
    assert "unless there is a later result." not in words(show(JOBS, {**params, "jobs": "30d"}))


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("keyerror", ["1", "2"]),
        ("in part 3", ["2"]),
        ("timeout", []),
    ],
)
def test_what_is_typed_is_looked_for_in_the_error_messages(reason: str, expected: list[str]) -> None:
    rows = {"job_id": ["1", "2", "3"], "signature": ["KeyError: 'a'", "KeyError: 'a' in part <n>", None]}
    jobs = pd.DataFrame(rows | {"why": ["KeyError: 'a'", "KeyError: 'a' in part 3", None], "state": "failed"})
    chosen = listing.JobsFilter(filters.ALL, "failed", "", "", reason, "")
    assert chosen.rows(jobs)["job_id"].tolist() == expected


def test_an_error_that_was_clicked_is_just_that_one_and_its_words_are_not_in_the_address(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    essay = "My name is Linh Nguyen and I think"
    put(empty, failed("u", 3) | {"essay": essay}, failed("v", 2) | {"essay": f"{essay} so"})
    chosen: list[Callable[[int], None]] = []
    put_before, on_pick = address.put, grid.on_pick

    def keeping(rows: pd.DataFrame, columns: Any, act: Callable[[int], None], **named: Any) -> None:
        if named["key"] == "errors":
            chosen.append(act)
        on_pick(rows, columns, act, **named)

    monkeypatch.setattr(grid, "on_pick", keeping)
    show(JOBS)
    params: dict[str, str] = {}
    monkeypatch.setattr(address, "put", lambda **values: params.update(values))
    chosen[-1](0)
    monkeypatch.setattr(address, "put", put_before)
    params = {key: text for key, text in params.items() if text}
    assert {*params} == {"error", "state"}
    assert params["error"] in {code_of(signature(f"essay: {text}")) for text in (essay, f"{essay} so")}
    app = show(JOBS, params)
    rows = next(frame.value for frame in app.dataframe if "Error message" in frame.value.columns)
    assert rows["ID"].tolist() == ["u-writing-3"]
    assert essay in words(app)
    # Whether it never was, or no job has it any more, nobody can tell: the list is empty, and says why.
    text = words(show(JOBS, {"error": "00000000", "state": "failed"}))
    assert "The link&#39;s error is not in this period." in text
    assert "0 of 2 jobs" in text


def test_a_failed_document_has_the_command_that_uploads_it_again(filled: Store) -> None:
    items = everything(filled).values()
    item = next(i for i in items if i.get("status") == {"S": "failed"} and "set_id" in i and "document_id" in i)
    params = {"table": "flashcards", "job_id": item["set_id"]["S"], "user_id": item["user_id"]["S"]}
    commands = [code.value for code in show(JOBS, params).code]
    assert any(command.startswith("aws s3 cp ") and item["document_id"]["S"] in command for command in commands)


@pytest.mark.parametrize(
    "name",
    [
        "a' & calc & '.pdf",  # cmd knows no single quotation marks
        "a\u2019; calc; \u2019.pdf",  # to PowerShell, curly ones are as good as straight ones
        "a\x03rm -rf ~\n.pdf",  # a terminal that pastes Ctrl+C drops what came before
        "a\x1b[201~\nid\n.pdf",  # the end of what is pasted
        *('a"b', "a$(id)b", "a`id`b", "%PATH%", "a!b", "a\\", "a|b", "a>b", "a^b", "a\u2028b", "a\u202eb"),
    ],
)
def test_no_name_of_a_document_becomes_a_command(name: str) -> None:
    assert detail._again(f"uploads/{name}") == ""
    plain = "uploads/Tiếng Việt (2), a-b_c.pdf"
    assert detail._again(plain).count(f'"s3://BUCKET/{plain}"') == 2


def test_marking_shows_exactly_which_first_and_changes_nothing_else(filled: Store) -> None:
    before = everything(filled)
    app = show(JOBS, {"state": "stuck"})
    rows = next(frame.value for frame in app.dataframe if "Error message" in frame.value.columns)
    figures = labels(app)
    next(b for b in app.button if b.label.startswith("Mark 3")).click().run()
    assert "This cannot be undone." in words(app)
    assert everything(filled) == before
    preview = next(
        frame.value
        for frame in app.dataframe
        if list(frame.value.columns) == ["Date", "Type", "Status", "Student", "ID"]
    )
    assert sorted(preview["ID"]) == sorted(rows["ID"])
    app.button(key="mark_go").click().run()
    after = everything(filled)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == set(rows["ID"])
    for name in changed:
        assert after[name]["status"] == {"S": "failed"}
        rest = {k: v for k, v in after[name].items() if k not in ("status", "failure_reason")}
        assert rest == {k: v for k, v in before[name].items() if k != "status"}
    assert "3 of 3 jobs marked as failed." in words(app)
    top = labels(app)
    assert (top["Stuck"], top["Abandoned"]) == ("0", "3")
    # What a person gave up is no failure, in no count and under no error.
    assert (top["Failed"], top["Failure rate"]) == (figures["Failed"], figures["Failure rate"])
    errors = next(frame.value for frame in app.dataframe if "First seen" in frame.value.columns)
    assert not errors["Error"].str.contains("Marked as failed").any()
    abandoned = show(JOBS, {"state": "abandoned"})
    listed = next(frame.value for frame in abandoned.dataframe if "Error message" in frame.value.columns)
    assert sorted(listed["ID"]) == sorted(changed)
    assert listed["Error message"].str.startswith("Marked as failed by ").all()


def test_marking_shows_at_once_in_a_period_that_is_over(filled: Store) -> None:
    today = datetime.now(UTC).date()
    dates = {"from": str(today - timedelta(days=15)), "to": str(today - timedelta(days=1))}
    app = show(JOBS, {"state": "stuck", "jobs": "custom", **dates})
    stuck = labels(app)["Stuck"]
    assert int(stuck)
    app.button(key="mark_ask").click().run()
    app.button(key="mark_go").click().run()
    assert (labels(app)["Stuck"], labels(app)["Abandoned"]) == ("0", stuck)


def test_the_page_does_not_read_again_by_itself_while_jobs_are_asked_about(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces: list[int | None] = []
    real = st.fragment

    def fragment(*args: Any, run_every: int | None = None, **more: Any) -> Any:
        paces.append(run_every)
        return real(*args, run_every=run_every, **more)

    monkeypatch.setattr(st, "fragment", fragment)
    app = show(JOBS, {"state": "stuck", "again": "10s"})
    assert paces[-1] == 10
    # The page's own run of the click is the first; the one after it knows that a dialog is open.
    app.button(key="mark_ask").click().run()
    assert paces[-1] is None
    app.button(key="mark_leave").click().run()
    assert paces[-1] == 10


def test_a_mark_bears_the_time_of_the_click(monkeypatch: pytest.MonkeyPatch) -> None:
    now, times = datetime(2026, 3, 1, 12, tzinfo=UTC), []

    def mark(*_: Any, now: datetime, **__: Any) -> list[Any]:
        times.append(now)
        return []

    monkeypatch.setattr(marking.jobs, "mark_failed", mark)
    monkeypatch.setattr(marking.sign_in, "require_ops", lambda _: Visitor(None, "ops"))
    monkeypatch.setattr(marking.source, "store", lambda: None)
    monkeypatch.setattr(marking, "cache", Cache(lambda: now))
    monkeypatch.setattr(marking, "_end", lambda _: None)
    marking._step(marking._Run(1, [(Key("evaluations", "e", "u"), now - timedelta(days=1))]))
    assert times == [now]


def test_what_may_have_been_marked_is_said(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = marking.jobs.mark_failed

    def mark(store: Store, jobs: list[Any], **more: Any) -> list[Marked]:
        if done:
            return list(real(store, jobs, **more))
        done.append(jobs)
        lost = Failure("too_slow", case="in_doubt", operation="UpdateItem", resource="evaluations")
        return [Marked(jobs[0][0], "not known", lost)]

    done: list[Any] = []
    monkeypatch.setattr(marking.jobs, "mark_failed", mark)
    app = show(JOBS, {"state": "stuck"})
    app.button(key="mark_ask").click().run()
    app.button(key="mark_go").click().run()
    assert "2 of 3 jobs marked as failed. 1 more may have been: press Refresh." in words(app)


def test_what_was_marked_when_it_is_stopped_is_said_and_the_rest_is_as_it_was(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(filled)
    app = show(JOBS, {"state": "stuck"})
    app.button(key="mark_ask").click().run()
    real = marking._again
    # The dialog stands still after its first step, as it does for a browser between two of them.
    steps = iter([real, st.stop])

    def again() -> None:
        next(steps)()

    monkeypatch.setattr(marking, "_STEP", 0.0001)
    monkeypatch.setattr(marking, "_again", again)
    app.button(key="mark_go").click().run()
    monkeypatch.setattr(marking, "_again", real)
    app.button(key="mark_stop").click().run()
    changed = [name for name, item in everything(filled).items() if item != before[name]]
    assert len(changed) == 1
    assert "1 of 3 jobs marked as failed. Stopped: 2 jobs not tried and unchanged." in words(app)


@pytest.mark.parametrize("gone", GONE)
def test_a_right_that_goes_while_jobs_are_marked_ends_it_and_what_was_marked_is_said(
    filled: Store, gone: Visitor | Refused, become: Callable[[Visitor | Refused], None]
) -> None:
    become(OPS)
    before = everything(filled)
    app = show(JOBS, {"state": "stuck"})
    app.button(key="mark_ask").click().run()
    filled.client.meta.events.register("before-call.dynamodb.UpdateItem", lambda **_: become(gone))
    app.button(key="mark_go").click().run()
    changed = [name for name, item in everything(filled).items() if item != before[name]]
    assert len(changed) == 1
    text = words(app)
    assert "Only ops may" not in text
    if isinstance(gone, Refused):
        assert str(gone) in text
    else:
        assert "1 of 3 jobs marked as failed. Stopped: 2 jobs not tried and unchanged." in text
        # Whose they are is for ops.
        assert f"{changed[0]} of " not in text


def test_without_permission_to_change_there_is_no_button_and_the_data_layer_refuses(
    filled: Store, use: Callable[[Store], None]
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    bound = Store(replace(filled.settings, allow_changes=False), filled.client)
    use(bound)
    app = show(JOBS)
    assert not [b for b in app.button if b.label.startswith("Mark")]
    assert "BANDUP_ALLOW_CHANGES=1" in words(app)
    with pytest.raises(Failure, match="read_only"):
        list(mark_failed(bound, [(Key("evaluations", "e", "u"), datetime.now(UTC))], who="me", now=datetime.now(UTC)))


def test_a_click_reads_nothing_again(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = show(JOBS)
    monkeypatch.setattr(filled, "client", FailingClient(AssertionError("a request")))
    app.query_params["kind"] = "writing"
    app.run()
    assert NOT_SHOWN not in words(app)


def test_no_jobs_is_a_sentence(
    dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    store = Store.open(new_settings(dynoxide), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    use(store)
    assert "Choose a longer period above." in words(show(JOBS))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ResourceNotFoundException"])
def test_failing_aws_is_a_sentence(
    code: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused(code))
    use(Store(new_settings("http://127.0.0.1:1"), client))
    text = words(show(JOBS))
    assert f"The jobs {NOT_SHOWN}" in text
    assert "Refresh" in text


def test_a_custom_period_that_ends_before_it_begins_is_said() -> None:
    assert "Start date must be before end date." in words(
        show(JOBS, {"jobs": "custom", "from": "2026-03-02", "to": "2026-03-01"})
    )
    assert "is no date" in words(show(JOBS, {"jobs": "custom", "from": "soon"}))


def test_the_thresholds_can_be_set() -> None:
    app = show(JOBS)
    app.number_input(key="_stuck_hours").set_value(24).run()
    assert int(labels(app)["Stuck"]) < 3


def test_thresholds_that_were_set_hold_for_a_job_too_and_are_said(empty: Store) -> None:
    put(empty, failed("u", 7 / 24) | {"status": "processing"})
    app = show(JOBS, {"table": "evaluations", "job_id": f"u-writing-{7 / 24:g}", "user_id": "u"})
    assert "■ stuck" in scores(app)["Status"]
    app.number_input(key="_stuck_hours").set_value(24).run()
    assert "overdue" in scores(app)["Status"]
    assert "Overdue: 15 min to 24 h. Stuck: over 24 h." in words(app)
    app.number_input(key="_overdue_minutes").set_value(600).run()
    assert "Wait: a job may take up to 10 h." in words(app)


@pytest.mark.parametrize(
    ("own", "group"), [("/school/writing", "$252Fschool$252Fwriting"), (None, "$252Faws$252Flambda$252F")]
)
def test_the_log_that_is_opened_is_the_functions_own_where_that_may_be_asked(
    own: str | None, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @cache
    def log_group(_: str) -> str:
        if own is None:
            raise Failure("access_denied")
        return own

    settings = Settings.read({"BANDUP_SOURCE": "aws"})
    monkeypatch.setattr(source, "settings", lambda: settings)
    monkeypatch.setattr(source, "store", lambda: SimpleNamespace(real_aws=True))
    monkeypatch.setattr(source, "facts", lambda _: table_at("aws", "eu-west-1"))
    monkeypatch.setattr(source, "log_group", log_group)
    url = detail._logs(Key("evaluations", "eval-1", "u"), "writing", datetime(2026, 3, 4, tzinfo=UTC))
    assert url
    assert f"log-group/{group}" in url


@pytest.mark.parametrize(
    ("partition", "region", "start"),
    [
        ("aws", "eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#"),
        (
            "aws-us-gov",
            "us-gov-west-1",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#",
        ),
        ("aws-iso", "us-iso-east-1", None),
    ],
)
def test_the_log_is_opened_in_the_console_of_the_tables_partition(
    partition: str, region: str, start: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "settings", lambda: Settings.read({"BANDUP_SOURCE": "aws"}))
    monkeypatch.setattr(source, "store", lambda: SimpleNamespace(real_aws=True))
    monkeypatch.setattr(source, "facts", lambda _: table_at(partition, region))
    monkeypatch.setattr(source, "log_group", cache(lambda name: name))
    url = detail._logs(Key("evaluations", "eval-1", "u"), "writing", datetime(2026, 3, 4, tzinfo=UTC))
    assert (url is None) == (start is None)
    assert (url or "").startswith(start or "")


@pytest.mark.parametrize(
    ("table", "kind", "name"),
    [
        ("evaluations", "writing", "bandup-writing-evaluator"),
        ("evaluations", "speaking", "bandup-speaking-evaluator"),
        ("flashcards", "flashcards", "bandup-flashcard-generator"),
        ("evaluations", "reading", None),
    ],
)
def test_a_jobs_log_is_that_of_the_function_which_does_such_jobs_wherever_it_is_declared(
    table: str, kind: str, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = tuple(reversed(FUNCTIONS))
    settings = replace(Settings.read({"BANDUP_SOURCE": "aws"}), functions=tuple(f.default_name for f in functions))
    monkeypatch.setattr(detail, "FUNCTIONS", functions)
    monkeypatch.setattr(source, "settings", lambda: settings)
    monkeypatch.setattr(source, "store", lambda: SimpleNamespace(real_aws=True))
    monkeypatch.setattr(source, "facts", lambda _: table_at("aws", "eu-west-1"))
    monkeypatch.setattr(source, "log_group", cache(lambda function: f"/logs/{function}"))
    url = detail._logs(Key(table, "job-1", "u"), kind, datetime(2026, 3, 4, tzinfo=UTC))
    assert (url is None) == (name is None)
    assert name is None or f"$252Flogs$252F{name}/" in (url or "")
