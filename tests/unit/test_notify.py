"""`python -m bandup check --notify`: each event of an incident once, whatever the other side does, and nobody named."""

import errno
import http.server
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from analysis.incidents import GAP, Incident
from bandup import check, notify
from bandup.__main__ import main
from bandup.files import held, write_whole
from data import messages
from data.dynamodb.errors import Failure
from data.messages import Hook, Mailbox, Notifications, Target, Topic
from data.settings import SettingsError
from queries import all_jobs, source
from queries.all_jobs import AllJobs
from tests.support.answering import Script, serving
from tests.support.jobs import jobs_of_states

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PRIVATE = "an essay about Nguyễn Thị Mai"
BURST = Incident(
    f"ThrottlingException: {PRIVATE}", NOW - timedelta(hours=1), NOW, 12, ("user-1", "user-2"), 3, False, NOW
)
OVER = replace(BURST, is_over=True, last=NOW - timedelta(minutes=30))


class Receiver:
    """A web hook on this computer. `answers` are the statuses of the next requests (200 after them), None hangs."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.answers: list[int | None] = []
        self.words: list[bytes] = []  # of the next answers
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = outer.answers.pop(0) if outer.answers else 200
                if status is None:
                    outer.released.wait(20)
                    return
                words = outer.words.pop(0) if outer.words else b""
                if status < 300:
                    outer.bodies.append(body)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/secret"

    @property
    def events(self) -> list[str]:
        return [body["event"] for body in self.bodies]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setattr(messages, "_sleep", lambda _: None)
    yield receiver
    receiver.released.set()
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def tell(hook: Receiver, tmp_path: Path) -> Callable[..., list[str]]:
    """Tell of these incidents as a check at a time would, from the file of the one before."""

    def run(*incidents: Incident, now: datetime = NOW, **options: Any) -> list[str]:
        where = Notifications.read({"BANDUP_NOTIFY_URL": hook.url, "BANDUP_URL": "https://bandup.example.org"})
        state = notify.State.load(tmp_path / "notify.json")
        settings: dict[str, Any] = {"is_whole": True, "is_demo": False, **options}
        settings.setdefault("is_read", settings["is_whole"])
        return list(notify.tell(incidents, state, where, now, timedelta(hours=4), **settings))

    return run


def test_begin_going_on_and_end_are_told_once_each(tell: Callable[..., list[str]], hook: Receiver) -> None:
    for now, incident in (
        (NOW, BURST),
        (NOW + timedelta(minutes=15), replace(BURST, last=NOW + timedelta(minutes=10), jobs=14)),
        (NOW + timedelta(hours=3), BURST),
        (NOW + timedelta(hours=3, minutes=1), BURST),
        (NOW + timedelta(hours=4), OVER),
        (NOW + timedelta(hours=5), OVER),
    ):
        assert tell(incident, now=now) == []
    assert hook.events == ["began", "going on", "ended"]
    assert hook.bodies[0]["link"] == f"https://bandup.example.org/jobs?incident={BURST.code}"
    assert hook.bodies[0]["incident"]["jobs"] == 12


def test_nobody_is_named_and_no_error_message_is_quoted(tell: Callable[..., list[str]], hook: Receiver) -> None:
    tell(BURST, replace(BURST, signature=f"KeyError: {PRIVATE}"), replace(BURST, signature=PRIVATE))
    assert [body["title"] for body in hook.bodies] == [
        "Incident: Throttled",
        "Incident: KeyError",
        "Incident: Failed jobs",
    ]
    text = json.dumps(hook.bodies, ensure_ascii=False)
    assert not any(part in text for part in ("Mai", "essay", "user-"))


def test_a_shorter_look_sees_the_same_incident(tell: Callable[..., list[str]], hook: Receiver) -> None:
    tell(BURST)
    tell(replace(BURST, first=BURST.first + timedelta(minutes=20)))
    assert hook.events == ["began"]


def test_two_incidents_of_one_cause_are_two(tell: Callable[..., list[str]], hook: Receiver) -> None:
    tell(OVER)
    later = NOW + timedelta(hours=9)
    tell(OVER, replace(BURST, first=later, last=later), now=later)
    assert hook.events == ["ended", "began"]
    assert len({body["incident"]["code"] for body in hook.bodies}) == 2


def test_what_ended_long_ago_is_not_told_by_each_check_that_looks_so_far_back(
    tell: Callable[..., list[str]], hook: Receiver
) -> None:
    for days in (61, 62):
        assert tell(OVER, now=NOW + timedelta(days=days)) == []
    assert hook.events == []


def test_one_that_came_and_went_between_two_checks_is_told(tell: Callable[..., list[str]], hook: Receiver) -> None:
    tell(now=NOW - timedelta(hours=5))
    tell(OVER)
    assert hook.events == ["ended"]


def test_a_lost_or_broken_file_repeats_and_forgets_nothing(
    tell: Callable[..., list[str]], hook: Receiver, tmp_path: Path
) -> None:
    tell(BURST)
    file = tmp_path / "notify.json"
    for content in ("", "[]", '{"incidents": [{}], "checked_at": "soon"}', "\x00", "[" * 200_000):
        file.write_text(content)
        tell(BURST)
    file.unlink()
    tell(BURST)
    assert hook.events == ["began"] * 7
    assert [path.name for path in tmp_path.iterdir()] == ["notify.json"]


def test_more_failures_than_can_be_explained_are_not_begun_with_again_for_ever(
    tell: Callable[..., list[str]], tmp_path: Path
) -> None:
    tell(BURST, is_whole=False, is_read=True)
    assert notify.State.load(tmp_path / "notify.json").checked_at == NOW
    tell(BURST, now=NOW + timedelta(minutes=15), is_whole=False, is_read=False)
    assert notify.State.load(tmp_path / "notify.json").checked_at == NOW


def test_an_incident_whose_jobs_were_given_up_ends_only_if_all_was_read(
    tell: Callable[..., list[str]], hook: Receiver
) -> None:
    tell(BURST)
    tell(is_whole=False)
    assert hook.events == ["began"]
    tell()
    tell()
    assert hook.events == ["began", "ended"]


def test_one_that_falls_apart_is_told_once_more_and_then_no_more(
    tell: Callable[..., list[str]], hook: Receiver
) -> None:
    """Jobs in the middle were done again, or given up: of one incident two are left."""
    whole = replace(BURST, first=NOW - timedelta(hours=5))
    tell(whole)
    early = replace(whole, last=NOW - timedelta(hours=4), is_over=True)
    late = replace(BURST, first=NOW - timedelta(minutes=20))
    for _ in range(4):
        tell(early, late)
    assert sorted(hook.events[1:]) == ["began", "ended"]
    for _ in range(3):
        tell(early, replace(late, is_over=True))
    assert hook.events[3:] == ["ended"]
    for _ in range(3):  # a shorter look no longer sees the first one
        tell(replace(late, is_over=True))
    assert len(hook.events) == 4


@pytest.fixture
def second(hook: Receiver, tell: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a second place beside the hook was told; with "down" in it, it takes nothing."""
    events: list[str] = []

    def send(_: Topic, message: messages.Message) -> None:
        if "down" in events:
            raise messages.NotSent("The topic is away.")
        events.append(message.data["event"])

    monkeypatch.setattr(Topic, "send", send)
    read = Notifications.read
    topic = {"BANDUP_NOTIFY_TOPIC": "arn:aws:sns:eu-west-1:123456789012:incidents"}
    monkeypatch.setattr(Notifications, "read", lambda environ: read({**environ, **topic}))
    return events


def test_nobody_who_was_not_told_that_it_began_is_told_that_it_is_gone(
    tell: Callable[..., list[str]], hook: Receiver, second: list[str]
) -> None:
    second.append("down")
    assert tell(BURST) == ["The topic is away."]
    second.clear()
    assert tell() == []
    assert (hook.events, second) == (["began", "ended"], [])
    second.append("down")
    hook.answers = [404]
    tell(BURST, now=NOW + timedelta(hours=1))
    second.clear()
    tell(now=NOW + timedelta(hours=1))
    assert (hook.events, second) == (["began", "ended"], [])


def test_what_nobody_took_is_looked_for_until_it_is_told(
    tell: Callable[..., list[str]], hook: Receiver, second: list[str], tmp_path: Path
) -> None:
    both = Notifications.read({"BANDUP_NOTIFY_URL": hook.url}).targets

    def since(now: datetime, targets: Sequence[Target] = both) -> datetime:
        return notify.State.load(tmp_path / "notify.json").since(now, timedelta(hours=1), targets)

    second.append("down")
    tell(OVER)
    later = NOW + timedelta(days=2)
    tell(OVER, now=later)
    assert since(later) == OVER.first
    # A place that the settings no longer name is owed nothing, and makes no check read more.
    assert since(later, both[:1]) == later - GAP
    second.clear()
    tell(OVER, now=later)
    assert (hook.events, second) == (["ended"], ["ended"])
    assert since(later) == later - GAP
    # What is gone is looked for no longer, though one place was never told.
    second.append("down")
    tell(BURST, now=later)
    tell(now=later)
    assert since(later) == later - GAP


def test_who_was_told_the_end_is_told_that_it_opens_again_and_nobody_else(
    tell: Callable[..., list[str]], hook: Receiver, second: list[str]
) -> None:
    tell(BURST)
    second.append("down")
    tell(OVER)
    second.remove("down")
    tell(BURST)
    assert (hook.events, second) == (["began", "ended", "began"], ["began"])


def test_of_very_many_incidents_the_rest_comes_in_one_message(
    tell: Callable[..., list[str]], hook: Receiver, second: list[str]
) -> None:
    many = [replace(BURST, signature=f"Error: {n}", is_over=n % 2 == 0) for n in range(200)]
    assert tell(*many) == []
    assert len(hook.bodies) == len(second) == 20
    assert hook.bodies[-1]["title"] == "181 more incidents"
    assert hook.bodies[-1]["incidents"] == {"began": 91, "going on": 0, "ended": 90}
    assert hook.bodies[-1]["link"].endswith("/jobs")
    # Those too were told.
    assert tell(*many) == []
    assert len(hook.bodies) == 20
    second.append("down")
    assert tell(*[replace(one, is_over=True) for one in many]) == ["The topic is away."]
    assert hook.events[20:] == ["ended"] * 19 + ["more"]


@pytest.mark.parametrize(
    "change",
    [
        {"checked_at": 0},
        {"checked_at": []},
        {"checked_at": "0001-01-01T00:00:00+00:00"},
        {"code": 'c"><script>-20261126T110000'},
        {"first": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_state_that_nobody_wrote_counts_as_lost(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "notify.json"
    entry = {"cause": "c", "first": NOW.isoformat(), "last": NOW.isoformat(), "code": BURST.code, "events": {}}
    document = {"checked_at": NOW.isoformat(), "incidents": [entry]}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert notify.State.load(path).checked_at == NOW
    for part in (document, entry):
        part.update({name: value for name, value in change.items() if name in part})
    path.write_text(json.dumps(document), encoding="utf-8")
    state = notify.State.load(path)
    assert (state.checked_at, state.notices) == (None, [])
    assert state.since(NOW, timedelta(hours=1), []) == NOW - notify.LOOK_BACK


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no file"):
        write_whole(pipe, "text")
    assert pipe.is_fifo()


def test_a_failure_that_comes_late_opens_it_again(tell: Callable[..., list[str]], hook: Receiver) -> None:
    tell(OVER)
    tell(BURST)
    assert hook.events == ["ended", "began"]


@pytest.mark.parametrize("answers", [[500], [503, 429, 502]])
def test_a_hook_that_fails_and_comes_back_gets_the_message_once(
    answers: list[int | None], tell: Callable[..., list[str]], hook: Receiver
) -> None:
    hook.answers = answers
    assert tell(BURST) == []
    assert hook.events == ["began"]


@pytest.mark.parametrize(("answers", "tries"), [([500] * 4, 4), ([404], 1), ([302], 1)])
def test_what_was_not_taken_is_said_and_told_by_the_next_check(
    answers: list[int | None], tries: int, tell: Callable[..., list[str]], hook: Receiver
) -> None:
    hook.answers = [*answers]
    (problem,) = tell(BURST)
    assert "127.0.0.1" in problem
    assert "secret" not in problem
    assert hook.answers == []
    assert len(answers) == tries
    assert hook.bodies == []
    tell(BURST)
    assert hook.events == ["began"]


def test_a_hook_that_hangs_is_left_and_tried_again(
    tell: Callable[..., list[str]], hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "SECONDS", 0.2)
    hook.answers = [None] * 4
    # The second incident does not wait for the one that hangs.
    (problem,) = tell(BURST, replace(BURST, signature="KeyError"))
    assert "did not answer" in problem
    tell(BURST, replace(BURST, signature="KeyError"))
    assert hook.events == ["began", "began"]


def test_nothing_is_sent_where_nobody_could_remember_it(hook: Receiver, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    where = Notifications.read({"BANDUP_NOTIFY_URL": hook.url})
    state = notify.State.load(blocked / "notify.json")
    with pytest.raises(OSError, match=r"file"):
        list(notify.tell([BURST], state, where, NOW, timedelta(hours=4), is_whole=True, is_read=True, is_demo=False))
    assert hook.bodies == []


def test_a_check_looks_back_to_the_last_one_and_to_what_is_open(tell: Callable[..., list[str]], tmp_path: Path) -> None:
    hour, places = timedelta(hours=1), [Hook("https://example.org", "json")]

    def since(now: datetime) -> datetime:
        return notify.State.load(tmp_path / "notify.json").since(now, hour, places)

    assert since(NOW) == NOW - notify.LOOK_BACK
    tell()
    assert since(NOW + hour) == NOW - 2 * hour
    tell(replace(BURST, first=NOW - timedelta(days=3)))
    assert since(NOW) == NOW - timedelta(days=3)
    assert since(NOW + timedelta(days=90)) == NOW + timedelta(days=60)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=365)])
def test_after_a_clock_that_was_ahead_nothing_is_forgotten(
    ahead: timedelta, tell: Callable[..., list[str]], hook: Receiver, tmp_path: Path
) -> None:
    where = [Hook(hook.url, "json")]
    tell(now=NOW + ahead)
    state = notify.State.load(tmp_path / "notify.json")
    assert state.since(NOW, timedelta(hours=1), where) == NOW - notify.LOOK_BACK
    tell(BURST)
    tell(now=NOW + ahead, is_whole=False)
    tell(OVER, now=NOW + timedelta(minutes=15))
    assert hook.events == ["began", "ended"]


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://school.webhook.office.com/webhookb2/x", "teams"),
        ("https://prod-1.westeurope.logic.azure.com/workflows/x?sig=y", "teams"),
        ("https://example.org/hook", "json"),
    ],
)
def test_the_form_follows_the_host(url: str, form: str) -> None:
    (target,) = Notifications.read({"BANDUP_NOTIFY_URL": url}).targets
    assert isinstance(target, Hook)
    assert target.format == form
    assert url not in repr(target)
    (other,) = Notifications.read({"BANDUP_NOTIFY_URL": url, "BANDUP_NOTIFY_FORMAT": "slack"}).targets
    assert isinstance(other, Hook)
    assert other.format == "slack"


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_slack_and_teams_get_title_text_and_link(form: str, hook: Receiver, tmp_path: Path) -> None:
    where = Notifications.read({"BANDUP_NOTIFY_URL": hook.url, "BANDUP_NOTIFY_FORMAT": form})
    state = notify.State.load(tmp_path / "notify.json")
    list(notify.tell([BURST], state, where, NOW, timedelta(hours=4), is_whole=True, is_read=True, is_demo=True))
    (body,) = hook.bodies
    text = json.dumps(body, ensure_ascii=False)
    assert "Demo data: Incident: Throttled" in text
    assert BURST.code in text
    assert set(body) == ({"text"} if form == "slack" else {"type", "attachments"})


def test_teams_may_say_with_status_200_that_it_took_nothing(hook: Receiver) -> None:
    refused = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"
    message = messages.Message("t", "t", "", {}, "c")
    hook.words = [refused, b"1"]
    Hook(hook.url, "teams").send(message)
    assert len(hook.bodies) == 2
    hook.words = [refused] * 4
    with pytest.raises(messages.NotSent, match="Teams did not take it, 4 times"):
        Hook(hook.url, "teams").send(message)
    hook.words = [refused]
    Hook(hook.url, "json").send(message)


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x", "BANDUP_URL": "http://[x"}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x", "BANDUP_URL": "http://example.org:port"}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x", "BANDUP_URL": "http://a b"}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "hooks.slack.com/x"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "http://example.org/x"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://u:p@example.org/x"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x y"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x", "BANDUP_NOTIFY_FORMAT": "irc"}, "BANDUP_NOTIFY_FORMAT"),
        ({"BANDUP_NOTIFY_TOPIC": "incidents"}, "BANDUP_NOTIFY_TOPIC"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x", "BANDUP_URL": "bandup.example.org"}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "https://hooks.org/x", "BANDUP_URL": "https://u:example.org/x@b.org"}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "https://hooks.org/x", "BANDUP_URL": 'https://b.org/"><script>'}, "BANDUP_URL"),
        ({"BANDUP_NOTIFY_URL": "https://example.org/x\N{GRINNING FACE}"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://a..example.org/x"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": "https://.example.org/x"}, "BANDUP_NOTIFY_URL"),
        ({"BANDUP_NOTIFY_URL": f"https://{'a' * 300}.example.org/x"}, "BANDUP_NOTIFY_URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_secret(environ: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Notifications.read(environ)
    assert variable in str(caught.value)
    assert "example.org/x" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"BANDUP_SMTP_HOST": ""}, "BANDUP_SMTP_HOST"),
        ({"BANDUP_SMTP_HOST": "smtp://me:hunter2@mail.example.org"}, "BANDUP_SMTP_HOST"),
        ({"BANDUP_SMTP_FROM": "nobody"}, "BANDUP_SMTP_FROM"),
        ({"BANDUP_SMTP_FROM": "A <a@example.org>, b@example.org"}, "BANDUP_SMTP_FROM"),
        ({"BANDUP_SMTP_FROM": "A\x85B <a@example.org>"}, "BANDUP_SMTP_FROM"),
        ({"BANDUP_SMTP_FROM": "=?utf-8?q?a?= <a@example.org>"}, "BANDUP_SMTP_FROM"),
        ({"BANDUP_SMTP_SECURITY": "ssl"}, "BANDUP_SMTP_SECURITY"),
        ({"BANDUP_SMTP_SECURITY": "none"}, "BANDUP_SMTP_SECURITY"),
        ({"BANDUP_SMTP_PORT": "0"}, "BANDUP_SMTP_PORT"),
        ({"BANDUP_SMTP_USER": "me"}, "BANDUP_SMTP_PASSWORD"),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_named(changes: dict[str, str], variable: str) -> None:
    usable = {"BANDUP_SMTP_HOST": "mail.example.org", "BANDUP_SMTP_FROM": "BandUp <bandup@example.org>"}
    assert Mailbox.read(usable).port == 587
    with pytest.raises(SettingsError, match=variable):
        Mailbox.read(usable | changes)


@pytest.mark.parametrize("suffix", ["", ".fifo"])
def test_a_topic_gets_the_message(
    suffix: str, mocked_aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    region = {"region_name": "ap-southeast-1"}
    attributes = {"FifoTopic": "true"} if suffix else {}
    arn = boto3.client("sns", **region).create_topic(Name=f"bandup{suffix}", Attributes=attributes)["TopicArn"]
    queues: Any = boto3.client("sqs", **region)
    queue = queues.create_queue(QueueName=f"bandup{suffix}", Attributes=attributes)["QueueUrl"]
    endpoint = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns", **region).subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)
    where = Notifications.read({"BANDUP_NOTIFY_TOPIC": arn})
    state = notify.State.load(tmp_path / "notify.json")
    for _ in range(2):
        failures = notify.tell(
            [BURST], state, where, NOW, timedelta(hours=4), is_whole=True, is_read=True, is_demo=False
        )
        assert list(failures) == []
    (received,) = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    envelope = json.loads(received["Body"])
    assert envelope["Subject"] == "Incident: Throttled"
    assert BURST.code in envelope["Message"]
    missing = Topic(arn.replace("bandup", "nowhere"))
    with pytest.raises(messages.NotSent, match="NotFound"):
        missing.send(messages.Message("t", "t", "", {}, "c"))


def test_what_is_no_answer_of_sns_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "WAITS", ())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    topic = Topic("arn:aws:sns:us-east-1:123456789012:incidents")
    page = b"<!DOCTYPE html><html><body><p>Welcome</p></body></html>"
    with serving(Script(200, page, {"Content-Type": "text/html"})) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", url)
        with pytest.raises(messages.NotSent, match="could not be reached"):
            topic.send(messages.Message("t", "t", "", {}, "c"))


def test_credentials_that_fail_are_said_and_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\nmfa_serial = m\n"
    keys = "[default]\naws_access_key_id = k\naws_secret_access_key = s\n"
    (tmp_path / "config").write_text(f"{keys}[profile school]\n{lines}")
    monkeypatch.setenv("AWS_PROFILE", "school")
    monkeypatch.setattr(messages, "WAITS", ())
    with pytest.raises(messages.NotSent, match="found no credentials that can be used"):
        Topic("arn:aws:sns:us-east-1:123456789012:incidents").send(messages.Message("t", "t", "", {}, "c"))


def test_the_command_tells_and_says_what_it_could_not_tell(
    hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = jobs_of_states(datetime.now(UTC), failed=3, completed=20)
    monkeypatch.setattr(all_jobs, "between", lambda *_, **__: AllJobs(jobs, {}))
    monkeypatch.setattr(source, "start", lambda: None)
    monkeypatch.setenv("BANDUP_NOTIFY_URL", hook.url)
    monkeypatch.setenv("BANDUP_NOTIFY_STATE", str(tmp_path / "state" / "notify.json"))
    hook.answers = [404]
    assert main(["check", "--skip-wiring", "--notify"]) == 3
    assert "The web hook at 127.0.0.1 answered 404; Failed jobs: " in capsys.readouterr().out
    for _ in range(2):
        assert main(["check", "--skip-wiring", "--notify"]) == 0
    assert hook.events == ["began"]
    # What could not be read is told to nobody, and nothing is over by that.
    monkeypatch.setattr(all_jobs, "between", _fail)
    assert main(["check", "--skip-wiring", "--notify"]) == 3
    assert hook.events == ["began"]
    monkeypatch.delenv("BANDUP_NOTIFY_URL")
    assert main(["check", "--skip-wiring", "--notify"]) == 3


def _fail(*_: object) -> AllJobs:
    raise Failure("throttled")


def test_two_checks_at_once_tell_once(
    hook: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = jobs_of_states(datetime.now(UTC), failed=3, completed=20)

    def slow(*_: object, **__: object) -> AllJobs:
        time.sleep(0.5)
        return AllJobs(jobs, {})

    monkeypatch.setattr(all_jobs, "between", slow)
    monkeypatch.setattr(source, "start", lambda: None)
    monkeypatch.setenv("BANDUP_NOTIFY_URL", hook.url)
    monkeypatch.setenv("BANDUP_NOTIFY_STATE", str(tmp_path / "notify.json"))
    command = ["check", "--skip-wiring", "--notify"]
    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(main, [command, command])] == [0, 0]
    assert hook.events == ["began"]
    # One that is at it for too long is not waited for, and leaves its lock to the next when it ends.
    monkeypatch.setattr(check, "WAIT", 0.2)
    (tmp_path / "notify.json").unlink()
    with held(tmp_path / "notify.json", 0):
        assert main(command) == 3
    assert hook.events == ["began"]
    assert "3 failed" in capsys.readouterr().out.splitlines()[-1]
    assert main(command) == 0
    assert hook.events == ["began", "began"]


@pytest.mark.skipif(sys.platform == "win32", reason="of another system call")
def test_where_a_drive_has_no_locks_it_is_told_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", without)
    with held(tmp_path / "notify.json", 0) as first, held(tmp_path / "notify.json", 0) as second:
        assert (first, second) == (True, True)


@pytest.mark.parametrize(
    ("environ", "flags", "code"),
    [
        ({"BANDUP_CHECK_MAX_FAILED": "2"}, [], 2),
        ({"BANDUP_CHECK_MAX_FAILED": "2"}, ["--max-failed", "5"], 0),
        ({"BANDUP_CHECK_MAX_FAILED": "many"}, [], 3),
        ({"BANDUP_CHECK_PERIOD": "10m", "BANDUP_CHECK_MAX_FAILED": "2"}, [], 0),
        ({"BANDUP_CHECK_MIN_FINISHED": "x"}, [], 3),
    ],
)
def test_limits_come_from_variables_too(
    environ: dict[str, str], flags: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_of_states(datetime.now(UTC), failed=3, completed=20)
    monkeypatch.setattr(all_jobs, "between", lambda *_, **__: AllJobs(jobs, {}))
    monkeypatch.setattr(source, "start", lambda: None)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(["check", "--skip-wiring", *flags]) == code


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_may_write_in_a_folder_that_is_made(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with held(tmp_path / "state" / "notify.json", 0):
            pass
        notify.State(tmp_path / "other" / "notify.json").save()
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("state", "other")] == [0o700, 0o700]
