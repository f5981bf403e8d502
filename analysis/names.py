"""Search by name or ID: without accents, case and order of the words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from data.roster import Student

_PART_OF_NAME, _PART_OF_ID, _NO_MATCH = 6, 8, 9  # ranks, of which 0 is the best
_LONGEST = 200  # characters of a query
_MOST_PAIRS = 400  # of a word sought and a part of a name: of more, whole words alone are compared
_MOST_APART = 3  # signs that a letter with its marks is taken apart to, in names
# Letters that Unicode does not take apart into a letter and its mark.
_PLAIN = str.maketrans(
    {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i", "ŧ": "t", "þ": "th", "ŋ": "n",
     "'": "", "’": "", "‘": "", "ʼ": "", "ʻ": "", "`": "", "´": "", "-": " ", "‐": " ", "‑": " ", "–": " ", ".": " ",
     ",": " ", "\u200b": "", "\u00ad": "", "ʾ": "", "ʿ": "", "ـ": "", "ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه"}
)  # fmt: skip


_TYPED = str.maketrans(dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys('"“”„‘’`\u200b\u2060\ufeff\u200e\u200f'))
"""What a keyboard, a mail or a chat makes of an ID on its way: other hyphens, quotation marks, invisible marks."""
_TWO_LETTERS = re.compile("(?<=[aou])e|(?<=(?<!a)a)a(?!a)")  # ae, oe, ue and aa, as some write ä, ö, ü and å


@lru_cache(maxsize=65_536)  # a search looks at every name, of 50,000 at most, at each letter that is typed
def plain(text: str) -> str:
    """A text for comparing: without case, accents and apostrophes, one blank between words.

    >>> plain("ĐỖ  Văn"), plain("Łukasz O'Neil"), plain("Strauß-Sørensen")
    ('do van', 'lukasz oneil', 'strauss sorensen')
    """
    if not text.isascii():
        # Of one sign it may make eighteen.
        folded = text[:_LONGEST].casefold()
        apart = unicodedata.normalize("NFKD", folded)[: _MOST_APART * len(folded)]
        text = "".join(c for c in apart if not _is_mark(c))
    return " ".join(text.casefold().translate(_PLAIN).split())


def search(students: Iterable[Student], query: str, *, partial_ids: bool = True) -> list[Student]:
    """The students whose name has every word of the query, in any order, or whose ID has the query; the best first.

    An ID as it was typed comes first, then the ID without case, the whole name, whole words of it, beginnings of words,
    any part of it, and at last parts of an ID; those only with `partial_ids`, as the query may be the ID of another.
    """
    exact, sought = query.strip(), plain(query[:_LONGEST])
    words, sought_id = sought.split(), unicodedata.normalize("NFKC", exact[:_LONGEST].translate(_TYPED)).casefold()
    if not sought_id:
        return []
    ranked = [
        (rank, plain(student.name), student.user_id, student)
        for student in students
        if (rank := _rank(student, exact, sought_id, sought, words)) <= (_PART_OF_ID if partial_ids else _PART_OF_NAME)
    ]
    matches = [student for *_, student in sorted(ranked, key=lambda entry: entry[:3])]
    return matches or (_spelt_otherwise(students, words) if words else [])


def _spelt_otherwise(students: Iterable[Student], words: list[str]) -> list[Student]:
    """Those who have each word in their name where ä is as good as ae: Müller is found by Mueller, and the reverse."""
    shorter = [_TWO_LETTERS.sub("", word) for word in words]
    return [s for s in students if _fits(shorter, _TWO_LETTERS.sub("", plain(s.name)).split(), whole=False)]


def _rank(student: Student, exact: str, sought_id: str, sought: str, words: list[str]) -> int:
    user_id, name = student.user_id.casefold(), plain(student.name)
    if student.user_id == exact:
        return 0
    has_id = exact[-1:] == ")" and user_id in exact.casefold()
    if user_id == sought_id or (has_id and sought == plain(student.label_with_id)):
        return 1
    if words and name:
        if name == sought:
            return 2
        parts = name.split()
        if sorted(parts) == sorted(words):
            return 3
        if _fits(words, parts, whole=True):
            return 4
        if _fits(words, parts, whole=False):
            return 5
        together = name.replace(" ", "")
        if all(word in together for word in words):
            return _PART_OF_NAME
    if user_id.startswith(sought_id):
        return _PART_OF_NAME + 1
    return _PART_OF_ID if sought_id in user_id else _NO_MATCH


def _fits(words: list[str], parts: list[str], *, whole: bool) -> bool:
    """Whether each word is, or begins, a part of the name of its own."""
    if len(words) > len(parts):
        return False
    if whole or len(words) * len(parts) > _MOST_PAIRS:
        return Counter(words) <= Counter(parts)
    free = sorted(parts, key=len)
    for word in sorted(words, key=len, reverse=True):
        match = next((part for part in free if part.startswith(word)), None)
        if match is None:
            return False
        free.remove(match)
    return True


def _is_mark(char: str) -> bool:
    return unicodedata.combining(char) != 0
