"""What the feedback keeps saying: remarks out of feedback of any shape, and the phrases that recur in them.

Written plainly, because what libraries offer (collocations, topics) needs corpora, and could not tell a teacher where
a phrase was said. The same words in the same order recur, or they do not.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias

import pandas as pd

from data.letters import composed
from data.records.evaluations import Evaluation
from data.records.parse import Json
from data.schema import COMPLETED

Kind: TypeAlias = Literal["strength", "weakness", "suggestion", "remark"]
Key: TypeAlias = tuple[str, str]
"""evaluation_id, user_id."""

MOST_CHARACTERS = 10_000  # of one evaluation's feedback that are looked at: some 1,700 words; most have 500
SHORTEST = 3  # words of a phrase that is part of a sentence
_SHORTEST_REMARK = 2  # words of a whole sentence where nothing says what it is; “Spelling” may be a weakness
_LONGEST = 40  # words; a longer sentence is taken in pieces
_SHOWN = 300  # characters of a phrase

# A word in the key of a part of the feedback -> what that part says.
_KINDS: dict[str, Kind] = {
    "strengths": "strength",
    "strength": "strength",
    "positives": "strength",
    "weaknesses": "weakness",
    "weakness": "weakness",
    "negatives": "weakness",
    "errors": "weakness",
    "mistakes": "weakness",
    "suggestions": "suggestion",
    "suggestion": "suggestion",
    "improvements": "suggestion",
    "improvement": "suggestion",
    "recommendations": "suggestion",
    "advice": "suggestion",
}
# Likewise -> the criterion. In this order, because Speaking's first criterion is "fluency and coherence".
_CRITERIA = {
    "fluency": "fluency_band",
    "pronunciation": "pronunciation_band",
    "task": "task_achievement_band",
    "coherence": "coherence_band",
    "cohesion": "coherence_band",
    "lexical": "lexical_band",
    "vocabulary": "lexical_band",
    "grammar": "grammar_band",
    "grammatical": "grammar_band",
}

_STOPS = """
    a an the this that these those it its he she they we you i his her their our your my me them us him and or but nor
    so yet if then than as because while although though whereas when where which who whom whose what of to in on at by
    for with from into onto about over under between among within without through during before after above below up
    down out off per via like is are was were be been being am do does did done has have had having can could may might
    must shall should will would not no there here very too also just more most some any each every all both few such
    only own same other none nothing n/a null
    là và của có cho với các những một thì mà rằng ở để được bị trong khi nếu nhưng hay hoặc cũng đã đang sẽ này đó
    không
"""
_STOP_WORDS = frozenset(_STOPS.split())

# What a word in quotation marks, and a number, count as: whichever it is.
_QUOTED, _NUMBER = "“…”", "…"
_QUOTES = (
    r"“[^“”\n]{1,60}”|\"[^\"\n]{1,60}\"|«[^«»\n]{1,60}»|‘[^‘’\n]{1,60}’(?!\w)|「[^「」\n]{1,60}」|『[^『』\n]{1,60}』"
    r"|`[^`\n]{1,60}`|(?<!\w)'[^'\n]{1,60}'(?!\w)"
)
_PIECE = re.compile(rf"(?P<quoted>{_QUOTES})|[^\s“”\"«»「」『』`‘(\[—–]+")
_UNSPACED_VARIES = re.compile(rf"(?P<quoted>{_QUOTES})|(?P<number>\d+(?:[.,:]\d+)*)")
_IS_NUMBER = re.compile(r"[+-]?\d+(?:[.,:/]\d+)*%?")
_NOTHING_SAID = re.compile(r"[\W\d_]*")
_SENTENCE_ENDS = re.compile(
    r"[\r\n\u2028\u2029]+|(?<=[.!?…؟।။។])(?<!e\.g\.)(?<!i\.e\.)(?=[\"”’»)\]\s])[\"”’»)\]]*\s+|(?<=[。！？])"
)
# Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese: no space between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Remark:
    """One text of the feedback, as it was written. `criterion` is the band's attribute, such as fluency_band."""

    text: str
    kind: Kind
    criterion: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one evaluation's feedback says."""

    evaluation_id: str
    user_id: str
    at: datetime | None
    remarks: tuple[Remark, ...]

    @property
    def key(self) -> Key:
        """Which evaluation said it."""
        return self.evaluation_id, self.user_id

    @property
    def cut(self) -> bool:
        """Whether it says more than is looked at."""
        return sum(len(remark.text) for remark in self.remarks) > MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that recur. `text` is as first written, “…” where a quoted word differs; `said_in` is newest first.

    `example` is a whole sentence that says it, where the text has gaps, else empty.
    """

    text: str
    kind: Kind
    criterion: str | None
    said_in: tuple[Key, ...]
    example: str = ""

    @property
    def evaluations(self) -> int:
        """In how many evaluations it was said."""
        return len(self.said_in)

    @property
    def students(self) -> int:
        """To how many students it was said."""
        return len({user_id for _, user_id in self.said_in})


@dataclass(frozen=True, slots=True)
class RecurringFeedback:
    """What recurs in evaluations that were read; `times` has each of them, `cut` those not looked at to the end.

    `unread` are those whose feedback could not be read: they are in no count but this one.
    """

    phrases: tuple[Phrase, ...]
    times: Mapping[Key, datetime | None]
    cut: int
    unread: frozenset[Key] = frozenset()

    @property
    def evaluations(self) -> int:
        """How many evaluations were read."""
        return len(self.times)

    @property
    def asked(self) -> int:
        """How many evaluations there are, read or not."""
        return len(self.times) + len(self.unread)

    @property
    def students(self) -> int:
        """Of how many students."""
        return len({user_id for _, user_id in self.times})


def find_recurring(evaluations: Iterable[Evaluation], *, students: int = 1) -> RecurringFeedback:
    """What recurs in the feedback of whole evaluations, see `recurring`."""
    every, unread = [], set()
    for evaluation in evaluations:
        if evaluation.unread:
            unread.add((evaluation.evaluation_id, evaluation.user_id))
        else:
            every.append(feedback_of(evaluation))
    times = {one.key: one.at for one in every}
    cut = sum(one.cut for one in every)
    return RecurringFeedback(tuple(recurring(every, students=students)), times, cut, frozenset(unread))


def newest(rows: pd.DataFrame, most: int, *, of_each: bool = False) -> tuple[Key, ...]:
    """The keys of the first `most` completed evaluations of a frame that is newest first; or so many of each student.

    Those without an id cannot be read.
    """
    readable = rows[(rows["status"] == COMPLETED) & rows["evaluation_id"].notna() & rows["user_id"].notna()]
    chosen = readable.groupby("user_id", sort=False).head(most) if of_each else readable.head(most)
    return tuple(dict.fromkeys(chosen[["evaluation_id", "user_id"]].itertuples(index=False, name=None)))


def feedback_of(evaluation: Evaluation) -> Feedback:
    """What an evaluation's feedback says; nothing where it could not be read."""
    return Feedback(
        evaluation.evaluation_id, evaluation.user_id, evaluation.created_at, _first(remarks(evaluation.feedback))
    )


def _first(every: Sequence[Remark]) -> tuple[Remark, ...]:
    """As many remarks as are looked at, and a letter more where there are more: there may be a hundred thousand."""
    kept, left = [], MOST_CHARACTERS
    for remark in every:
        if left < 0:
            break
        kept.append(remark if len(remark.text) <= left else replace(remark, text=remark.text[: left + 1]))
        left -= len(remark.text)
    return tuple(kept)


def remarks(feedback: Json) -> tuple[Remark, ...]:
    """The texts of a decoded feedback of any shape, in its order; bands and other numbers are none.

    >>> remarks({"strengths": ["Clear."], "fluency": {"band": "6.5", "comment": "Some pauses."}})[1]
    Remark(text='Some pauses.', kind='remark', criterion='fluency_band')
    """
    return tuple(_remarks(feedback, "remark", None))


def kind_of(key: str) -> Kind | None:
    """What a part of the feedback with this key says; None where the key does not tell.

    >>> kind_of("Suggestions"), kind_of("areasOfWeakness"), kind_of("fluency")
    ('suggestion', 'weakness', None)
    """
    return _kind_in(_words_of(key))


def _kind_in(words: Iterable[str]) -> Kind | None:
    return next((_KINDS[word] for word in words if word in _KINDS), None)


def _words_of(key: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).casefold())


def recurring(feedback: Iterable[Feedback], *, students: int = 1) -> list[Phrase]:
    """The phrases said in at least two evaluations and to at least so many `students`, the most frequent first.

    A phrase is a run of at least three words of a sentence that neither begins nor ends in a word such as “the”, or a
    whole sentence, and stands for one kind of remark about one criterion. Beside longer ones that hold it, a shorter
    one is listed only if a quarter of the evaluations that say it say it apart from them. Runs of the same sentences,
    with other words between them, are one phrase with “ … ” in it. Case, and what is in quotation marks or a number,
    make no difference. Scripts without spaces between words count by whole sentences. Of each evaluation, the first
    MOST_CHARACTERS are looked at. The order of `feedback` has no effect.
    """
    unique: dict[Key, Feedback] = {}
    for one in sorted(feedback, key=_place):
        unique.setdefault(one.key, one)
    newest_first = sorted(unique.values(), key=lambda one: one.key)
    newest_first.sort(key=lambda one: -one.at.timestamp() if one.at else float("inf"))
    by_topic: defaultdict[tuple[Kind, str | None], dict[tuple[str, ...], _Sentence]] = defaultdict(dict)
    # The oldest first, so that a sentence is kept as it was first written.
    for number, one in reversed(list(enumerate(newest_first))):
        for remark, pieces in _sentences_of(one):
            sentences = by_topic[remark.kind, remark.criterion]
            _Sentence.add(sentences, pieces, number)
    enough = _Enough([one.user_id for one in newest_first], students)
    phrases = [
        Phrase(text, kind, criterion, tuple(newest_first[n].key for n in _numbers(mask)), example)
        for (kind, criterion), sentences in by_topic.items()
        for text, mask, example in _recurring(
            list(sentences.values()), enough, _SHORTEST_REMARK if kind == "remark" else 1
        )
    ]
    return sorted(
        phrases,
        key=lambda p: (-p.students, -p.evaluations, -len(p.text.split()), p.text, p.kind, p.criterion or "", p.said_in),
    )


def _place(one: Feedback) -> tuple[Key, str, list[tuple[str, str, str]]]:
    """Where an evaluation stands in an order that the order of the input has no part in."""
    return one.key, str(one.at), [(remark.text, remark.kind, remark.criterion or "") for remark in one.remarks]


def _remarks(value: Json, kind: Kind, criterion: str | None) -> Iterator[Remark]:
    if isinstance(value, str):
        if not _NOTHING_SAID.fullmatch(value):
            yield Remark(value.strip(), kind, criterion)
    elif isinstance(value, list):
        for entry in value:
            yield from _remarks(entry, kind, criterion)
    elif isinstance(value, dict):
        for key, entry in value.items():
            words = _words_of(key)
            named = _kind_in(words) or kind
            about = next((band for word, band in _CRITERIA.items() if word in words), criterion)
            yield from _remarks(entry, named, about)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word of a sentence: how it counts, and from where to where it stands in `text`."""

    counts: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A sentence as it was written, its words, and whether spaces part them."""

    text: str
    words: tuple[_Piece, ...]
    spaced: bool


@dataclass(slots=True)
class _Sentence:
    """Sentences that count as the same: the first one, who said it (a bit per evaluation), and what differs where."""

    written: _Pieces
    counts: tuple[str, ...]
    evaluations: int = 0
    varied: dict[int, set[str]] = field(default_factory=dict)

    @staticmethod
    def add(sentences: "dict[tuple[str, ...], _Sentence]", pieces: _Pieces, number: int) -> None:
        """Note that evaluation `number` says this."""
        counts = tuple(word.counts for word in pieces.words)
        same = sentences.setdefault(counts, _Sentence(pieces, counts))
        same.evaluations |= 1 << number
        for place, word in enumerate(pieces.words):
            if word.counts in (_QUOTED, _NUMBER):
                same.varied.setdefault(place, set()).add(_folded(pieces.text[word.start : word.end]))

    def may_stand(self, start: int, length: int) -> bool:
        """Whether these words make a phrase: enough of them, and neither “of the” nor “in the essay and”."""
        words = self.counts[start : start + length]
        if words[0] in _STOP_WORDS or words[-1] in _STOP_WORDS:
            return False
        return sum(word not in _STOP_WORDS and word not in (_QUOTED, _NUMBER) for word in words) >= 2


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that recur: in which sentence they begin where, how many, and the sentence that they are the whole of."""

    starts: dict[int, int]
    length: int
    whole: int | None

    def phrase(self, sentences: Sequence[_Sentence]) -> str:
        """The words as first written, with “…” for what is not the same everywhere."""
        number = self.whole if self.whole is not None else next(iter(self.starts))
        written, start = sentences[number].written, self.starts[number]
        words = written.words[start : start + self.length]
        at, end = (0, len(written.text)) if self.whole is not None else (words[0].start, words[-1].end)
        text = ""
        for place, word in enumerate(words):
            if word.counts in (_QUOTED, _NUMBER):
                forms: set[str] = set()
                for other, begins in self.starts.items():
                    forms |= sentences[other].varied[begins + place]
                if len(forms) > 1:
                    text += written.text[at : word.start] + word.counts
                    at = word.end
        return text + written.text[at:end]


@dataclass(frozen=True, slots=True)
class _Enough:
    """Whether enough evaluations, and evaluations of enough students, said something (a bit for each)."""

    user_ids: Sequence[str]
    students: int

    def __call__(self, mask: int) -> bool:
        if mask.bit_count() < 2:
            return False
        return self.students < 2 or len({self.user_ids[number] for number in _numbers(mask)}) >= self.students


def _numbers(mask: int) -> list[int]:
    """Which bits are set."""
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _sentences_of(one: Feedback) -> Iterator[tuple[Remark, _Pieces]]:
    """The sentences of an evaluation's remarks, up to MOST_CHARACTERS."""
    left = MOST_CHARACTERS
    for remark in one.remarks:
        sentences = _SENTENCE_ENDS.split(composed(remark.text[: max(0, left)]))
        if len(remark.text) > left and len(sentences) > 1:
            sentences.pop()  # cut off in the middle
        for sentence in sentences:
            for pieces in _in_pieces(sentence.strip()):
                yield remark, pieces
        left -= len(remark.text)


def _in_pieces(sentence: str) -> Iterator[_Pieces]:
    """The words of a sentence, a long one in several parts."""
    if not sentence:
        return
    if not sentence.isascii() and 2 * len(_UNSPACED.findall(sentence)) > len(re.sub(rf"{_QUOTES}|\s", "", sentence)):
        yield _Pieces(sentence, tuple(_unspaced(sentence)), spaced=False)
        return
    words = tuple(_spaced(sentence))
    if len(words) <= _LONGEST:
        yield _Pieces(sentence, words, spaced=True)
        return
    for first in range(0, len(words), _LONGEST):
        part = words[first : first + _LONGEST]
        start = part[0].start
        moved = tuple(_Piece(word.counts, word.start - start, word.end - start) for word in part)
        yield _Pieces(sentence[start : part[-1].end], moved, spaced=True)


def _spaced(sentence: str) -> Iterator[_Piece]:
    for piece in _PIECE.finditer(sentence):
        start, end = piece.span()
        if piece["quoted"]:
            yield _Piece(_QUOTED, start, end)
            continue
        # Punctuation at either end is no part of the word; what is inside it is, as in “don't”.
        while start < end and unicodedata.category(sentence[start])[0] in "PSZC":
            start += 1
        while start < end and unicodedata.category(sentence[end - 1])[0] in "PSZC":
            end -= 1
        if start < end:
            word = sentence[start:end]
            yield _Piece(_NUMBER if _IS_NUMBER.fullmatch(word) else _folded(word), start, end)


def _unspaced(sentence: str) -> Iterator[_Piece]:
    at = 0
    for varies in (*_UNSPACED_VARIES.finditer(sentence), None):
        start = varies.start() if varies else len(sentence)
        if between := "".join(c for c in sentence[at:start] if unicodedata.category(c)[0] not in "PSZC"):
            yield _Piece(_folded(between), at, start)
        if varies:
            yield _Piece(_QUOTED if varies["quoted"] else _NUMBER, *varies.span())
            at = varies.end()


def _folded(word: str) -> str:
    return composed(word.casefold().replace("’", "'"))


def _recurring(sentences: Sequence[_Sentence], enough: _Enough, shortest: int) -> Iterator[tuple[str, int, str]]:
    """The phrases of one kind about one criterion, each with the evaluations that said it and an example."""
    covered: list[list[tuple[int, int]]] = [[] for _ in sentences]  # stretches of each that longer phrases tell
    parts: defaultdict[tuple[int, ...], list[_Run]] = defaultdict(list)  # by the sentences that they are of
    for length, runs in reversed(list(enumerate(_runs(sentences, enough), 1))):
        if length < SHORTEST:
            break
        for places in runs:
            # A whole sentence that recurs as such may begin as it likes.
            whole = next(
                (n for n, _ in places if len(sentences[n].counts) == length and enough(sentences[n].evaluations)), None
            )
            if whole is None and not sentences[places[0][0]].may_stand(places[0][1], length):
                continue
            mask = repeated = 0
            for number, start in places:
                mask |= sentences[number].evaluations
                if any(first <= start and start + length <= last for first, last in covered[number]):
                    repeated |= sentences[number].evaluations
            if 4 * (mask & ~repeated).bit_count() < mask.bit_count():
                continue
            starts: dict[int, int] = {}
            for number, start in sorted(places):
                covered[number].append((start, start + length))
                starts.setdefault(number, start)
            run = _Run(starts, length, whole)
            if whole is not None:
                yield _short(run.phrase(sentences)), mask, ""
            else:
                parts[tuple(starts)].append(run)
    for numbers, of_same in parts.items():
        mask = 0
        for number in numbers:
            mask |= sentences[number].evaluations
        for together in _in_order(of_same):
            example = sentences[numbers[0]].written.text if len(together) > 1 else ""
            yield _short(" … ".join(run.phrase(sentences) for run in together)), mask, _short(example)
    for number, sentence in enumerate(sentences):
        length = len(sentence.counts)
        if sentence.written.spaced and (not shortest <= length < SHORTEST or _STOP_WORDS.issuperset(sentence.counts)):
            continue
        if enough(sentence.evaluations):
            yield _short(_Run({number: 0}, length, number).phrase(sentences)), sentence.evaluations, ""


def _in_order(runs: Sequence["_Run"]) -> Iterator[list["_Run"]]:
    """Runs of the same sentences put together, where they follow each other in the same order everywhere."""
    together: list[_Run] = []
    for run in sorted(runs, key=lambda run: tuple(run.starts[number] for number in sorted(run.starts))):
        if together and any(together[-1].starts[n] + together[-1].length > start for n, start in run.starts.items()):
            yield together
            together = []
        together.append(run)
    yield together


def _runs(sentences: Sequence[_Sentence], enough: _Enough) -> Iterator[list[list[tuple[int, int]]]]:
    """For each length from one word on: the runs of words said often enough, each as its (sentence, start) places.

    A run can only recur if it does so without its last and without its first word, so few need a look.
    """
    numbered: dict[str, int] = {}
    words = [[numbered.setdefault(word, len(numbered)) for word in s.counts] if s.written.spaced else []
             for s in sentences]  # fmt: skip
    # Of each sentence: start -> number of the run that begins there, for the runs that recur.
    alive: list[dict[int, int]] = [dict(enumerate(ids)) for ids in words]
    length = 1
    while any(alive):
        places: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for number, runs in enumerate(alive):
            for start, run in runs.items():
                if length == 1:
                    places[run, -1].append((number, start))
                elif start + 1 in runs:
                    places[run, words[number][start + length - 1]].append((number, start))
        kept: list[list[tuple[int, int]]] = []
        alive = [{} for _ in sentences]
        for where in places.values():
            mask = 0
            for number, _ in where:
                mask |= sentences[number].evaluations
            if enough(mask):
                for number, start in where:
                    alive[number][start] = len(kept)
                kept.append(where)
        yield kept
        length += 1


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
