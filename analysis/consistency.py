"""What does not add up: bands that do not follow from what was recorded, and records that break the schema.

Each function takes a frame or records and returns findings: a row per kind and record, with the columns
kind (see `describe`), table (evaluations or sets), id, user_id (str or None), created_at (datetime64[us, UTC], NaT
unknown), detail (str). Nothing depends on the order of what comes in.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.bands import nearest_half
from data.records.cards import Card
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.frames import FINDING_KINDS, FINDINGS
from data.records.parse import NULL, Issue
from data.schema import (
    BANDS,
    COMPLETED,
    CRITERIA,
    CRITERION_NAMES,
    EVALUATIONS,
    FLASHCARD_SETS,
    OVERALL,
    SPEAKING,
    TYPES,
    WRITING,
)

OF_EVALUATIONS = "evaluations"
OF_SETS = "sets"

# How IELTS rounds one skill's band is not published, and some examiners round down: half a band off is a note.
NOTE_UP_TO = 0.5
# IELTS's public band descriptors for Writing give band 1 to 20 words or fewer.
FEW_WORDS = 20
BAND_FOR_FEW_WORDS = 1.0
# A whole Speaking test takes 11 to 14 minutes: twice that is no recording of one. An answer in one sentence takes
# several seconds.
SHORTEST_SECONDS = 5.0
LONGEST_SECONDS = 1800.0
# Conversation runs at 120 to 180 words a minute and an auctioneer reaches about 250; somebody who speaks fewer than 20
# a minute is silent most of the time, which no recording of an answer is.
SLOWEST_PACE = 20.0
FASTEST_PACE = 300.0
# People and programs count contractions, numbers and fillers differently: a tenth, or five words in a short text.
WORDS_APART = 0.1
WORDS_APART_AT_LEAST = 5

SCORES, NOTES, SCHEMA, REPAIRED = "Score error", "Warning", "Format error", "Repaired"
GROUPS = (SCORES, NOTES, SCHEMA, REPAIRED)
_BROKEN, _MENDED = "schema", "repaired"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: its group (one of GROUPS), its name, and what it means in plain words."""

    group: str
    name: str
    meaning: str


_KINDS = {
    "overall": Kind(
        SCORES,
        "Overall band doesn't match criteria",
        "The overall band is more than half a band away from the mean of the criteria, rounded as IELTS rounds.",
    ),
    "overall-half": Kind(
        NOTES,
        "Overall band off by 0.5",
        "Up to half a band away from the rounded mean of the criteria. Some examiners round down, so it may be meant.",
    ),
    "scale": Kind(SCORES, "Band out of range", "Bands are whole or half and run from 0 to 9; this one is not."),
    "no-band": Kind(
        SCORES, "Completed without a band", "The evaluation counts as completed, but no overall band can be read."
    ),
    "criterion-missing": Kind(
        SCORES,
        "Criterion missing",
        "A completed evaluation lacks one of the criteria of its type, or it cannot be read.",
    ),
    "criterion-foreign": Kind(
        SCORES, "Criterion of the wrong skill", "The record carries a band for a criterion of another skill."
    ),
    "few-words": Kind(
        SCORES,
        f"A band on {FEW_WORDS} words or fewer",
        f"{FEW_WORDS} words or fewer are band 1, but a higher band was given.",
    ),
    "words": Kind(
        SCORES,
        "Word count mismatch",
        "The recorded number of words is more than a tenth (and more than five words) away from those in the "
        "transcript.",
    ),
    "length": Kind(
        SCORES,
        "Unusual recording length",
        f"The recording is under {SHORTEST_SECONDS:.0f} seconds or over {LONGEST_SECONDS / 60:.0f} minutes; a whole "
        "Speaking test takes 11 to 14.",
    ),
    "pace": Kind(
        SCORES,
        "Implausible speaking rate",
        f"Fewer than {SLOWEST_PACE:.0f} or more than {FASTEST_PACE:.0f} words per minute: words or length are wrong.",
    ),
    "no-cards": Kind(SCHEMA, "Completed set without cards", "The set counts as completed, but no card can be read."),
    "total-cards": Kind(SCHEMA, "Card count mismatch", "The set says another number of cards than can be read in it."),
    "blank-cards": Kind(SCHEMA, "Blank cards", "Cards whose question or answer is empty."),
    "duplicate-cards": Kind(
        SCHEMA, "Duplicate cards", "Cards with the same question and answer, capitals and spaces aside."
    ),
}

_DESCRIPTIONS = {
    (name, attribute.name): attribute.description
    for name, table in ((OF_EVALUATIONS, EVALUATIONS), (OF_SETS, FLASHCARD_SETS))
    for attribute in table.attributes
}
_NOUNS = {OF_EVALUATIONS: "evaluation", OF_SETS: "flashcard set"}

# Reasons that name this record's own numbers, as the kind that they are.
_OWN_NUMBERS = (
    (re.compile(r"^breaks off after .*", re.DOTALL), "breaks off"),
    (re.compile(r"^cards say .* instead of question and answer$", re.DOTALL), "other names for question and answer"),
    (re.compile(r"\bin the year \d+, before 2000"), "in a year before 2000"),
)
_OTHER_TOTAL = re.compile(r"says \d+, but \d+ can be read")
_OFF_SCALE = "outside 0 to 9"
_NOTHING = (NULL, "empty")


def describe(kind: str) -> Kind:
    """What the code in the column `kind` stands for; KeyError when it is no code.

    >>> describe("schema:evaluations:grammar_band:NULL").name
    'grammar_band: NULL'
    >>> describe("repaired:evaluations:feedback:a comma too many").group
    'Repaired'
    """
    if kind in _KINDS:
        return _KINDS[kind]
    broken, table, attribute, reason = (kind.split(":", 3) + [""] * 3)[:4]
    if broken not in (_BROKEN, _MENDED) or (table, attribute) not in _DESCRIPTIONS or not reason:
        raise KeyError(kind)
    if broken == _MENDED:
        return Kind(
            REPAIRED,
            f"{attribute}: {reason}",
            f"All of it is read, with this mended; the {_NOUNS[table]} itself is as it was stored.",
        )
    return Kind(
        SCHEMA,
        f"{attribute}: {reason}",
        f"Not as specified in the {_NOUNS[table]}: {_DESCRIPTIONS[table, attribute]}.",
    )


def none() -> pd.DataFrame:
    """No findings."""
    return _frame([])


def in_evaluations(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Findings in a frame of evaluations, from what a list of them carries (no transcript, no feedback)."""
    completed = evaluations[evaluations["status"] == COMPLETED]
    parts = [_broken(evaluations, OF_EVALUATIONS), _off_scale(evaluations), *_amounts(completed)]
    for skill in TYPES:
        parts += [
            *_overall(completed[completed["evaluation_type"] == skill], skill),
            _foreign(evaluations[evaluations["evaluation_type"] == skill], skill),
        ]
    missing = completed[OVERALL].isna() & ~_is_off_scale(completed, OVERALL)
    parts.append(_findings("no-band", completed[missing], lambda row: _why(row, OVERALL)))
    return together(*parts)


def in_sets(sets: pd.DataFrame) -> pd.DataFrame:
    """Findings in a frame of flashcard sets, from what a list of them carries (no cards)."""
    empty = sets[(sets["status"] == COMPLETED) & (sets["total_cards"] == 0)]
    return together(_broken(sets, OF_SETS), _findings("no-cards", empty, lambda _: "total_cards is 0", table=OF_SETS))


def in_whole_evaluations(records: Iterable[Evaluation]) -> pd.DataFrame:
    """Findings that need whole evaluations: every issue, and the words of the transcript against word_count."""
    rows = []
    for record in records:
        address = _address(OF_EVALUATIONS, record.evaluation_id, record)
        rows += _issue_rows(record.issues, address)
        if record.status != COMPLETED or record.transcript is None or record.word_count is None:
            continue
        words = len(record.transcript.split())
        if abs(record.word_count - words) > max(WORDS_APART_AT_LEAST, WORDS_APART * words):
            detail = f"word_count is {record.word_count:,}, the transcript has {words:,} words"
            rows.append({"kind": "words", **address, "detail": detail})
    return together(_frame(rows))


def in_whole_sets(records: Iterable[FlashcardSet]) -> pd.DataFrame:
    """Findings that need whole flashcard sets: every issue, and the cards themselves."""
    rows = []
    for record in records:
        address = _address(OF_SETS, record.set_id, record)
        rows += _issue_rows(record.issues, address)
        if record.status != COMPLETED:
            continue
        for kind, detail in _about_cards(record):
            rows.append({"kind": kind, **address, "detail": detail})
    return together(_frame(rows))


def together(*findings: pd.DataFrame) -> pd.DataFrame:
    """Findings as one frame, each kind once per record, newest first, unknown times last, then by id and kind."""
    nonempty = [part for part in findings if len(part)]
    if not nonempty:
        return _frame([])
    order = ["created_at", "table", "id", "user_id", "kind", "detail"]
    whole = pd.concat(nonempty, ignore_index=True).sort_values(
        order, ascending=[False, *([True] * 5)], na_position="last", kind="stable"
    )
    return whole.drop_duplicates(["kind", "table", "id", "user_id"], ignore_index=True)


def by_kind(findings: pd.DataFrame) -> pd.DataFrame:
    """A row per kind: kind, group, name, meaning, records (how many), students, example (the newest one's detail).

    In the order of GROUPS, most records first.
    """
    rows = []
    for code, of_kind in findings.groupby("kind", sort=True):
        kind = describe(str(code))
        rows.append(
            {
                "kind": code,
                "group": kind.group,
                "name": kind.name,
                "meaning": kind.meaning,
                "records": len(of_kind),
                "students": of_kind["user_id"].nunique(),
                "example": of_kind["detail"].iloc[0],
            }
        )
    rows.sort(key=lambda row: (GROUPS.index(row["group"]), -row["records"], row["name"], row["kind"]))
    return FINDING_KINDS.typed(pd.DataFrame(rows, columns=[*FINDING_KINDS]))


def _overall(completed: pd.DataFrame, skill: str) -> list[pd.DataFrame]:
    """The overall band of completed evaluations of `skill` against the criteria, and criteria that are not there."""
    criteria = list(CRITERIA[skill])
    unread = completed[[*criteria]].isna() & pd.DataFrame(
        {c: ~_is_off_scale(completed, c) for c in criteria}, index=completed.index
    )
    scored = completed[completed[[OVERALL, *criteria]].notna().all(axis=1)]
    means = scored[criteria].mean(axis=1)
    # Of all the means of bands there are few.
    apart = (scored[OVERALL] - means.map({mean: nearest_half(mean) for mean in means.unique()})).abs()

    def explain(row: Mapping[Any, Any]) -> str:
        mean = sum(row[c] for c in criteria) / len(criteria)
        return (
            f"overall {_band_text(row[OVERALL])}; criteria {' '.join(_band_text(row[c]) for c in criteria)}, "
            f"mean {mean:g}, rounded {_band_text(nearest_half(mean))}"
        )

    return [
        _findings("overall", scored[apart > NOTE_UP_TO], explain),
        _findings("overall-half", scored[(apart > 0) & (apart <= NOTE_UP_TO)], explain),
        _findings(
            "criterion-missing",
            completed[unread.any(axis=1)],
            lambda row: "; ".join(_why(row, c) for c in criteria if math.isnan(row[c]) and not _outside(row, c)),
        ),
    ]


def _foreign(of_skill: pd.DataFrame, skill: str) -> pd.DataFrame:
    """Evaluations of `skill` that carry a criterion of another type, readable or not; an empty one is none."""
    foreign = [criterion for criterion in CRITERION_NAMES if criterion not in CRITERIA[skill]]

    def is_unread(issue: Issue) -> bool:
        return issue.attribute in foreign and issue.reason not in _NOTHING

    carried = of_skill[foreign].notna().any(axis=1) | _noted(of_skill, is_unread)

    def explain(row: Mapping[Any, Any]) -> str:
        odd = {issue.attribute for issue in row["issues"] if is_unread(issue)}
        return "; ".join(f"{c} {_band_text(row[c])}" for c in foreign if not math.isnan(row[c]) or c in odd)

    return _findings("criterion-foreign", of_skill[carried], explain)


def _off_scale(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Bands that are neither whole nor half, or outside 0 to 9 (which the parser leaves as NaN with an issue)."""
    bands = evaluations[list(BANDS)]
    off = (bands.notna() & (((bands * 2) % 1 != 0) | (bands < 0) | (bands > 9))).any(axis=1)
    for band in BANDS:
        off |= _is_off_scale(evaluations, band)

    def explain(row: Mapping[Any, Any]) -> str:
        outside = {issue.attribute: issue.value for issue in row["issues"] if issue.reason == _OFF_SCALE}
        outsides = [f"{band} {outside[band]}" for band in BANDS if band in outside]
        outsides += [
            f"{band} {_band_text(row[band])}"
            for band in BANDS
            if not math.isnan(row[band]) and ((row[band] * 2) % 1 != 0 or not 0 <= row[band] <= 9)
        ]
        return "; ".join(outsides)

    return _findings("scale", evaluations[off], explain)


def _amounts(completed: pd.DataFrame) -> list[pd.DataFrame]:
    """Words of completed Writing; length and pace of completed Speaking, which alone has a recording."""
    words, seconds = completed["word_count"], completed["duration"]
    is_spoken = completed["evaluation_type"] == SPEAKING
    lengthless = is_spoken & ((seconds < SHORTEST_SECONDS) | (seconds > LONGEST_SECONDS))
    pace = words / seconds.where(seconds > 0) * 60
    return [
        _findings(
            "few-words",
            # A short answer is normal in Speaking: the descriptor is of Writing.
            completed[
                (completed["evaluation_type"] == WRITING)
                & (words <= FEW_WORDS)
                & (completed[OVERALL] > BAND_FOR_FEW_WORDS)
            ],
            lambda row: f"{row['word_count']:.0f} words, overall {_band_text(row[OVERALL])}",
        ),
        _findings("length", completed[lengthless], lambda row: f"{row['duration']:,g} seconds"),
        _findings(
            "pace",
            completed[is_spoken & ~lengthless & ((pace < SLOWEST_PACE) | (pace > FASTEST_PACE))],
            lambda row: (
                f"{row['word_count']:.0f} words in {row['duration']:,g} seconds: "
                f"{row['word_count'] / row['duration'] * 60:,.0f} words per minute"
            ),
        ),
    ]


def _about_cards(record: FlashcardSet) -> list[tuple[str, str]]:
    """(kind, detail) of what is wrong with the cards of a completed set."""
    problems = []
    if not record.cards:
        problems.append(("no-cards", "its flashcards cannot be read" if record.unread else "it holds no flashcards"))
    elif record.total_cards is not None and record.total_cards != len(record.cards):
        problems.append(("total-cards", f"total_cards is {record.total_cards:,}, {len(record.cards):,} can be read"))
    if blank := [n for n, card in enumerate(record.cards, 1) if not card.front.strip() or not card.back.strip()]:
        problems.append(("blank-cards", f"card {_numbers(blank)}"))
    first: dict[tuple[str, str], int] = {}
    again = []
    for n, card in enumerate(record.cards, 1):
        # Two blank cards are blank, not the same.
        if any(_alike(card)) and first.setdefault(_alike(card), n) != n:
            again.append(n)
    if again:
        problems.append(("duplicate-cards", f"card {_numbers(again)}"))
    return problems


def _alike(card: Card) -> tuple[str, str]:
    front, back = (" ".join(side.split()).casefold() for side in (card.front, card.back))
    return front, back


def _numbers(cards: Sequence[int]) -> str:
    listed = ", ".join(map(str, cards[:10]))
    return listed if len(cards) <= 10 else f"{listed} and {len(cards) - 10:,} more"


def _broken(rows: pd.DataFrame, table: str) -> pd.DataFrame:
    """What the parser noted about the rows of a frame."""
    id_name = (EVALUATIONS if table == OF_EVALUATIONS else FLASHCARD_SETS).partition_key
    noted = rows[rows["issues"].map(bool).astype(bool)]
    issues = []
    for row in noted.to_dict("records"):
        address = {"table": table, "id": row[id_name], "user_id": row["user_id"], "created_at": row["created_at"]}
        issues += _issue_rows(row["issues"], address)
    return _frame(issues)


def _issue_rows(issues: Iterable[Issue], address: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for issue in issues:
        if issue.attribute == "total_cards" and _OTHER_TOTAL.fullmatch(issue.reason):
            continue  # “Card count mismatch” says it, unless there are no cards at all, which says more
        reason = issue.reason
        for pattern, plain in _OWN_NUMBERS:
            reason = pattern.sub(plain, reason)
        detail = f"“{issue.value}”" if issue.value and issue.reason != NULL else ""
        if reason != issue.reason:
            detail = f"{detail} {issue.reason}".strip()
        group = _MENDED if issue.outcome == "mended" else _BROKEN
        rows.append(
            {
                "kind": f"{group}:{address['table']}:{issue.attribute}:{reason}",
                **address,
                "detail": detail or issue.reason,
            }
        )
    return rows


def _findings(
    kind: str, rows: pd.DataFrame, detail: Callable[[Mapping[Any, Any]], str], table: str = OF_EVALUATIONS
) -> pd.DataFrame:
    id_name = (EVALUATIONS if table == OF_EVALUATIONS else FLASHCARD_SETS).partition_key
    return _frame(
        [
            {
                "kind": kind,
                "table": table,
                "id": row[id_name],
                "user_id": row["user_id"],
                "created_at": row["created_at"],
                "detail": detail(row),
            }
            for row in rows.to_dict("records")
        ]
    )


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    return FINDINGS.typed(pd.DataFrame(list(rows), columns=[*FINDINGS], dtype="object"))


def _address(table: str, record_id: str, record: Evaluation | FlashcardSet) -> dict[str, Any]:
    return {
        "table": table,
        "id": record_id or None,
        "user_id": record.user_id or None,
        "created_at": record.created_at,
    }


def _is_off_scale(rows: pd.DataFrame, band: str) -> pd.Series:
    """Whether the parser found the row's band outside 0 to 9."""
    return _noted(rows, lambda issue: issue.attribute == band and issue.reason == _OFF_SCALE)


def _noted(rows: pd.DataFrame, what: Callable[[Issue], bool]) -> pd.Series:
    """Whether the parser noted such a thing about the row. Of nearly all rows it notes nothing."""
    issues = rows["issues"].to_numpy()
    noted = np.fromiter(map(bool, issues), bool, len(issues))
    noted[noted] = [any(map(what, of_row)) for of_row in issues[noted]]
    return pd.Series(noted, index=rows.index)


def _outside(row: Mapping[Any, Any], band: str) -> bool:
    return any(issue.attribute == band and issue.reason == _OFF_SCALE for issue in row["issues"])


def _why(row: Mapping[Any, Any], band: str) -> str:
    """Why a band is not known."""
    for issue in row["issues"]:
        if issue.attribute == band:
            value = f" “{issue.value}”" if issue.value and issue.reason != NULL else ""
            return f"{band}{value}: {issue.reason.removesuffix(', although the evaluation is completed')}"
    return f"{band}: missing"


def _band_text(band: float) -> str:
    if math.isnan(band):
        return "unreadable"
    return f"{band:.1f}" if float(band * 10).is_integer() else f"{band:g}"
