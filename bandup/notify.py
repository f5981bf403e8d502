"""What is to be told of incidents, once each: that one began, that it goes on past a threshold, that it is over.

A small file remembers what was told where. It is written whole or not at all, after each message; a lost one repeats
messages and forgets none. A message names no student and quotes no error message, which may hold a student's text.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from analysis.incidents import GAP, Incident
from bandup.files import write_whole
from data.messages import Message, Notifications, NotSent, Target
from data.settings import state_folder
from wording.incidents import cause, figures

Event: TypeAlias = Literal["began", "going on", "ended"]

EVENTS: tuple[Event, ...] = ("began", "going on", "ended")
LOOK_BACK = timedelta(days=1)
"""So far back is looked for incidents where no file says what was told."""
_LONGEST = timedelta(days=30)  # what is open for longer is not waited for any more
_KEPT = timedelta(days=60)
_MOST_MESSAGES = 20
"""Of one check to each target: of what is more one message says how much it is."""
_CODE = re.compile(r"(?:[0-9a-f]{8}){1,2}-[0-9]{8}T[0-9]{6}")  # those of 2026-11 and before have eight
_TITLES: dict[Event, str] = {"began": "Incident", "going on": "Incident goes on", "ended": "Incident over"}


@dataclass(slots=True)
class Notice:
    """An incident of which something is to be told: its cause as a digest, and by target the events that were told.

    A target that takes nothing has no events yet.
    """

    cause: str
    first: datetime
    last: datetime
    code: str
    events: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, entry: Any) -> "Notice":
        """One entry of the file; KeyError, TypeError or ValueError for anything else."""
        first, last = (_moment(entry[name]) for name in ("first", "last"))
        events = {str(name): [str(event) for event in events] for name, events in entry["events"].items()}
        code = str(entry["code"])
        if not _CODE.fullmatch(code):
            raise ValueError(code)
        return cls(str(entry["cause"]), first, last, code, events)

    def is_pending(self, targets: Sequence[Target]) -> bool:
        """Whether something is still to be told to one of these, also who took nothing so far."""
        return any("ended" not in self.events.get(target.name, ["ended"]) for target in targets)

    def covers(self, incident: Incident) -> bool:
        """Whether this is that incident, if of the same cause: a shorter look may see a part of it."""
        return incident.first <= self.last + GAP and incident.last >= self.first - GAP

    def as_json(self) -> dict[str, Any]:
        """As the file has it."""
        times = {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return {"cause": self.cause, **times, "code": self.code, "events": self.events}


@dataclass(frozen=True, slots=True)
class _News:
    """What is to be told of an incident, and to whom."""

    message: Message
    event: Event
    notice: Notice
    targets: Sequence[Target]

    def is_for(self, target: Target) -> bool:
        """Whether this target is still to be told."""
        return any(target is one for one in self.targets) and self.event not in self.notice.events.get(target.name, [])

    def tick_off(self, target: Target) -> None:
        """The target was told, which then counts as told of what comes before it too."""
        self.notice.events[target.name] = [*EVENTS[: EVENTS.index(self.event) + 1]]


@dataclass(slots=True)
class State:
    """What was told so far; `checked_at` is None where nobody knows."""

    path: Path
    checked_at: datetime | None = None
    notices: list[Notice] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> "State":
        """The file, or an empty state where there is none or it cannot be understood: that repeats messages."""
        if path.exists() and not path.is_file():  # would be waited for, or have no end
            return cls(path)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            notices = [Notice.parse(entry) for entry in document["incidents"]]
            checked_at = None if document["checked_at"] is None else _moment(document["checked_at"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(path)
        return cls(path, checked_at, notices)

    def save(self) -> None:
        """Write it whole; OSError where that is not possible."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        checked_at = self.checked_at.isoformat() if self.checked_at else None
        document = {"checked_at": checked_at, "incidents": [one.as_json() for one in self.notices]}
        write_whole(self.path, json.dumps(document, indent=1))

    def since(self, now: datetime, period: timedelta, targets: Sequence[Target]) -> datetime:
        """From when on jobs are to be read, so that no incident is missed that is open or came between two checks."""
        opened = [one.first for one in self.notices if one.is_pending(targets)]
        # A check that ran later than now ran by a clock that was wrong, so nobody knows when it was.
        is_known = self.checked_at is not None and self.checked_at <= now
        last = self.checked_at - GAP if self.checked_at and is_known else now - LOOK_BACK
        return max(min([now - period, last, *opened]), now - max(_LONGEST, period))


def path_of(notifications: Notifications) -> Path:
    """Where the state is kept."""
    if notifications.state:
        return Path(os.path.expanduser(notifications.state))  # pathlib's own raises where there is no such user
    return state_folder(os.environ) / "notify.json"


def tell(
    incidents: Sequence[Incident],
    state: State,
    notifications: Notifications,
    now: datetime,
    after: timedelta,
    *,
    is_whole: bool,
    is_read: bool,
    is_demo: bool,
) -> Iterator[str]:
    """Send what is new, a message at a time; sentences for what could not be sent, which the next check tries again.

    `is_read` says whether both tables were read, `is_whole` whether every failure was explained too: only then has an
    incident gone that is not among `incidents`. OSError where the state cannot be written: nothing is sent then, or
    every check would send it again.
    """
    state.notices = [one for one in state.notices if now - one.last < _KEPT]
    state.save()
    by_cause: dict[str, list[Notice]] = {}
    for notice in state.notices:
        by_cause.setdefault(notice.cause, []).append(notice)
    every: list[_News] = []
    seen: set[int] = set()
    # Of one that falls apart, because jobs in the middle were done again, its beginning keeps what was told.
    known = {notice.code for notice in state.notices}
    # What has been forgotten is not told anew, however far back a check looks.
    recent = [one for one in incidents if now - one.last < _KEPT]
    for incident in sorted(recent, key=lambda one: (one.code not in known, one.first)):
        notice = _entry(state, by_cause, incident, seen)
        seen.add(id(notice))
        every.append(_news(incident, notice, notifications, now, after, is_demo=is_demo))
    for notice in state.notices if is_whole else ():
        if id(notice) in seen:
            continue
        # Who took nothing of it is not told that it is gone.
        notice.events = {name: events for name, events in notice.events.items() if events}
        if notice.is_pending(notifications.targets):
            message = _gone(notice, notifications, is_demo=is_demo)
            told_before = [target for target in notifications.targets if target.name in notice.events]
            every.append(_News(message, "ended", notice, told_before))
    for target in notifications.targets:
        yield from _send([one for one in every if one.is_for(target)], target, state, notifications, is_demo=is_demo)
    # Where there are more failures than can be explained, to begin with them again would never end.
    if is_read:
        state.checked_at = now
        state.save()


def _entry(state: State, by_cause: dict[str, list[Notice]], incident: Incident, seen: set[int]) -> Notice:
    """What was told of this incident; a new entry where nothing was. `seen` are those of other incidents."""
    cause = _digest(incident)
    free = [one for one in by_cause.get(cause, ()) if id(one) not in seen and one.covers(incident)]
    notice = next((one for one in free if one.code == incident.code), free[0] if free else None)
    if notice is None:
        notice = Notice(cause, incident.first, incident.last, incident.code)
        state.notices.append(notice)
        by_cause.setdefault(cause, []).append(notice)
    notice.first, notice.last = min(notice.first, incident.first), max(notice.last, incident.last)
    return notice


def _news(
    incident: Incident, notice: Notice, notifications: Notifications, now: datetime, after: timedelta, *, is_demo: bool
) -> _News:
    if incident.is_over:
        event: Event = "ended"
    else:
        event = "going on" if now - notice.first >= after else "began"
        # A failure came in late: to whom it was over, it begins anew.
        notice.events = {name: events for name, events in notice.events.items() if "ended" not in events}
    for target in notifications.targets:
        notice.events.setdefault(target.name, [])
    return _News(_message(incident, notice, event, now, notifications, is_demo), event, notice, notifications.targets)


def _send(
    news: Sequence[_News], target: Target, state: State, notifications: Notifications, *, is_demo: bool
) -> Iterator[str]:
    """All of it to one target, a message each; of very much the rest in one. A sentence where it takes none."""
    alone = len(news) if len(news) <= _MOST_MESSAGES else _MOST_MESSAGES - 1
    messages = [(one.message, [one]) for one in news[:alone]]
    if rest := news[alone:]:
        messages.append((_of_many(rest, notifications, is_demo=is_demo), list(rest)))
    for message, covered in messages:
        try:
            target.send(message)
        except NotSent as error:
            # One that does not answer is not waited for again with the next message.
            yield str(error)
            return
        for one in covered:
            one.tick_off(target)
        state.save()


def _of_many(news: Sequence[_News], notifications: Notifications, *, is_demo: bool) -> Message:
    counts = {event: sum(one.event == event for one in news) for event in EVENTS}
    words = {"began": "began", "going on": "going on", "ended": "over"}
    text = ", ".join(f"{number:,} {words[event]}" for event, number in counts.items() if number)
    codes = "".join(one.message.code for one in news)
    return Message(
        title=f"{'Demo data: ' if is_demo else ''}{len(news):,} more incidents",
        text=f"{text[:1].upper()}{text[1:]}.",
        link=f"{_dashboard(notifications.url)}/jobs",
        data={"event": "more", "incidents": counts},
        code=blake2b(codes.encode(), digest_size=16).hexdigest(),
    )


def _message(
    incident: Incident, notice: Notice, event: Event, now: datetime, notifications: Notifications, is_demo: bool
) -> Message:
    what = cause(incident.signature)
    return Message(
        title=f"{'Demo data: ' if is_demo else ''}{_TITLES[event]}: {what}",
        text=f"{figures(incident, now, ZoneInfo('UTC'))} Times in UTC.",
        link=link(notice.code, notifications.url),
        data={
            "event": event,
            "incident": {
                "kind": what,
                "code": notice.code,
                "first_seen": notice.first.isoformat(),
                "last_seen": notice.last.isoformat(),
                "jobs": incident.jobs,
                "students": len(incident.students),
                "recovered": incident.recovered,
                "over": incident.is_over,
            },
        },
        code=f"{notice.code}-{EVENTS.index(event)}",
    )


def _gone(notice: Notice, notifications: Notifications, *, is_demo: bool) -> Message:
    data = {
        "code": notice.code,
        "first_seen": notice.first.isoformat(),
        "last_seen": notice.last.isoformat(),
        "over": True,
    }
    return Message(
        title=f"{'Demo data: ' if is_demo else ''}{_TITLES['ended']}",
        text=f"The incident since {notice.first.astimezone(UTC):%d %b %H:%M} UTC is no longer there: its jobs do not "
        "count as failures any more, or are older than 30 days.",
        link=link(notice.code, notifications.url),
        data={"event": "ended", "incident": data},
        code=f"{notice.code}-{EVENTS.index('ended')}",
    )


def link(code: str, url: str) -> str:
    """An incident's page on the dashboard at `url`; where nobody says where that is, on this computer."""
    return f"{_dashboard(url)}/jobs?incident={code}"


def _dashboard(url: str) -> str:
    return url or "http://127.0.0.1:8501"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 2000 <= moment.year < 3000:  # times of others cannot be reckoned with
        raise ValueError(text)
    return moment


def _digest(incident: Incident) -> str:
    return blake2b(incident.signature.encode(errors="replace"), digest_size=16).hexdigest()
