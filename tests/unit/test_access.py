"""Who may see what, decided from secrets.toml, the provider's claims and the address: everything unclear is refused."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from data.roster import Roster, Student
from queries import source
from queries.access import secret_files
from queries.access.gate import Refused, Visitor
from queries.access.rules import AccessError, AccessRules, local
from queries.session import cache
from tests.conftest import secrets_of
from tests.support.app import show, words
from ui.shell import page, sign_in

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AUTH = {
    "redirect_uri": "https://dashboard.example/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
    "client_id": "bandup",
    "client_secret": "shh",
    "server_metadata_url": "https://login.example/.well-known/openid-configuration",
}
ROLES = {
    "ops": ["Olga@school.example"],
    "teacher": ["tran@school.example", "le@school.example"],
    "claim": {"name": "groups", "ops": ["bandup-ops"], "teacher": ["bandup-teachers"]},
}
SECRETS = {"auth": AUTH, "roles": ROLES, "classes": {"Tran@school.example": ["Monday evening"]}}
ROSTER = Roster(
    {
        "user-1": Student("user-1", "Linh", "Monday evening"),
        "user-2": Student("user-2", "Minh", "Thursday"),
        "user-3": Student("user-3", "An"),
    }
)


def secrets(**changes: Any) -> dict[str, Any]:
    """SECRETS with other sections; None leaves one out."""
    return {name: value for name, value in {**SECRETS, **changes}.items() if value is not None}


def user(email: str | None = "olga@school.example", **claims: Any) -> dict[str, Any]:
    """What Streamlit's st.user holds after a sign-in an hour ago."""
    issued = (NOW - timedelta(hours=1)).timestamp()
    return {"is_logged_in": True, "email": email, "email_verified": True, "iat": issued, **claims}


def rules(**changes: Any) -> AccessRules:
    rules = AccessRules.read(secrets(**changes))
    assert rules
    return rules


@pytest.mark.parametrize(
    ("claims", "visitor"),
    [
        (user("olga@school.example"), Visitor("olga@school.example", "ops")),
        (user("OLGA@School.Example"), Visitor("olga@school.example", "ops")),
        (user("le@school.example"), Visitor("le@school.example", "teacher")),
        (user("tran@school.example"), Visitor("tran@school.example", "teacher", frozenset({"Monday evening"}))),
        (user("new@school.example", groups=["x", "bandup-teachers"]), Visitor("new@school.example", "teacher")),
        (user("new@school.example", groups="bandup-ops"), Visitor("new@school.example", "ops")),
        (user("new@school.example", groups=["bandup-teachers", "bandup-ops"]), Visitor("new@school.example", "ops")),
        # Small letters of A to Z alone: others would make one address of two.
        (user("\u00d6LGA@school.example", groups=["bandup-teachers"]), Visitor("\u00d6lga@school.example", "teacher")),
        # The address counts before the claim, so that one person can be set right.
        (user("le@school.example", groups=["bandup-ops"]), Visitor("le@school.example", "teacher")),
        ({**user("le@school.example"), "email_verified": "true"}, Visitor("le@school.example", "teacher")),
    ],
)
def test_a_role_comes_from_the_address_or_a_claim(claims: Mapping[str, Any], visitor: Visitor) -> None:
    assert rules().visitor(claims, NOW) == visitor


def test_a_provider_that_says_nothing_of_verification_is_believed() -> None:
    claims = user()
    del claims["email_verified"]
    assert rules().visitor(claims, NOW).is_ops


@pytest.mark.parametrize(
    ("claims", "sentence", "way"),
    [
        ({}, "Sign in", "sign in"),
        ({"is_logged_in": False}, "Sign in", "sign in"),
        ({**user(), "is_logged_in": "true"}, "Sign in", "sign in"),
        (user("nobody@school.example"), "no role", "sign out"),
        (user("nobody@school.example", groups=["other"]), "no role", "sign out"),
        (user("nobody@school.example", groups=None), "no role", "sign out"),
        (user("nobody@school.example", groups={"bandup-ops": True}), "no role", "sign out"),
        (user(email_verified=False), "not verified", "sign out"),
        (user(email_verified="false"), "not verified", "sign out"),
        (user(email_verified=None), "not verified", "sign out"),
        (user(None), "without an e-mail", "sign out"),
        (user(""), "without an e-mail", "sign out"),
        (user(iat=(NOW - timedelta(hours=13)).timestamp()), "expired", "sign in"),
        (user(iat=(NOW + timedelta(hours=1)).timestamp()), "clock", "sign in"),
        (user(iat=None), "expired", "sign in"),
        (user(iat=True), "expired", "sign in"),
        (user(iat=1e300), "expired", "sign in"),
        (user(iat=float("nan")), "expired", "sign in"),
    ],
)
def test_without_a_valid_sign_in_or_a_role_nothing_is_seen(claims: dict[str, Any], sentence: str, way: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        rules().visitor(claims, NOW)
    assert refused.value.way == way


def test_how_long_a_sign_in_lasts_can_be_set() -> None:
    claims = user(iat=(NOW - timedelta(hours=2)).timestamp())
    assert rules().visitor(claims, NOW)
    with pytest.raises(Refused, match="expired"):
        rules(roles={**ROLES, "hours": 1.5}).visitor(claims, NOW)


def test_teachers_who_are_not_named_may_be_limited_too() -> None:
    limited = rules(classes={"tran@school.example": ["Thursday"], "*": []})
    assert limited.visitor(user("tran@school.example"), NOW).classes == {"Thursday"}
    assert limited.visitor(user("le@school.example"), NOW).classes == frozenset()
    assert limited.visitor(user("olga@school.example"), NOW).classes is None


def test_no_sign_in_is_set_up_without_a_section_auth() -> None:
    assert AccessRules.read({}) is None
    assert AccessRules.read({"other": {"key": "of another tool"}}) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"auth": None}, r"has \[roles\] and \[classes\] but no \[auth\]"),
        ({"auth": "yes"}, r"no \[auth\]"),
        *(({"auth": {**AUTH, name: ""}}, name) for name in AUTH),
        *(({"auth": {k: v for k, v in AUTH.items() if k != name}}, name) for name in AUTH),
        ({"auth": {**AUTH, "cookie_secret": "xxx"}}, "cookie_secret is shorter"),
        ({"auth": {**AUTH, "redirect_uri": "http://dashboard.example/oauth2callback"}}, "redirect_uri must begin"),
        ({"auth": {**AUTH, "redirect_uri": "https://dashboard.example/"}}, "must end with /oauth2callback"),
        ({"auth": {**AUTH, "server_metadata_url": "http://login.example/"}}, "server_metadata_url must begin"),
        ({"auth": {**AUTH, "server_metadata_url": "http://[bad"}}, "server_metadata_url must begin"),
        ({"auth": {**AUTH, "google": {"client_id": "x"}}}, r"\[auth\] holds something other"),
        ({"roles": None}, r"no \[roles\]"),
        ({"roles": []}, r"no \[roles\]"),
        ({"roles": {}}, "gives nobody a role"),
        ({"roles": {"ops": [], "teacher": []}}, "gives nobody a role"),
        ({"roles": {"ops": "olga@school.example"}}, "lists of texts"),
        ({"roles": {"ops": [1]}}, "lists of texts"),
        ({"roles": {"ops": ["olga"]}}, "no e-mail address"),
        ({"roles": {"opps": ["olga@school.example"]}}, "something other than ops, teacher"),
        ({"roles": {"ops": ["a@x"], "teacher": ["A@X"]}}, "under ops and under teacher"),
        ({"roles": {**ROLES, "hours": 0}}, "hours"),
        ({"roles": {**ROLES, "hours": "12"}}, "hours"),
        ({"roles": {**ROLES, "hours": True}}, "hours"),
        ({"roles": {**ROLES, "hours": 10_000}}, "hours"),
        ({"roles": {"claim": {"ops": ["x"]}}}, "has no name"),
        ({"roles": {"claim": "groups"}}, r"no \[roles.claim\]"),
        ({"roles": {"claim": {"name": "groups", "ops": ["x"], "admin": ["y"]}}}, r"\[roles.claim\] holds something"),
        ({"classes": []}, r"no \[classes\]"),
        ({"classes": {"tran@school.example": "Monday evening"}}, "lists of texts"),
        ({"classes": {"tran@school.example": [""]}}, "lists of texts"),
        ({"classes": {"tran": ["Monday evening"]}}, "no e-mail address"),
        ({"classes": {"a@x": ["A"], "A@x": ["B"]}}, "twice"),
        ({"classes": {"olga@school.example": ["A"]}}, "somebody of ops"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_place_and_no_value(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AccessError, match=sentence) as error:
        AccessRules.read(secrets(**changes))
    assert "school" not in str(error.value)
    assert "shh" not in str(error.value)


@pytest.mark.parametrize(
    ("visitor", "seen"),
    [
        (Visitor(None, "ops"), {"user-1", "user-2", "user-3", "user-4", None}),
        (Visitor("a@x", "teacher"), {"user-1", "user-2", "user-3", "user-4", None}),
        (Visitor("a@x", "teacher", frozenset({"Monday evening"})), {"user-1"}),
        (Visitor("a@x", "teacher", frozenset({"Monday evening", "Thursday"})), {"user-1", "user-2"}),
        (Visitor("a@x", "teacher", frozenset({"monday evening"})), set()),
        (Visitor("a@x", "teacher", frozenset()), set()),
        # The class of those without one is nobody's.
        (Visitor("a@x", "teacher", frozenset({""})), {"user-3"}),
    ],
)
def test_a_limit_to_classes_leaves_their_students_alone(visitor: Visitor, seen: set[str | None]) -> None:
    everybody = ("user-1", "user-2", "user-3", "user-4", None)
    assert {user_id for user_id in everybody if visitor.may_see(user_id, ROSTER)} == seen


def test_an_empty_roster_shows_nobody_to_a_limited_teacher() -> None:
    assert not Visitor("a@x", "teacher", frozenset({"Monday evening"})).may_see("user-1", Roster())
    assert not Visitor("a@x", "teacher", frozenset({"Monday evening"})).may_see(float("nan"), ROSTER)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST", "::1", "[::1]"])
@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "localhost"])
def test_on_loopback_the_one_who_started_it_may_do_everything(address: str, host: str) -> None:
    assert local(address, {"Host": host}) == Visitor(None, "ops")


@pytest.mark.parametrize(
    "address",
    [None, "", "0.0.0.0", "::", "192.168.1.5", "example.org", "unix:///x", "127.0.0.1.evil.example"],  # noqa: S104
)
def test_a_server_that_others_reach_shows_nothing_without_sign_in(address: str | None) -> None:
    with pytest.raises(Refused, match=r"nobody has to sign in.*no data.*127\.0\.0\.1") as refused:
        local(address, {"Host": "127.0.0.1:8501"})
    assert refused.value.way is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},  # a name that somebody else's DNS sends here
        {"Host": "192.168.1.5:8501"},
        {"host": "127.0.0.1.evil.example"},
        {"Host": "[bad"},
        {"Host": ""},
        {"Host": "127.0.0.1", "X-Forwarded-For": "203.0.113.7"},
        {"Host": "127.0.0.1", "X-Forwarded-Proto": "https"},
        {"Host": "127.0.0.1", "X-Amzn-Trace-Id": "Root=1"},
        {"Host": "127.0.0.1", "X-Client-IP": "203.0.113.7"},
        {"Host": "127.0.0.1", "CF-Connecting-IP": "203.0.113.7"},
        {"Host": "127.0.0.1", "forwarded": "for=203.0.113.7"},
        {"Host": "127.0.0.1", "Via": "1.1 proxy"},
    ],
)
def test_through_a_proxy_or_another_name_nothing_is_shown_without_sign_in(headers: dict[str, str]) -> None:
    with pytest.raises(Refused, match="another name or a proxy"):
        local("127.0.0.1", headers)


def test_another_computer_is_refused_whatever_the_configuration_and_its_request_say() -> None:
    # Such as after “uvicorn dashboard:app --host 0.0.0.0”, of which Streamlit's configuration knows nothing.
    with pytest.raises(Refused, match="reached from elsewhere"):
        local("127.0.0.1", {"Host": "127.0.0.1"}, "192.168.1.7")
    assert local("127.0.0.1", {"Host": "127.0.0.1"}, "127.0.0.1")


def test_secrets_are_read_anew_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    monkeypatch.setattr(st, "get_option", {"secrets.files": [str(first), str(second)]}.get)
    assert secrets_of() == {}
    first.write_text('[roles]\nops = ["a@x"]\n[classes]\n', encoding="utf-8")
    second.write_text('[roles]\nops = ["b@x"]\n', encoding="utf-8")
    assert secrets_of() == {"roles": {"ops": ["b@x"]}, "classes": {}}
    second.unlink()
    assert secrets_of() == {"roles": {"ops": ["a@x"]}, "classes": {}}


@pytest.mark.parametrize("content", [b"[roles\n", b"\xff\xfe"])
def test_a_broken_secrets_file_is_not_taken_for_none(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "secrets.toml"
    path.write_bytes(content)
    monkeypatch.setattr(st, "get_option", {"secrets.files": [str(path)]}.get)
    with pytest.raises(AccessError, match="cannot be read"):
        secrets_of()


def test_a_secrets_file_out_of_reach_is_not_taken_for_none(tmp_path: Path) -> None:
    """A secret that is not mounted, a link in a circle, a file in the place of the folder: rights hang on it."""
    beside = tmp_path / "beside"
    beside.symlink_to(tmp_path / "not mounted", target_is_directory=True)
    link, circle, deep = (tmp_path / name for name in ("link.toml", "circle.toml", "deep.toml"))
    link.symlink_to(tmp_path / "not mounted" / "secrets.toml")
    circle.symlink_to(circle)
    deep.write_text(f"a = {'[' * 5_000}", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.toml")
    within = (*(folder / "secrets.toml" for folder in (beside, tmp_path / "file")), tmp_path / "pipe.toml")
    for path in (link, circle, deep, *within, tmp_path / ("n" * 300)):
        with pytest.raises(AccessError, match="cannot be read"):
            secret_files.read([str(path)])
    assert secret_files.read([str(tmp_path / "none" / "secrets.toml")]) == {}


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """Streamlit's folders: the user's, that of the start, and the one beside dashboard.py."""
    folders = {name: tmp_path / name / ".streamlit" for name in ("home", "started", "beside")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "started")
    monkeypatch.setattr(secret_files, "_BESIDE", folders["beside"])
    return folders


def test_commands_look_for_secrets_where_the_server_does(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_main_script_path", str(folders["beside"].parent / "dashboard.py"))
    assert secret_files.paths({}) == config.get_config_files("secrets.toml")
    monkeypatch.chdir(folders["beside"].parent)
    assert secret_files.paths({}) == config.get_config_files("secrets.toml")


def test_where_secrets_are_may_be_said_by_a_variable_or_config_toml(folders: dict[str, Path]) -> None:
    for name in ("home", "beside"):
        (folders[name] / "config.toml").write_text(f'[secrets]\nfiles = ["/{name}.toml"]\n', encoding="utf-8")
    (folders["started"] / "config.toml").write_text('[server]\naddress = "127.0.0.1"\n', encoding="utf-8")
    assert secret_files.paths({}) == ["/beside.toml"]
    assert secret_files.paths({secret_files.VARIABLE: "/a.toml /b.toml"}) == ["/a.toml", "/b.toml"]
    (folders["home"] / "config.toml").write_text("[secrets", encoding="utf-8")
    with pytest.raises(AccessError, match=r"config\.toml cannot be read"):
        secret_files.paths({})


PAGES = ["overview", "student", "evaluation", "flashcards", "jobs", "audit", "setup"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (SECRETS, "Sign in to see it."),
        ({**SECRETS, "roles": {}}, "gives nobody a role. So this dashboard shows no data."),
    ],
    ids=["signed out", "wrong roles"],
)
def test_no_page_reads_anything_for_somebody_who_may_not_look(
    name: str, content: dict[str, Any], sentence: str, use: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Untouched:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} of the store was asked for")

    use(Untouched())
    monkeypatch.setattr(sign_in, "_secrets", lambda: content)
    app = show(f"pages/{name}.py", {"user_id": "user-101"})
    assert sentence in words(app)
    assert "Refresh" not in words(app)
    assert "Demo" not in words(app)
    assert "user-101" not in words(app)


def test_headers_that_say_who_somebody_is_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"server.trustedUserHeaders": {"X-User": "email"}, "secrets.files": []}
    monkeypatch.setattr(st, "get_option", options.get)
    monkeypatch.setattr(sign_in, "_secrets", lambda: SECRETS)
    with pytest.raises(Refused, match="anybody could claim"):
        sign_in.current()


def test_sign_in_that_is_gone_does_not_open_the_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_secrets", lambda: SECRETS)
    assert "Sign in to see it." in words(show("pages/overview.py"))
    monkeypatch.setattr(sign_in, "_secrets", dict)
    assert "is gone now" in words(show("pages/overview.py"))


@pytest.fixture
def as_visitor(monkeypatch: pytest.MonkeyPatch) -> Callable[[Visitor], None]:
    """Let the pages be opened by a given visitor."""

    def choose(visitor: Visitor) -> None:
        monkeypatch.setattr(sign_in, "current", lambda: visitor)

    return choose


@pytest.fixture
def class_roster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A roster of two of the demo's students, in two classes."""
    path = tmp_path / "roster.csv"
    path.write_text("user_id,class\nuser-101,A\nuser-102,B\n", encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(path))


LIMITED = Visitor("tran@school.example", "teacher", frozenset({"A"}))


def test_lists_hold_the_students_of_a_teachers_classes_alone(
    as_visitor: Callable[[Visitor], None], class_roster: None
) -> None:
    as_visitor(Visitor("olga@school.example", "ops"))
    assert len(show("pages/overview.py", {"period": "12m"}).dataframe[0].value) > 25
    as_visitor(LIMITED)
    assert show("pages/overview.py", {"period": "12m"}).dataframe[0].value["Student"].tolist() == ["user-101"]
    jobs = show("pages/jobs.py", {"jobs": "30d", "state": "completed"})
    students = {s for grid in jobs.dataframe if "Student" in grid.value for s in grid.value["Student"]}
    assert students == {"user-101"}
    audit = show("pages/audit.py", {"audit": "12m"})
    assert {m.value for m in audit.metric if m.label == "Format errors"} == {"0"}
    assert "user-099" not in words(audit)


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("student", {"user_id": "user-102"}),
        pytest.param("student", {"user_id": "user-456"}, marks=pytest.mark.slow),
        pytest.param("evaluation", {"evaluation_id": "speak-xyz789", "user_id": "user-456"}, marks=pytest.mark.slow),
        ("flashcards", {"set_id": "flashcard-set-123", "user_id": "user-456"}),
        pytest.param("flashcards", {"user_id": "user-456"}, marks=pytest.mark.slow),
    ],
)
def test_a_student_of_another_class_is_refused_before_anything_is_read(
    page: str,
    params: dict[str, str],
    as_visitor: Callable[[Visitor], None],
    class_roster: None,
    requests: list[str],
) -> None:
    as_visitor(LIMITED)
    show(f"pages/{page}.py")  # and what the page asks for whoever opens it, such as what the tables are like
    requests.clear()
    app = show(f"pages/{page}.py", params)
    assert "is not in a class of yours" in words(app)
    assert not app.dataframe
    assert not app.metric
    assert requests == []
    as_visitor(Visitor("olga@school.example", "ops"))
    show(f"pages/{page}.py", params)
    assert requests


@pytest.mark.parametrize(
    ("page", "params", "sentence"),
    [
        pytest.param("evaluation", {"evaluation_id": "speak-xyz789"}, "There is no evaluation", marks=pytest.mark.slow),
        ("flashcards", {"set_id": "flashcard-set-123"}, "There is no flashcard set"),
        ("jobs", {"job_id": "speak-xyz789", "user_id": "user-456", "jobs": "30d"}, "There is no job"),
    ],
)
def test_an_id_alone_opens_nothing_of_another_class(
    page: str,
    params: dict[str, str],
    sentence: str,
    as_visitor: Callable[[Visitor], None],
    class_roster: None,
) -> None:
    as_visitor(Visitor("olga@school.example", "ops"))
    assert sentence not in words(show(f"pages/{page}.py", params))
    as_visitor(LIMITED)
    app = show(f"pages/{page}.py", params)
    assert sentence in words(app)
    assert "to a student in another class" in words(app) or page == "jobs"
    for private in ("Well, I&#39;d like", "vocab-guide.pdf", "Raw record"):
        assert private not in words(app)


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("overview", {"class": "B", "period": "12m"}),
        ("jobs", {"student": "user-102", "state": "completed", "jobs": "30d"}),
        ("jobs", {"text": "user-102", "state": "completed", "jobs": "30d"}),
    ],
)
def test_no_filter_brings_a_student_of_another_class_into_a_list(
    page: str, params: dict[str, str], as_visitor: Callable[[Visitor], None], class_roster: None
) -> None:
    def listed() -> set[str]:
        app = show(f"pages/{page}.py", params)
        assert "⚠" not in words(app)  # a page that stopped has no list either
        grids = [grid.value for grid in app.dataframe]
        return {student for grid in grids if "Student" in grid for student in grid["Student"]}

    as_visitor(Visitor("olga@school.example", "ops"))
    assert listed() == {"user-102"}
    as_visitor(LIMITED)
    assert "user-102" not in listed()


def test_a_limited_teacher_needs_a_roster_that_can_be_read(
    as_visitor: Callable[[Visitor], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_visitor(LIMITED)
    assert "No activity in the last" in words(show("pages/overview.py"))
    monkeypatch.setenv("BANDUP_ROSTER", f"{tmp_path}/none.csv")
    cache.clear()
    text = words(show("pages/overview.py"))
    assert "the roster that names their students cannot be read" in text
    assert str(tmp_path) not in text


def test_setup_and_whole_tables_are_for_ops(as_visitor: Callable[[Visitor], None]) -> None:
    as_visitor(Visitor("le@school.example", "teacher"))
    setup = show("pages/setup.py")
    assert "Only ops may open Setup. Your role is teacher." in words(setup)
    assert "Demo" not in words(setup)
    assert not [b for b in setup.button if b.key and b.key != "sign_out"]
    audit = show("pages/audit.py")
    assert "You don't have permission to scan a table." in words(audit)
    assert not [b for b in audit.button if b.key and b.key.startswith("count_")]
    jobs = show("pages/jobs.py", {"jobs": "30d", "state": "stuck"})
    assert not [b for b in jobs.button if b.key and b.key.startswith("mark_")]
    assert not jobs.exception


def test_a_limited_teachers_overview_has_nothing_of_what_others_had_worked_out(
    as_visitor: Callable[[Visitor], None],
) -> None:
    def ids(app: AppTest) -> set[str]:
        return set(app.dataframe[0].value["ID"])

    whole = show("pages/overview.py", {"period": "90d"})
    as_visitor(Visitor("tran@school.example", "teacher", frozenset({"Monday evening"})))
    limited = show("pages/overview.py", {"period": "90d"})
    own = {
        student.user_id for student in source.class_list().students.values() if student.class_name == "Monday evening"
    }
    assert ids(limited) == own < ids(whole)
    assert set(limited.selectbox(key="class").options) == {"All", "Monday evening"}
    assert int(limited.metric[1].value) < int(whole.metric[1].value)
    as_visitor(Visitor("olga@school.example", "ops"))
    assert ids(show("pages/overview.py", {"period": "90d"})) == ids(whole)


def test_a_fragment_whose_class_list_is_gone_lets_the_page_run_again_which_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Again(Exception):
        pass

    def rerun() -> None:
        raise Again

    teacher = Visitor("olga@school.example", "teacher", frozenset({"Monday"}))
    monkeypatch.setattr(sign_in, "current", lambda: teacher)
    monkeypatch.setattr(st, "rerun", rerun)
    monkeypatch.setenv("BANDUP_ROSTER", str(tmp_path / "gone.csv"))
    with pytest.raises(Again):
        page.recheck()
