"""Sample data: some forty students over twelve months, reproducible, with times relative to a given now."""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from data.demo import texts
from data.schema import COMPLETED, CRITERIA, FAILED, OVERALL, PROCESSING, SPEAKING, WRITING

Record = dict[str, Any]

SEED_STUDENT = "user-456"
ODD_STUDENT = "user-099"

# The specification's own three example items, letter for letter: the feedback of the first two is no JSON.
SEED_EVALUATIONS: tuple[Record, ...] = (
    {
        "evaluation_id": "eval-abc123",
        "user_id": SEED_STUDENT,
        "evaluation_type": "writing",
        "status": "completed",
        "overall_band": "7.0",
        "task_achievement_band": "7.0",
        "coherence_band": "6.5",
        "lexical_band": "7.0",
        "grammar_band": "6.5",
        "feedback": '{"strengths":[...],"weaknesses":[...]}',
        "model_used": "gemini-writing_task2",
        "created_at": 1733644800,
    },
    {
        "evaluation_id": "speak-xyz789",
        "user_id": SEED_STUDENT,
        "evaluation_type": "speaking",
        "status": "completed",
        "overall_band": "7.0",
        "fluency_band": "7.0",
        "lexical_band": "6.5",
        "grammar_band": "7.0",
        "pronunciation_band": "6.5",
        "transcript": "Well, I'd like to talk about...",
        "duration": "120.5",
        "word_count": 185,
        "feedback": '{"fluency":{...},"pronunciation":{...}}',
        "model_used": "gemini-2.5-flash-audio",
        "created_at": 1733644800,
    },
)
SEED_SET: Record = {
    "set_id": "flashcard-set-123",
    "user_id": SEED_STUDENT,
    "document_id": "uploads/documents/user-456/vocab-guide.pdf",
    "status": "completed",
    "flashcards": '[{"question":"What is...","answer":"..."}]',
    "total_cards": 15,
    "page_count": 8,
    "chunk_count": 24,
    "created_at": 1733644800,
}

_STUDENTS = 40
_DAYS = 365
_MODELS = {  # before and after the change half-way
    WRITING: (("gemini-writing_task2", "gemini-writing_task1"), ("gemini-2.5-pro-writing_task2",)),
    SPEAKING: (("gemini-2.5-flash-audio",), ("gemini-3.0-flash-audio",)),
}
_STRICTER = 0.25  # bands by which the newer models score lower
# A few who clearly move: student number -> bands per month over the last five months.
_MOVING = {6: 0.45, 13: 0.5, 24: 0.4, 7: -0.5, 29: -0.5}
# Who is going to take the test: student number -> (weeks until it, bands from the level to the target).
_TESTS = {0: (18, 1.5), 2: (26, 0.5), 6: (14, 0.5), 8: (9, 0.0), 9: (22, 1.5), 11: (7, 0.5), 13: (6, 1.0)}
_TESTS |= {16: (30, 0.5), 20: (12, 0.0), 22: (17, 0.5), 25: (10, 1.0), 31: (24, 0.5), 35: (3, 0.0), 37: (15, 0.5)}
_BURSTS = ((3, 14), (96, 8))  # failures in bursts: (days ago, how many within three hours)
# Minutes ago that jobs began which never end. Nothing runs here that would end them, so they are few: an hour later it
# still is a school where a job or two is overdue.
_WAITING = (2, 26, 1500, 4300)
_SETS_WAITING = (700,)


@dataclass(frozen=True, slots=True)
class Sample:
    """Plain records (str, int, list, dict) of both tables."""

    evaluations: list[Record]
    sets: list[Record]


@dataclass(frozen=True, slots=True)
class _Student:
    user_id: str
    start: float  # days ago
    end: float  # days ago of the last visit
    level: dict[str, float]  # at the start
    growth: dict[str, float]  # bands per month
    leaning: dict[str, float]  # criterion -> how far from the overall level
    attempts: int


def sample(now: datetime, seed: int = 456) -> Sample:
    """The whole sample, the same for the same `now` and `seed`."""
    rng = random.Random(seed)
    students = [_student(rng, n) for n in range(_STUDENTS)]
    evaluations: list[Record] = []
    for student in students:
        for days_ago in _practice_days(rng, now, student):
            evaluations.append(_attempt(rng, now, student, days_ago))
    for days_ago, count in _BURSTS:
        active = [s for s in students if s.start > days_ago >= s.end]
        for n in range(count):
            when, student = days_ago + rng.random() * 0.125, rng.choice(active)
            failure = _failure(rng, now, student, when, in_burst=True)
            evaluations.append(failure)
            if n % 3:  # most did it again the same day
                evaluations.append(_completed(rng, now, student, failure["evaluation_type"], when - 0.2))
    for minutes_ago in _WAITING:
        evaluations.append(_waiting(rng, now, rng.choice(students[:12]), minutes_ago))
    evaluations += [*(dict(record) for record in SEED_EVALUATIONS), *_odd_evaluations(now)]
    return Sample(evaluations, [*_sets(random.Random(seed), now, students), dict(SEED_SET), *_odd_sets(now)])


def roster(now: datetime, seed: int = 456) -> str:
    """The sample's roster as CSV: most of the students, three classes, some with a test, and one who never came."""
    rng = random.Random(seed)
    lines = ["user_id,name,class,target_band,test_date,teacher"]
    for n, name in enumerate(texts.STUDENTS):
        student = _student(rng, n)
        # Whoever declines aims at what was their level once.
        best = student.level[WRITING] + max(0.0, student.growth[WRITING]) * student.start / 30.4
        weeks, missing = _TESTS.get(n, (0, 1.5 if n % 9 == 0 else -0.1))
        target = "" if n % 8 == 3 and not weeks else f"{min(8.5, _half(best + missing)):.1f}"
        test = f"{_saturday(now + timedelta(weeks=weeks))}" if weeks else ""
        of_class = n % 7 % 3
        lines.append(f"user-{101 + n},{name},{texts.CLASSES[of_class]},{target},{test},{texts.TEACHERS[of_class]}")
    return "\r\n".join(lines) + "\r\n"


def _saturday(now: datetime) -> date:
    """The Saturday of the week: tests are mostly on one."""
    return (now + timedelta(days=5 - now.weekday())).date()


def _student(rng: random.Random, n: int) -> _Student:
    start = rng.uniform(60, _DAYS) if n > 3 else _DAYS
    gone = n % 9 == 5  # some stopped weeks ago
    level = rng.gauss(5.7, 0.7)
    growth = rng.gauss(0.1, 0.05)
    if n in _MOVING:
        start, growth = 150.0, _MOVING[n]
        level = 5.0 if growth > 0 else 7.0
    return _Student(
        user_id=f"user-{101 + n}",
        start=start,
        end=rng.uniform(18, 55) if gone else rng.uniform(0, 6),
        level={WRITING: level - 0.2, SPEAKING: level + rng.gauss(0.2, 0.4)},
        growth={WRITING: growth, SPEAKING: growth + rng.gauss(0.02, 0.03)},
        leaning={c: rng.gauss(0, 0.25) for c in {**CRITERIA[WRITING], **CRITERIA[SPEAKING]}},
        attempts=max(24 if n in _MOVING else 5, round(start / _DAYS * rng.uniform(24, 58))),
    )


def _practice_days(rng: random.Random, now: datetime, student: _Student) -> list[float]:
    """Days ago of each attempt: people practise in sessions, mostly in the afternoon and evening (UTC+7)."""
    since_midnight = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)
    days: list[float] = []
    while len(days) < student.attempts:
        day = math.floor(rng.uniform(student.end, student.start) if days else student.end)
        hour = min(22.0, max(0.0, rng.gauss(11, 3)))  # UTC
        for _ in range(rng.choice((1, 1, 2, 3))):
            days_ago = day + since_midnight - hour / 24
            days.append(days_ago if days_ago > 0 else days_ago + 1)
            hour += rng.uniform(0.3, 0.6)
    return sorted(days[: student.attempts], reverse=True)


def _attempt(rng: random.Random, now: datetime, student: _Student, days_ago: float) -> Record:
    if rng.random() < 0.018:
        return _failure(rng, now, student, days_ago)
    return _completed(rng, now, student, WRITING if rng.random() < 0.55 else SPEAKING, days_ago)


def _completed(rng: random.Random, now: datetime, student: _Student, kind: str, days_ago: float) -> Record:
    newer = days_ago < _DAYS / 2
    months = (student.start - days_ago) / 30.4
    ability = student.level[kind] + student.growth[kind] * months - (_STRICTER if newer else 0)
    ability += rng.gauss(0, 0.3)
    criteria = {c: _half(ability + student.leaning[c] + rng.gauss(0, 0.2)) for c in CRITERIA[kind]}
    overall = math.floor(2 * sum(criteria.values()) / 4 + 0.5) / 2
    topic = rng.choice(texts.WRITING_TOPICS if kind == WRITING else list(texts.SPEAKING_TOPICS))
    record: Record = {
        **_start(rng, now, student, kind, days_ago),
        "status": COMPLETED,
        OVERALL: f"{overall:.1f}",
        **{c: f"{band:.1f}" for c, band in criteria.items()},
        "feedback": json.dumps(_feedback(rng, kind, topic, criteria), ensure_ascii=False),
        "model_used": rng.choice(_MODELS[kind][newer]),
    }
    if kind == SPEAKING:
        transcript = _transcript(rng, topic, criteria["fluency_band"])
        words = len(transcript.split())
        pace = 70 + 11 * criteria["fluency_band"] + rng.gauss(0, 7)  # words per minute
        record |= {"transcript": transcript, "word_count": words, "duration": f"{words / pace * 60:.1f}"}
    return record


def _start(rng: random.Random, now: datetime, student: _Student, kind: str, days_ago: float) -> Record:
    prefix = "eval" if kind == WRITING else "speak"
    return {
        "evaluation_id": f"{prefix}-{rng.getrandbits(40):010x}",
        "user_id": student.user_id,
        "evaluation_type": kind,
        "created_at": int((now - timedelta(days=days_ago)).timestamp()),
    }


def _failure(
    rng: random.Random, now: datetime, student: _Student, days_ago: float, *, in_burst: bool = False
) -> Record:
    kind = rng.choice((WRITING, SPEAKING))
    model = _MODELS[kind][days_ago < _DAYS / 2][0]
    # A burst has one cause, as a rule.
    usual = texts.WRITING_ERRORS if kind == WRITING else texts.SPEAKING_ERRORS
    errors = usual[:1] if in_burst and rng.random() < 0.85 else usual
    reason = _reason(rng, errors, student.user_id, model)
    explanation = rng.choice(
        ({"error": reason}, {"error_message": reason}, {"feedback": json.dumps({"error": reason})}, {"error": reason})
    )
    return {**_start(rng, now, student, kind, days_ago), "status": FAILED, "model_used": model, **explanation}


def _waiting(rng: random.Random, now: datetime, student: _Student, minutes_ago: float) -> Record:
    kind = rng.choice((WRITING, SPEAKING))
    return {**_start(rng, now, student, kind, minutes_ago / 1440), "status": PROCESSING}


def _reason(rng: random.Random, errors: Sequence[tuple[str, int]], user_id: str, model: str) -> str:
    (template,) = rng.choices([t for t, _ in errors], [weight for _, weight in errors])
    return template.format(model=model, n=rng.randint(3, 48), id=f"{rng.getrandbits(48):012x}", user=user_id)


def _half(band: float) -> float:
    return min(9.0, max(2.5, math.floor(2 * band + 0.5) / 2))


def _remark(rng: random.Random, levels: texts.Levels, band: float, topic: str) -> str:
    least = (5.5, 7.0)[: len(levels) - 1]  # bands from which work is of the next level
    return _filled(rng, rng.choice(levels[sum(band >= one for one in least)]), topic)


def _filled(rng: random.Random, sentence: str, topic: str) -> str:
    n = rng.randrange(len(texts.OVERUSED))
    word, link, filler = texts.OVERUSED[n], texts.OVERUSED_LINKS[n], texts.OVERUSED_FILLERS[n]
    return sentence.format(topic=topic, word=word, link=link, filler=filler)


def _feedback(rng: random.Random, kind: str, topic: str, criteria: dict[str, float]) -> Record:
    """Writing: strengths, weaknesses, suggestions. Speaking: a section per criterion. Both shapes are in the wild."""
    names = {c.removesuffix("_band"): band for c, band in criteria.items()}
    ranked = sorted(names, key=lambda name: names[name], reverse=True)
    if kind == WRITING:
        sets = {name: (texts.STRENGTHS if name in ranked[:2] else texts.WEAKNESSES)[name] for name in names}
    else:
        sets = {name: texts.COMMENTS[name] for name in names}
    remarks = {name: _remark(rng, sets[name], band, topic) for name, band in names.items()}
    offered = texts.WRITING_SUGGESTIONS if kind == WRITING else texts.SPEAKING_SUGGESTIONS
    suggestions = [_filled(rng, sentence, topic) for sentence in rng.sample(offered, rng.randint(1, 3))]
    if kind == WRITING:
        return {
            "strengths": [remarks[name] for name in ranked[:2]],
            "weaknesses": [remarks[name] for name in ranked[2:]],
            "suggestions": suggestions,
        }
    return {
        **{name: {"band": f"{names[name]:.1f}", "comment": remarks[name]} for name in names},
        "suggestions": suggestions,
    }


def _transcript(rng: random.Random, topic: str, fluency: float) -> str:
    answers = texts.SPEAKING_TOPICS[topic]
    first, *rest = answers
    count = min(len(rest), max(4, round(fluency * 1.3 + rng.gauss(0, 1))))
    sentences = [first, *rng.sample(rest, count)]
    spoken = []
    for n, sentence in enumerate(sentences):
        start = rng.choice(texts.OPENERS) if n == 0 else rng.choice(texts.LINKS)
        words = sentence.format(
            place=rng.choice(texts.PLACES),
            city=rng.choice(texts.CITIES),
            relative=rng.choice(texts.RELATIVES),
            subject=rng.choice(texts.SUBJECTS),
            hours=rng.choice(("two", "three", "four", "five")),
            age=rng.choice(("ten", "twelve", "fifteen", "eighteen")),
        ).split(" ")
        for _ in range(2):
            pauses = [n for n, word in enumerate(words) if n > 1 and word in texts.BEFORE_A_PAUSE]
            if pauses and rng.random() < (9 - fluency) / 8:
                position = rng.choice(pauses)
                words[position] = rng.choice(texts.FILLERS) + words[position]
        line = start + " ".join(words)
        spoken.append(line[0].upper() + line[1:] + ".")
    return " ".join(spoken)


def _sets(rng: random.Random, now: datetime, students: list[_Student]) -> list[Record]:
    sets = []
    for n in range(114):
        student = rng.choice(students)
        deck = rng.choice(list(texts.DECKS))
        days_ago = rng.uniform(student.end, student.start)
        record: Record = {
            "set_id": f"flashcard-set-{rng.getrandbits(32):08x}",
            "user_id": student.user_id,
            "document_id": f"uploads/documents/{student.user_id}/{deck}",
            "created_at": int((now - timedelta(days=days_ago)).timestamp()),
        }
        if n % 19 == 7:
            reason = _reason(rng, texts.SET_ERRORS, student.user_id, "")
            sets.append({**record, "status": FAILED, "error_message": reason})
            continue
        cards = rng.sample(texts.DECKS[deck], rng.randint(5, len(texts.DECKS[deck])))
        pages = rng.randint(2, 14)
        sets.append(
            {
                **record,
                "status": COMPLETED,
                "flashcards": json.dumps([{"question": q, "answer": a} for q, a in cards], ensure_ascii=False),
                "total_cards": len(cards),
                "page_count": pages,
                "chunk_count": pages * rng.randint(2, 4),
            }
        )
    for minutes_ago in _SETS_WAITING:
        student = rng.choice(students)
        sets.append(
            {
                "set_id": f"flashcard-set-{rng.getrandbits(32):08x}",
                "user_id": student.user_id,
                "document_id": f"uploads/documents/{student.user_id}/linking-words.pdf",
                "status": PROCESSING,
                "created_at": int((now - timedelta(minutes=minutes_ago)).timestamp()),
            }
        )
    return sets


def _odd_evaluations(now: datetime) -> list[Record]:
    """One student whose records depart from the specification, each in its own way."""
    base = {
        "user_id": ODD_STUDENT,
        "evaluation_type": WRITING,
        "status": COMPLETED,
        OVERALL: "6.5",
        **dict.fromkeys(CRITERIA[WRITING], "6.5"),
        "feedback": json.dumps({"strengths": ["Clear."], "weaknesses": ["Short."]}),
        "model_used": "gemini-writing_task2",
    }
    deep: Any = "the bottom"
    for level in range(10):
        deep = {f"level {10 - level}": deep}
    odd: list[Record] = [
        {OVERALL: 7},
        {OVERALL: ""},
        {OVERALL: "7"},
        {OVERALL: "7,0"},
        {OVERALL: "N/A"},
        {OVERALL: "9.5"},
        {OVERALL: "6.25"},
        {"grammar_band": None},
        {"status": "queued"},
        {"evaluation_type": "reading"},
        {"feedback": "Good essay, but {unfinished"},
        {"feedback": json.dumps(["A list", "of remarks"])},
        {"feedback": json.dumps("Only a sentence.")},
        {"feedback": "42"},
        {"feedback": json.dumps(deep)},
        {"feedback": {"strengths": ["A native map"], "weaknesses": []}},
        {"essay_title": "An attribute that the specification does not name", "attempt": 3},
        {"feedback": json.dumps({"strengths": ["متن فارسی", "日本語のテキスト", "👩‍🏫 ✅", "z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢"]})},
        {"feedback": json.dumps({"notes": "A very long remark. " * 19_000})},  # about 390 KB
    ]
    records = []
    for n, change in enumerate(odd):
        created_at = int((now - timedelta(days=2 + n, hours=n % 5)).timestamp())
        records.append({"evaluation_id": f"eval-odd-{n + 1:02d}", **base, "created_at": created_at, **change})
    moment = int((now - timedelta(days=25)).timestamp())
    # A time that is text cannot be here: the index refuses such a record, in DynamoDB as well.
    for n, created_at in enumerate((moment * 1000, 86_400)):
        records.append({"evaluation_id": f"eval-odd-time-{n + 1}", **base, "created_at": created_at})
    records.append({"evaluation_id": "eval-odd-bare", "user_id": ODD_STUDENT, "created_at": moment})
    records.append({"evaluation_id": "eval-odd-timeless", **base})
    return records


def _odd_sets(now: datetime) -> list[Record]:
    base = {
        "user_id": ODD_STUDENT,
        "document_id": f"uploads/documents/{ODD_STUDENT}/notes.pdf",
        "status": COMPLETED,
        "total_cards": 2,
        "page_count": 3,
        "chunk_count": 5,
    }
    cards = [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]
    odd: list[Record] = [
        {"flashcards": json.dumps([{"front": "One?", "back": "1"}, {"front": "Two?", "back": "2"}])},
        {"flashcards": cards},
        {"flashcards": json.dumps(cards)[:-9]},
    ]
    return [
        {
            "set_id": f"flashcard-set-odd-{n + 1}",
            **base,
            "created_at": int((now - timedelta(days=3 + n)).timestamp()),
            **change,
        }
        for n, change in enumerate(odd)
    ]
