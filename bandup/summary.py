"""A page per class and week, as HTML and text: written to a folder, or mailed to each teacher of the class."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analysis.attention import Rules
from analysis.names import plain
from bandup.files import write_whole
from bandup.terminal import say
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.environment import read_settings
from data.messages import InDoubt, Mailbox, NotSent, dashboard_url, is_address
from data.roster import Roster, RosterError
from data.schema import TYPES
from data.settings import Settings, SettingsError
from exports import summary as page
from exports.summary import Summary
from queries import records, source, standings
from queries.access import secret_files
from queries.access.gate import Gate, Visitor
from queries.access.rules import EVERYBODY_ELSE, AccessError, AccessRules, comparable_address
from queries.session import Session
from wording import failures, formats

_DAYS = 30  # as the page Students has it unless told
_SECONDS = 600.0  # for all classes: a page's 30 s do not read a large school in one go, and nobody sits before this
_LONGEST_STEM = 60  # letters of a class's name in that of its files
_RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{of}{n}" for of in ("com", "lpt") for n in range(1, 10))))
"""What Windows takes for a device, with any ending."""
_ABOUT = "Write or mail one page per class: who needs attention and why, what changed since last week, groups."
_EPILOG = (
    "--mail shows whom it would write to; only with --send it does. Each teacher gets their own classes: those of "
    "[classes] in secrets.toml, and those where the class list's column “teacher” has their e-mail address. Exit code: "
    "0 done, 1 an error, a wrong use, or a mail that was not taken."
)


class _Wrong(Exception):
    """Why nothing can be done; a sentence."""


@dataclass(slots=True)
class Recipients:
    """Addresses with their classes, and sentences about those who get nothing."""

    classes: dict[str, set[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


_NO_NAME = re.compile("/|<|[A-Za-z]{3,}[+-]?[0-9]")


def _own_zone() -> str:
    """The zone that TZ names; UTC where it names a file or a rule, such as CET-1CEST, which systems take too."""
    name = os.environ.get("TZ", "").removeprefix(":")
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC" if not name or _NO_NAME.match(name) else name


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = commands.add_parser("summary", help=_ABOUT, description=_ABOUT, epilog=_EPILOG)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--class", dest="class_name", metavar="NAME", help="one class of the class list")
    which.add_argument("--all", action="store_true", help="every class of the class list")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write an .html and a .txt of each class there")
    parser.add_argument("--mail", action="store_true", help="show who would get which class by mail")
    parser.add_argument("--send", action="store_true", help="with --mail: send it, by BANDUP_SMTP_HOST and the others")
    parser.add_argument("--timezone", default=_own_zone(), help="of the times, Asia/Ho_Chi_Minh ...")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run with these options; the exit code."""
    try:
        settings = read_settings()
        return _run(options, settings)
    except (SettingsError, RosterError, AccessError, _Wrong) as error:
        message = str(error)
    except Failure as failure:
        message = failures.sentences(failure, "terminal")
    say(message, is_problem=True)
    return 1


def _run(options: argparse.Namespace, settings: Settings) -> int:
    if not options.out and not options.mail:
        raise _Wrong("Give --out DIR, --mail, or both.")
    if options.send and not options.mail:
        raise _Wrong("--send goes with --mail.")
    try:
        zone = ZoneInfo(options.timezone.removeprefix(":"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _Wrong(f"“{options.timezone}” is no time zone: give one such as Asia/Ho_Chi_Minh.") from error
    url = dashboard_url(os.environ)
    mailbox = Mailbox.read(os.environ) if options.send else None
    source.start()
    roster = source.class_list()
    classes = roster.classes if options.all else [options.class_name]
    if unknown := [name for name in classes if name not in roster.classes]:
        names = ", ".join(roster.classes) or "none"
        raise _Wrong(f"There is no class “{unknown[0]}”. Classes of the class list: {names}.")
    if not classes:
        raise _Wrong("The class list has no classes.")
    with budget.limited(_SECONDS):
        summaries = {name: _summary(name, roster, settings, zone, url) for name in classes}
    if options.out:
        _write(options.out, summaries)
    return _mail(summaries, roster, mailbox) if options.mail else 0


def _summary(class_name: str, roster: Roster, settings: Settings, zone: ZoneInfo, url: str) -> Summary:
    """One class as its teacher may see it: nothing of another class comes through the gate."""
    session = Session(Gate(Visitor(None, "teacher", frozenset((class_name,))), roster))
    own, rules = roster.only((class_name,)), Rules()
    # All of the school at once: one class after the other would be asked for student by student.
    asked = standings.Evaluations(session.answer(records.period.later, standings.LOOK_BACK).read, _DAYS)
    listed = standings.listing(session, asked, own, class_name, TYPES, rules)
    week = standings.since_last_week(session, listed, asked, own, rules)
    missing = standings.missing(session, asked)
    return Summary(
        class_name,
        listed.rows,
        week.new,
        week.gone,
        week.reached,
        [(row["user_id"], row["kind"], row["created_at"].to_pydatetime()) for row in missing.to_dict("records")],
        listed.groups,
        own,
        _DAYS,
        listed.now,
        zone,
        settings.school,
        url,
        session.complete,
    )


def _write(folder: Path, summaries: Mapping[str, Summary]) -> None:
    for name, summary in summaries.items():
        stem = _stem(name)
        for suffix, content in ((".html", page.html(summary)), (".txt", page.text(summary))):
            path = folder / f"{stem}{suffix}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, content)
            except OSError as error:
                raise _Wrong(f"{folder} could not be written: {error.strerror or error}.") from error
            say(f"{path}  {summary.headline}" if suffix == ".html" else str(path))


def _stem(class_name: str) -> str:
    """How the files of a class are named: for no other class alike, whatever classes there are or will be."""
    words = re.sub(r"[^a-z0-9]+", "-", plain(class_name)).strip("-")[:_LONGEST_STEM] or "class"
    # Of classes that differ in case alone, the one with a capital at most has its name alone.
    tells = words.replace("-", " ").capitalize() == class_name and words not in _RESERVED
    return words if tells else f"{words}_{sha256(class_name.encode(errors='backslashreplace')).hexdigest()[:16]}"


def _mail(summaries: Mapping[str, Summary], roster: Roster, mailbox: Mailbox | None) -> int:
    recipients = _recipients(summaries, roster)
    number = formats.count(sum(map(len, recipients.classes.values())), "mail")
    if mailbox is not None:
        say(f"Sending {number}.")  # where nothing can be said, nothing is sent
    failed, unsaid = False, None
    for address, classes in sorted(recipients.classes.items()):
        for name in sorted(classes, key=str.casefold):
            line = f"{address}: {summaries[name].title}"
            if mailbox is None:
                say(f"would mail   {line}")
                continue
            try:
                problem = _send(mailbox, summaries[name], address)
            except KeyboardInterrupt:
                with suppress(OSError):
                    say(f"{'unknown':13}{line}. Stopped here: it may arrive.", is_problem=True)
                raise
            failed = failed or bool(problem)
            try:
                if problem:
                    say(f"{problem[0]:13}{line}. {problem[1]}", is_problem=True)
                else:
                    say(f"mailed       {line}")
            except OSError as error:  # the disk is full, say: the others wait for their mail all the same
                unsaid = error
    if unsaid:
        raise unsaid
    for remark in recipients.remarks:
        say(remark, is_problem=True)
    if mailbox is None:
        say(f"Nothing was sent. --send would send {number}.")
    return int(failed)


def _send(mailbox: Mailbox, summary: Summary, address: str) -> tuple[str, str] | None:
    """What went wrong, in a word or two and a sentence; None where the mail was taken."""
    try:
        mailbox.send(_message(summary, mailbox.sender, address))
    except InDoubt as error:
        return "unknown", str(error)
    except NotSent as error:
        return "not sent", str(error)
    except Exception as error:  # noqa: BLE001 - the e-mail package may raise anything; the others are sent
        return "not sent", f"No mail can be made of it: {type(error).__name__}."
    return None


def _message(summary: Summary, sender: str, address: str) -> EmailMessage:
    message = EmailMessage()
    # "=?" begins a word in code, which the e-mail package would read, line breaks and all, and write as headers.
    message["Subject"] = summary.title.replace("=?", "= ?")
    message["From"] = sender
    message["To"] = address
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> "))
    message.set_content(page.text(summary))
    message.add_alternative(page.html(summary), subtype="html")
    return message


def _recipients(classes: Sequence[str] | Mapping[str, Any], roster: Roster) -> Recipients:
    """Who gets which of these classes; whoever may not see a class on the pages does not get it either."""
    files = secret_files.paths(os.environ)
    rules = AccessRules.read(secret_files.read(files))
    recipients = Recipients()
    if not rules:
        recipients.remarks.append(f"No sign-in is set up, so that nobody is refused. Looked for in {', '.join(files)}.")
    for name in classes:
        addresses = {comparable_address(roster.student(user_id).teacher) for user_id in roster.members(name)} - {""}
        if rules:
            addresses |= {address for address, of in rules.classes.items() if name in of and address != EVERYBODY_ELSE}
        own = {address for address in addresses if is_address(address)}
        recipients.remarks += [
            f"Not to “{text}”, who is named for {name}: mail cannot be sent to such an address."
            for text in sorted(addresses - own)
            if "@" in text
        ]
        if rules:
            refused = sorted(address for address in own if not _may_see(rules, address, name))
            recipients.remarks += [f"Not to {address}, who may not see {name} by secrets.toml." for address in refused]
            own -= set(refused)
        if not own:
            recipients.remarks.append(
                f"Nobody gets {name}: its teacher's e-mail address is neither in the class list's column “teacher” nor "
                "in [classes] of secrets.toml."
            )
        for address in own:
            recipients.classes.setdefault(address, set()).add(name)
    return recipients


def _may_see(rules: AccessRules, address: str, class_name: str) -> bool:
    """Whether this address has a role, and the class is one of those it may see.

    Who is a teacher by a claim is known to the provider alone: then being named in `[classes]` has to do.
    """
    if address in rules.ops:
        return True
    limit = rules.classes.get(address, rules.classes.get(EVERYBODY_ELSE))
    has_role = address in rules.teachers or (bool(rules.teacher_values) and address in rules.classes)
    return has_role and (limit is None or class_name in limit)
