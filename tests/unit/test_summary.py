"""`python -m bandup summary`: a class as the page Students has it, written, and mailed to its own teachers alone."""

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from bandup import summary
from bandup.__main__ import main
from data.demo import sample
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.messages import Mailbox
from data.records import evaluations, jobs
from data.roster import Roster, Student
from tests.conftest import unavailable
from tests.support import browser, engines
from tests.support.app import show

pytestmark = pytest.mark.usefixtures("demo_anew")

MONDAY = "Monday evening"
ODD_ADDRESSES = (
    *("Anna@School.example", "anna@gro\u00dfmann.example", "\u212aim@school.example"),
    *("=?utf-8?q?a=0D=0Ab?=@x.example", "-@[x", "lan@school.example(x", "(x)lan@school.example", "root(x@y.z"),
)
AUTH = """
[auth]
redirect_uri = "http://127.0.0.1:8501/oauth2callback"
cookie_secret = "0123456789012345678901234567890123456789"
client_id = "c"
client_secret = "s"
server_metadata_url = "https://accounts.example.org/x"
"""


class Mailserver(socketserver.ThreadingTCPServer):
    """Takes mails, but none to `refused`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refused = ""
        self.hangs_up_at = ""
        self.farewell = "221 bye"


class _Handler(socketserver.StreamRequestHandler):
    server: Mailserver

    def handle(self) -> None:
        recipient = ""
        self._say("220 hello")
        while line := self.rfile.readline().decode().strip():
            command = line.upper()
            if command == self.server.hangs_up_at:
                return
            if command.startswith("RCPT"):
                recipient = line.partition("<")[2].partition(">")[0]
                self._say("550 nobody" if recipient == self.server.refused else "250 ok")
            elif command == "DATA":
                self._say("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                message: Any = message_from_bytes(b"".join(lines), policy=policy.default)
                self.server.mails.append((recipient, message))
                if self.server.hangs_up_at == ".":
                    return
                self._say("250 taken")
            elif command == "QUIT":
                self._say(self.server.farewell)
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailserver]:
    with Mailserver() as mails:
        threading.Thread(target=mails.serve_forever, daemon=True).start()
        monkeypatch.setenv("BANDUP_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("BANDUP_SMTP_PORT", str(mails.server_address[1]))
        monkeypatch.setenv("BANDUP_SMTP_SECURITY", "none")
        monkeypatch.setenv("BANDUP_SMTP_FROM", "BandUp <bandup@school.example>")
        yield mails
        mails.shutdown()


@pytest.fixture
def teachers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The demo's class list, where the teacher of the Monday evening and of one more class are addresses."""
    lines = sample.roster(datetime.now(UTC)).splitlines()
    header = lines[0].split(",")
    place, of_class = header.index("teacher"), header.index("class")
    emails = {MONDAY: "Lan@school.example", "Saturday intensive": "le@school.example"}
    changed = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        cells[place] = emails.get(cells[of_class], cells[place])
        changed.append(",".join(cells))
    path = tmp_path / "class.csv"
    path.write_text("\n".join(changed), encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    return path


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where secrets.toml may stand, as Streamlit is told; without it there is none."""
    path = tmp_path / "elsewhere.toml"
    monkeypatch.setenv("STREAMLIT_SECRETS_FILES", str(path))
    return path


def test_a_class_is_said_as_the_page_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "--class", MONDAY, "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["monday-evening.html", "monday-evening.txt"]
    text = (tmp_path / "monday-evening.txt").read_text(encoding="utf-8")
    html = (tmp_path / "monday-evening.html").read_text(encoding="utf-8")
    students = show("pages/overview.py", {"class": MONDAY, "flag": "any"}).dataframe[0].value
    attention = text.partition("NEED ATTENTION\n")[2].partition("\n\n")[0].splitlines()
    assert len(attention) == len(students)
    for line, row in zip(attention, students.to_dict("records"), strict=True):
        assert line.startswith(f"- {row['Student']}: ")
        assert row["Student"] in html
    others = show("pages/overview.py", {"class": "Saturday intensive"}).dataframe[0].value["Student"]
    assert not [name for name in others if name in text or name in html]
    assert "<script" not in html


def test_it_says_so_where_nobody_knows_what_a_person_gave_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Failure("access_denied")

    monkeypatch.setattr(jobs, "reasons", refuse)
    assert main(["summary", "--class", MONDAY, "--out", str(tmp_path)]) == 0
    for path in tmp_path.iterdir():
        assert "Incomplete" in path.read_text(encoding="utf-8")


def test_a_school_that_takes_longer_than_a_page_may_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, left = [0.0], []
    monkeypatch.setattr(budget, "_clock", lambda: clock[0])
    period, reasons = evaluations.period, jobs.reasons

    def slow(*args: Any) -> Read[Any]:
        clock[0] += 2 * budget.PAGE_SECONDS
        return period(*args)

    def later(*args: Any) -> Read[Any]:
        # The demo answers whatever the limit is; AWS would not be asked any more.
        left.append(budget.remaining())
        return reasons(*args)

    monkeypatch.setattr(evaluations, "period", slow)
    monkeypatch.setattr(jobs, "reasons", later)
    assert main(["summary", "--class", MONDAY, "--out", str(tmp_path)]) == 0
    assert left
    assert min(left) > 0


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("", "UTC"),
        ("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
        (":Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
        ("EST5EDT", "EST5EDT"),
        (":/etc/localtime", "UTC"),
        ("<+07>-7", "UTC"),
        ("CET-1CEST", "UTC"),
        ("Asia/Ho_Chi_Min", "Asia/Ho_Chi_Min"),  # a slip, which is said
    ],
)
def test_what_systems_take_for_a_zone_is_taken(name: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    assert summary._own_zone() == zone


def test_new_and_gone_are_the_same_rules_a_week_ago(tmp_path: Path) -> None:
    main(["summary", "--all", "--out", str(tmp_path)])
    text = "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.txt"))
    new = text.partition("NEW SINCE LAST WEEK\n")[2].partition("\n\n")[0]
    gone = text.partition("RESOLVED SINCE LAST WEEK\n")[2].partition("\n\n")[0]
    assert new
    assert gone
    assert not set(new.splitlines()) & set(gone.splitlines())


def test_mail_is_a_dry_run_that_names_whom_it_would_write_to(
    teachers: Path, secrets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", "--all", "--mail"]) == 0
    output = capsys.readouterr()
    assert output.out.count("would mail") == 2
    assert "lan@school.example: Monday evening" in output.out
    assert "Nobody gets Wednesday evening" in output.err


def test_each_teacher_gets_their_own_class_as_text_and_html(teachers: Path, secrets: Path, server: Mailserver) -> None:
    assert main(["summary", "--all", "--mail", "--send"]) == 0
    assert sorted(to for to, _ in server.mails) == ["lan@school.example", "le@school.example"]
    mail = dict(server.mails)["lan@school.example"]
    assert mail["Subject"].startswith("Monday evening: week to ")
    assert mail["From"] == "BandUp <bandup@school.example>"
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        assert MONDAY in part.get_content()
        assert "Saturday" not in part.get_content()


def test_a_mail_that_is_not_taken_is_said_and_the_others_arrive(
    teachers: Path, secrets: Path, server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refused = "lan@school.example"
    assert main(["summary", "--all", "--mail", "--send"]) == 1
    assert [to for to, _ in server.mails] == ["le@school.example"]
    assert "not sent     lan@school.example" in capsys.readouterr().err


def test_a_mail_that_was_taken_is_mailed_although_the_server_says_no_farewell(
    teachers: Path, secrets: Path, server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    server.farewell = "500 what?"
    assert main(["summary", "--all", "--mail", "--send"]) == 0
    assert len(server.mails) == 2
    assert "mailed       lan@school.example" in capsys.readouterr().out


def test_whether_a_mail_was_taken_is_unknown_where_the_answer_is_lost(
    teachers: Path, secrets: Path, server: Mailserver, capsys: pytest.CaptureFixture[str]
) -> None:
    server.hangs_up_at = "."
    assert main(["summary", "--all", "--mail", "--send"]) == 1
    assert len(server.mails) == 2
    problems = capsys.readouterr().err
    assert "unknown      lan@school.example" in problems
    assert "It may arrive." in problems
    server.hangs_up_at = "DATA"  # before which nothing was sent: that, too, nobody is told
    assert main(["summary", "--all", "--mail", "--send"]) == 1
    assert "not sent" not in capsys.readouterr().err


def test_who_stops_the_sending_is_told_which_mail_is_in_doubt(
    teachers: Path,
    secrets: Path,
    server: Mailserver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    send = Mailbox.send

    def stopped(self: Mailbox, mail: EmailMessage) -> None:
        send(self, mail)
        raise KeyboardInterrupt

    monkeypatch.setattr(Mailbox, "send", stopped)
    with pytest.raises(KeyboardInterrupt):
        main(["summary", "--all", "--mail", "--send"])
    assert "unknown      lan@school.example: Monday evening" in capsys.readouterr().err
    assert len(server.mails) == 1


@pytest.mark.parametrize(("unsayable", "sent"), [("Sending", 0), ("mailed ", 2)])
def test_what_cannot_be_said_keeps_nobody_from_their_mail_and_nothing_is_sent_unsaid(
    unsayable: str, sent: int, teachers: Path, secrets: Path, server: Mailserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(line: str = "", *, is_problem: bool = False) -> None:
        if line.startswith(unsayable):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(summary, "say", say)
    with pytest.raises(OSError, match="No space left"):
        main(["summary", "--all", "--mail", "--send"])
    assert len(server.mails) == sent


def test_secrets_say_who_may_have_a_class(teachers: Path, secrets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets.write_text(
        f"""{AUTH}
[roles]
ops = ["olga@school.example"]
teacher = ["lan@school.example", "tran@school.example"]
[classes]
"lan@school.example" = ["Saturday intensive"]
"tran@school.example" = ["Wednesday evening"]
""",
        encoding="utf-8",
    )
    assert main(["summary", "--all", "--mail"]) == 0
    output = capsys.readouterr()
    mails = {line.split("would mail")[1].split(": week")[0].strip() for line in output.out.splitlines()[:-1]}
    assert mails == {"lan@school.example: Saturday intensive", "tran@school.example: Wednesday evening"}
    assert "Not to lan@school.example, who may not see Monday evening" in output.err
    assert "Not to le@school.example" in output.err
    secrets.write_text("[classes", encoding="utf-8")
    assert main(["summary", "--all", "--mail"]) == 1


@pytest.mark.parametrize(
    ("claim", "addresses"),
    [
        ("", set()),
        # A role may come from a claim too, which only the provider knows; but not one of ops, who are in no [classes].
        ('[roles.claim]\nname = "groups"\nteacher = ["teachers"]\n', {"left@school.example"}),
        ('[roles.claim]\nname = "groups"\nops = ["admins"]\n', set()),
    ],
)
def test_whoever_lost_the_role_gets_no_class_that_still_names_them(
    claim: str, addresses: set[str], secrets: Path
) -> None:
    roles = '[roles]\nops = ["olga@school.example"]\n'
    classes = f'[classes]\n"left@school.example" = ["{MONDAY}"]\n'
    secrets.write_text(f"{AUTH}{roles}{claim}{classes}", encoding="utf-8")
    recipients = summary._recipients([MONDAY], Roster({"user-1": Student("user-1", "Linh", MONDAY)}))
    assert set(recipients.classes) == addresses
    assert any("Not to left@school.example" in remark for remark in recipients.remarks) is not bool(addresses)


def test_without_sign_in_it_says_where_it_looked_for_the_rules(secrets: Path) -> None:
    assert any(str(secrets) in remark for remark in summary._recipients([MONDAY], Roster()).remarks)


def test_a_folder_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(summary.page, "html", lambda _: "")
    monkeypatch.setattr(summary.page, "text", lambda _: "")
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(summary._Wrong, match="file could not be written"):
        summary._write(blocked, {MONDAY: Any})


def test_a_closed_pipe_is_no_folder_that_could_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(summary, "_run", closed)
    with pytest.raises(BrokenPipeError):
        main(["summary", "--all", "--mail"])


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--class", "Tuesday", "--out", "x"], "Monday evening"),
        (["--all"], "--out"),
        (["--all", "--out", "x", "--send"], "--mail"),
        (["--all", "--out", "x", "--timezone", "Mars"], "Mars"),
        (["--all", "--mail", "--send"], "BANDUP_SMTP_HOST"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    flags: list[str], word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["summary", *flags]) == 1
    assert word in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_names_are_text_and_nothing_else(teachers: Path, secrets: Path, tmp_path: Path, server: Mailserver) -> None:
    evil = "<img src=x onerror=alert(1)>"
    content = teachers.read_text(encoding="utf-8").replace(MONDAY, f"{evil} \x1b[2J$x$").replace("Nguyễn Thị Mai", evil)
    teachers.write_text(content, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["summary", "--all", "--out", str(out), "--mail", "--send"]) == 0
    assert len(list(out.glob("*.html"))) == 3
    assert not [path for path in out.glob("*.html") if "<img" in path.read_text(encoding="utf-8")]
    assert not [path for path in out.glob("*.txt") if "\x1b" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("text", ["=0D=0ABcc:_evil@other.example", "=0AX:_1", "=0D=0A=0D=0A<b>Hello</b>"])
def test_no_class_name_writes_headers_or_text_of_its_own_into_a_mail(
    text: str, teachers: Path, secrets: Path, server: Mailserver
) -> None:
    content = teachers.read_text(encoding="utf-8").replace(MONDAY, f"=?utf-8?q?Monday{text}?=")
    teachers.write_text(content, encoding="utf-8")
    assert main(["summary", "--all", "--mail", "--send"]) == 0
    headers = {frozenset(mail.keys()) for _, mail in server.mails}
    assert len(headers) == 1
    (mail,) = [mail for to, mail in server.mails if to == "lan@school.example"]
    assert "Monday" in mail["Subject"]
    part = mail.get_body(("plain",))
    assert part is not None
    assert "Monday" in part.get_content().splitlines()[0]


def test_an_address_that_python_takes_for_another_ones_gets_no_mail() -> None:
    students = [Student(f"user-{n}", "Linh", MONDAY, teacher=of) for n, of in enumerate(ODD_ADDRESSES)]
    recipients = summary._recipients([MONDAY], Roster({student.user_id: student for student in students}))
    assert set(recipients.classes) == {"anna@school.example"}
    assert (
        sum("mail cannot be sent to such an address" in remark for remark in recipients.remarks)
        == len(ODD_ADDRESSES) - 1
    )


def test_a_mail_that_cannot_be_made_costs_nobody_theirs(
    teachers: Path,
    secrets: Path,
    server: Mailserver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make = summary._message

    def stumble(page: Any, sender: str, address: str) -> EmailMessage:
        if address == "lan@school.example":
            raise AttributeError("as the e-mail package does over some texts")
        return make(page, sender, address)

    monkeypatch.setattr(summary, "_message", stumble)
    assert main(["summary", "--all", "--mail", "--send"]) == 1
    assert [to for to, _ in server.mails] == ["le@school.example"]
    assert "not sent     lan@school.example" in capsys.readouterr().err


def test_the_files_of_a_class_are_those_of_no_other() -> None:
    names = ["B1", "b1", "B1+", "B1-", "b_1", "B 1", "B-1", "+", "-", "Con", "com\u00b9", "é", "e\u0301", "B1 +"]
    names += [
        "x" * 61,
        "x" * 62,
        "\U00020000" * 80,
        "Straße",
        "Strasse",
        "Lớp 12A",
        "lop 12a",
        "Lop 12a",
        "\ufb01ne",
        "Fine",
    ]
    assert len({summary._stem(name) for name in names}) == len(names)
    assert all(len(summary._stem(name)) < 80 and summary._stem(name).isascii() for name in names)
    assert summary._stem("Lớp 12A").startswith("lop-12a_")
    assert summary._stem("Monday evening") == "monday-evening"
    assert summary._stem("B1") == "b1"
    assert summary._stem("Con") != "con"


@pytest.mark.browser
def test_it_opens_in_a_browser_and_prints_on_paper(tmp_path: Path) -> None:
    try:
        chromium = browser._browser()
    except engines.MissingError as missing:
        unavailable(str(missing))
    main(["summary", "--class", MONDAY, "--out", str(tmp_path)])
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        page.goto((tmp_path / "monday-evening.html").as_uri())
        assert page.locator("h1").inner_text() == MONDAY
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        pages = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    finally:
        context.close()
    assert MONDAY in pages[0].extract_text()
    assert len(pages) <= 2
