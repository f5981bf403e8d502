"""Reads text that should be JSON and is not quite, as models write it, and says what was mended.

Nothing is added, guessed or put in another order: what comes out stood in the text, in its order. What breaks off is
read as far as its entries are whole. One pass, whose steps grow with the text alone. By hand, see decision 36.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from json.decoder import scanstring  # type: ignore[attr-defined]

from data.records import cards
from data.records.parse import NESTING, Fields, Json, decoder, exact, kind_of, plain, sound, unique

MENDS = {
    "mark": "an invisible mark at the beginning",
    "blank": "an invisible mark or an unusual blank between entries",
    "fence": "a code block around it",
    "around": "other text around it",
    "comma": "a comma too many",
    "no comma": "a comma missing",
    "control": "a line break or another control character inside a text",
    "backslash": "a backslash in an unusual place",
    "python": "written as Python writes it",
    "javascript": "written as JavaScript writes it",
    "quotes": "quotation marks inside a text",
    "curly": "other quotation marks around texts",
    "number": "a number in an unusual form",
    "comment": "comments in it",
    "signs": "other signs for commas or colons",
    "word": "a word for true, false or nothing in an unusual form",
    "opening": "without its first bracket",
    "lines": "lines or a table, as people write them",
    "twice": "encoded twice",
    "several": "several pieces, one after the other",
}
"""What can be mended without a guess, in plain words."""
UNREADABLE = "cannot be read"
TOO_DEEP = "nested too deep to read"
TOO_MANY = "cannot be read, with too many entries to mend"
_MOST_FAILURES = 1_000  # brackets in prose that begin nothing
_MOST_STEPS = 50_000  # of one text; feedback has hundreds, sets of cards thousands
_TO_MEND = 5  # steps that it takes to begin with a text, however short
_MOST_PARTS = 100  # of a model's answer
_MOST_WRAPS = 6  # JSON inside a JSON string inside a JSON string, and so on

# Only single characters repeat possessively: of groups that do so, Python before 3.11.5 loses its place (gh-106052).
_INVISIBLE = "\ufeff\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
_COMMAS = "，、،;；"  # what stands for a comma
_AS_COMMA = str.maketrans(dict.fromkeys(_COMMAS, ","))
_GAP = re.compile(rf"[\s{_INVISIBLE},{_COMMAS}]*+")
_UNUSUAL_BLANK = re.compile(rf"[^\S \t\r\n]|[{_INVISIBLE}]")
_COLON = re.compile(rf"[\s{_INVISIBLE}]*+([:：]|=>?|)[\s{_INVISIBLE}]*+")
# Other quotation marks: the first one, and those that may be the last one. Between two letters, ’ is an apostrophe.
_CURLY = "|".join(
    rf"""{"(?!```)" * (marks == "``")}{marks[0]}(?:[^{marks}"\\]++|\\.{inside})*[{marks[1:]}]?"""
    for marks, inside in (("“”", ""), ("„“”", ""), ("«»", ""), ("””", ""), ("``", ""), ("‘’", r"|(?<=\w)’(?=\w)"))
)
_SCALAR = re.compile(
    r"""(?P<string>"(?:[^"\\]++|\\.?+)*(?P<closed>"?)|'(?:[^'\\]++|\\.?+)*(?P<closed_single>'?))"""
    r"|(?P<curly>" + _CURLY + ")"
    r"|(?P<number>-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?)|(?P<word>-?[A-Za-z]++)|",
    re.DOTALL,
)
# What stands for a number and is none in JSON, up to where the next entry may begin: 06.5, +1, 6., .5, 0x1F, 6.5/9.
_NUMBER_LIKE = re.compile(r"(?:[+\-~]?\.?\d[\w.+\-–/%]*+)?")
_BARE = r"(?:[^\W\d]|\$)[\w$ \-]*+|\d++"
_NAME = re.compile(rf"(?:{_BARE})?")
_NAMED = re.compile(r'"[^"\\]*+"\s*+:')
_NEXT = re.compile(r"\s*+(.?)", re.DOTALL)
_ENDS = ("", ",", *_COMMAS, "}", "]", ")")  # what may follow a whole text
# A text with quotation marks inside that come in pairs, each around words as in prose, so that none of them can be its
# end. No brackets, so that no document inside is ever swallowed, nor anything looked at twice.
_PLAIN = r'[^"\\\x00-\x1f{}\[\]]*+'
_QUOTING = re.compile(
    rf"""("{_PLAIN}(?:(?<=[\s("])"(?=\w){_PLAIN}(?<=[^\s"])"(?=[\s.;!?)"]){_PLAIN})+")(?=\s*+[,，}}\]])"""
)
# Between two letters, a single quote is an apostrophe.
_APOSTROPHES = re.compile(r"""('(?:[^'\\\x00-\x1f{}\[\]]++|\\.|(?<=[^\W\d_])'(?=[^\W\d_]))*')(?=\s*+[,，}\]:])""")
_OPENING = re.compile(
    rf"""\{{(?=[\s{_INVISIBLE},]*+(?:["'“„«‘”}}#]|//|/\*|(?:{_BARE})\s*+:))"""
    rf"""|(?<!CDATA)\[(?=[\s{_INVISIBLE},]*+(?:["'“„«‘”\[{{(\]\d\-tfnTFNI#]|//|/\*))"""
)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thoughts?|reasoning|analysis|scratchpad)>", re.IGNORECASE)
_NAME_FIRST = re.compile(r'\s*+(?:"[^"\\\n]*+|(?P<bare>[\w \-]{1,60}+))"\s*+:\s*+["\[{\d]')
_FENCES = ("```", "~~~")
_FENCE = re.compile(r"(?:```|~~~)[ \t]*+[\w+-]*+")
_CONTROL = re.compile(r"[\x00-\x1f]")
_BACKSLASH = re.compile(r"""\\(["\\/bfnrt]|u[0-9a-fA-F]{4}|x(?P<hex>[0-9a-fA-F]{2})|)('?)""")
_STRING = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
_NUMBER = r"-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:[eE][+-]?\d++)?"
_VALUE = rf"[ \t\r\n]*+(?:{_STRING}|{_NUMBER}|true|false|null)[ \t\r\n]*+"
_ENTRY = rf"[ \t\r\n]*+{_STRING}[ \t\r\n]*+:{_VALUE}"
_FLAT = re.compile(rf"\{{{_ENTRY}(?:,{_ENTRY})*\}}|\[{_VALUE}(?:,{_VALUE})*\]")
"""An object or list as it should be, with nothing but texts and numbers inside: most cards are such."""
_QUOTES = re.compile(r"""\\(.)|("++)""", re.DOTALL)
_OF_A_PART = frozenset(("text", "thought", "thoughtSignature", "type", "annotations", "citations", "cache_control"))
_QUOTED_DOCUMENT = re.compile(r'"(?=(?:\s|\\[nrt])*[{\[](?:\s|\\[nrt])*(?:[{\[]|\\"))')
"""A text of JSON that holds JSON, where something else stands around it."""
_WAY_IN = re.compile(r'\s*+(?:[{\[]\s*+(?:"[^"\\]*+"\s*+:\s*+)?)+\Z')
_BRACKET = re.compile(r"[{}\[\]]")
_ENTITIES = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&"}
_ENTITIES |= {"#34": '"', "#x22": '"', "#39": "'", "#x27": "'"}
_ENTITY = re.compile(f"&({'|'.join(_ENTITIES)});")
_DOUBLED = re.compile(r'[{\[]\s*+""\w')
_NOT_DOUBLED = re.compile(r'(?<!")"(?:"")*(?!")')
_ESCAPED_GAP = re.compile(r"[{\[,]\s*+\\[nrt]")
_STRING_OR_ESCAPE = re.compile(r'("(?:[^"\\]++|\\.)*")|\\[nrt]', re.DOTALL)
_CUT_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}
_WORDS |= {word: word for word in ("NaN", "Infinity", "-Infinity")}  # as text, as valid JSON is read
_PYTHON: dict[str, Json] = {"True": True, "False": False, "None": None}
_PYTHON |= {word: word for word in ("nan", "inf", "-inf")}
_UNDEFINED = "undefined"  # as JavaScript has it
_OTHER_WORDS: dict[str, Json] = {"TRUE": True, "FALSE": False, "NULL": None, "nil": None}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a text holds: `value`, or a `failure`. `mends` are keys of MENDS; `broken` is what breaks off.

    `repeated` says that a key stood there twice; the second is “key (2)”.
    """

    value: Json = None
    mends: tuple[str, ...] = ()
    broken: bool = False
    repeated: bool = False
    failure: str = ""

    @property
    def untouched(self) -> bool:
        """Whether the text was what it should be."""
        return not (self.mends or self.broken or self.failure)


@dataclass(frozen=True, slots=True)
class Attribute(Salvaged):
    """An attribute that holds such a text; `text` is the stored one, empty where the attribute is no text."""

    text: str = ""

    @property
    def original(self) -> str:
        """The text where what was read is not all that it says: mended, or as far as it goes."""
        return "" if self.untouched or self.failure else self.text

    @property
    def unread(self) -> str:
        """The text where nothing could be read."""
        return self.text if self.failure else ""


def attribute(fields: Fields, name: str, in_lines: Callable[[str], Json] = lambda _: None) -> Attribute:
    """An attribute that should be a JSON string, with a remark for each thing that was mended or cannot be read.

    A native map or list is taken as it is. Of what breaks off the caller knows better what to say. `in_lines` reads a
    text that is no JSON at all, or says None.
    """
    stored = fields.item.get(name)
    if stored is None:
        return Attribute()
    text = stored.get("S")
    if text is None:
        fields.note(name, f"stored as {kind_of(stored)}, not as text")
        if "B" not in stored:
            return _native(fields, name, plain(stored))
        text = _letters(bytes(stored["B"]))
        if text is None:
            fields.note(name, UNREADABLE, "unread")
            return Attribute(failure=UNREADABLE, text=str(plain(stored)))
    if not text.strip():
        fields.note(name, "empty")
        return Attribute()
    read = salvage(text)
    written = text if read.failure else read.value
    if isinstance(written, str) and (value := in_lines(sound(written))) is not None:
        read = Salvaged(value, ("lines",) if read.failure else ("twice", "lines"))
    for mend in read.mends:
        fields.note(name, MENDS[mend], "mended")
    if read.repeated:
        fields.note(name, "the same name twice")
    if read.failure:
        fields.note(name, read.failure, "unread")
    return Attribute(read.value, read.mends, read.broken, read.repeated, read.failure, sound(text))


def _native(fields: Fields, name: str, value: Json) -> Attribute:
    """A map, a list or whatever else is no text, with the JSON in its texts."""
    read = Salvaged(value)
    if isinstance(value, (dict, list)):
        try:
            read = _inside(read, _MOST_WRAPS, _Steps())
        except (RecursionError, _TooManyError):
            read = Salvaged(value)
    for mend in read.mends:
        fields.note(name, MENDS[mend], "mended")
    return Attribute(read.value, read.mends, read.broken, read.repeated)


def _letters(content: bytes) -> str | None:
    """Bytes that are text, as such."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def salvage(text: str) -> Salvaged:
    """What a text holds that is JSON, or nearly; any text takes a time that grows as it does.

    >>> salvage('Here it is: {"strengths": ["Clear.",], "weaknesses": ["Short').value
    {'strengths': ['Clear.']}
    """
    try:
        return _salvage(sound(text), _MOST_WRAPS, _Steps())
    except RecursionError:
        return Salvaged(failure=TOO_DEEP)
    except _TooManyError:
        return Salvaged(failure=TOO_MANY)


def _salvage(text: str, wraps: int, steps: "_Steps") -> Salvaged:
    steps.take()
    repeats: list[None] = []
    try:
        read = Salvaged(decoder(lambda: repeats.append(None))(text), repeated=bool(repeats))
    except ValueError:
        read = _read(text, steps)
        if read.failure and wraps and (quoted := _QUOTED_DOCUMENT.search(text)):
            before = text[: quoted.start()]
            is_cut = _WAY_IN.match(before) is not None
            end = len(text) if is_cut else text.rfind('"')
            outside = f"{before} {text[end + 1 :]}"
            if (is_cut or not _BRACKET.search(outside)) and (inner := _unescaped(text[quoted.end() : end])):
                outer = Salvaged(mends=() if is_cut else _around(outside), broken=is_cut)
                return _mended(outer, _salvage(inner, wraps - 1, steps)) or read
        if read.failure and wraps and (inner := _decoded(text)):
            return _mended(read, _salvage(inner, wraps - 1, steps)) or read
    return _inside(read, wraps, steps)


def _inside(read: Salvaged, wraps: int, steps: "_Steps") -> Salvaged:
    """What is inside JSON that is a string of JSON, or that has such strings as entries."""
    if not wraps:
        return read
    if isinstance(read.value, str):
        return _mended(read, _salvage(read.value, wraps - 1, steps)) or read
    inner: list[Salvaged] = []
    try:
        value = _unpacked(read.value, inner, wraps, steps)
    except _TooManyError:
        return read  # its texts stay texts: it can be read without a look into them
    for part in inner:
        read = _mended(read, part) or read
    return replace(read, value=value) if inner else read


def _unpacked(value: Json, inner: list[Salvaged], wraps: int, steps: "_Steps", *, is_alone: bool = False) -> Json:
    """A value with what its texts hold where these are JSON or a code block of it; what was read is added to `inner`.

    Where a list has several entries, they are only looked into if all of them are objects as text: the sides of a card
    about JSON are left alone.
    """
    if isinstance(value, str):
        begins = value.lstrip(f"{_INVISIBLE} \t\r\n")[:3]
        if begins[:1] in ("{", "[") or begins in _FENCES or (is_alone and any(fence in value for fence in _FENCES)):
            part = _salvage(value, wraps - 1, steps)
            if _holds_texts(part.value) and (is_alone or begins in _FENCES or "around" not in part.mends):
                inner.append(part)
                return part.value
    elif isinstance(value, dict):
        if any(isinstance(entry, str) for entry in value.values()) and cards.is_whole(value):
            return value
        is_alone = len(value) == 1
        return {key: _unpacked(entry, inner, wraps, steps, is_alone=is_alone) for key, entry in value.items()}
    elif isinstance(value, list) and (
        len(value) == 1
        or (len(value) <= _MOST_PARTS and all(map(_is_part, value)))
        or all(isinstance(entry, str) and entry.lstrip()[:1] == "{" for entry in value)
    ):
        entries = [_unpacked(entry, inner, wraps, steps) for entry in value]
        return _joined(value, inner, wraps, steps) or entries if entries == value and len(value) > 1 else entries
    return value


def _joined(parts: list[Json], inner: list[Salvaged], wraps: int, steps: "_Steps") -> Json:
    """What the parts of a model's answer hold together, as they come where it is sent bit by bit; None if nothing."""
    texts = [part.get("text") for part in parts if isinstance(part, dict) and _is_part(part) and "thought" not in part]
    if len(texts) < 2 or not all(isinstance(text, str) for text in texts):
        return None
    whole = _salvage("".join(map(str, texts)), wraps - 1, steps)
    if whole.failure or not _holds_texts(whole.value):
        return None
    inner.append(whole)
    return whole.value


def _is_part(entry: Json) -> bool:
    """Whether it is a part of a model's answer, such as what it thought and what it says."""
    return isinstance(entry, dict) and (
        (isinstance(entry.get("type"), str) and isinstance(entry.get(str(entry["type"])), (str, dict)))
        or (isinstance(entry.get("text"), str) and entry.keys() <= _OF_A_PART)
        or (isinstance(message := entry.get("message"), dict) and "content" in message)
    )


def _holds_texts(value: Json) -> bool:
    """Whether it is more than what prose has in brackets."""
    if isinstance(value, list):
        return any(isinstance(entry, (str, dict, list)) for entry in value)
    return isinstance(value, dict) and bool(value)


def _mended(outer: Salvaged, inner: Salvaged) -> Salvaged | None:
    """The inner JSON with all that was mended; None where it holds no entries, so that the text stays the text."""
    if inner.failure or not isinstance(inner.value, (dict, list)) or not inner.value:
        return None
    mends = tuple(dict.fromkeys((*outer.mends, "twice", *inner.mends)))
    return replace(inner, mends=mends, broken=outer.broken or inner.broken, repeated=outer.repeated or inner.repeated)


def _around(outside: str) -> tuple[str, ...]:
    """What is mended where this stands around a document."""
    is_fenced = _FENCE.search(outside) is not None
    is_prose = bool(_FENCE.sub("", outside).strip(f"{_INVISIBLE}, \t\r\n`~"))
    return (("fence",) if is_fenced else ()) + (("around",) if is_prose else ())


def _decoded(text: str) -> str:
    """What a text was before it was encoded once more, as HTML, JSON or CSV; empty where it was not."""
    if '"' not in text and _ENTITY.search(text):
        return _ENTITY.sub(lambda entity: _ENTITIES[entity[1]], text)
    if '\\"' in text and (inner := _unescaped(text)):
        return inner
    if _DOUBLED.search(text):
        body = text.strip().removeprefix('"').removesuffix('"')
        return "" if _NOT_DOUBLED.search(body) else body.replace('""', '"')
    if _ESCAPED_GAP.search(text):
        return _STRING_OR_ESCAPE.sub(lambda match: match[1] or "\n", text)
    return ""


def _unescaped(text: str) -> str:
    r"""What a text such as {\"a\": 1} is, which lacks only quotes of its own; empty where it lacks more."""
    body = text.strip().removeprefix('"')
    quoted = '"' + _CUT_ESCAPE.sub(r"\1", body) + '"'
    try:
        inner, end = scanstring(quoted, 1, False)
    except ValueError:
        return ""
    return sound(inner) if end == len(quoted) else ""


class _TooManyError(Exception):
    """The text has more entries than are mended."""


@dataclass(slots=True)
class _Steps:
    """How many more entries of a text are mended, on all levels together."""

    left: int = _MOST_STEPS

    def take(self, steps: int = 1) -> None:
        """Count so many more, _TooManyError where these are too many."""
        self.left -= steps
        if self.left < 0:
            raise _TooManyError


@dataclass(slots=True)
class _Document:
    """A stretch of the text that is JSON, or nearly; `whole` unless it breaks off, `begun` once it has a name."""

    start: int
    end: int
    value: dict[str, Json] | list[Json]
    whole: bool
    mends: tuple[str, ...]
    repeated: bool
    begun: bool

    @property
    def holds_entries(self) -> bool:
        """Whether it is more than what prose has in brackets, such as [1]."""
        if isinstance(self.value, dict):
            return bool(self.value)
        return any(isinstance(entry, dict) or (isinstance(entry, list) and len(entry) > 1) for entry in self.value)


def _read(text: str, steps: "_Steps") -> Salvaged:
    """What the documents in a text hold, whatever stands around them."""
    steps.take(_TO_MEND)
    if name := _NAME_FIRST.match(text):
        read = _read(('{"' if name["bare"] else "{") + text, steps)
        if not read.failure:
            return replace(read, mends=("opening", *read.mends))
    documents, broken = _documents(text, steps)
    if any(document.holds_entries for document in documents):
        documents = [document for document in documents if document.holds_entries]
    outside = _outside(text, documents, broken=broken)
    around = _FENCE.sub("", outside).strip(f"{_INVISIBLE}, \t\r\n`~")
    if around and not all(document.holds_entries for document in documents):
        return Salvaged(failure=UNREADABLE)
    # What is cut off is no whole entry beside others; a list that is cut off has whole ones.
    if len(documents) > 1 and not documents[-1].whole and isinstance(documents[-1].value, dict):
        documents.pop()
    if not documents:
        return Salvaged(failure=UNREADABLE)
    several = len(documents) > 1 or (broken and documents[0].whole)
    signs = {
        "mark": any(mark in outside for mark in _INVISIBLE),
        "fence": _FENCE.search(outside) is not None or ("`" in outside and not around),
        "around": bool(around),
        "several": several,
        "comma": "," in outside and not (around or several),
    }
    mends = [name for name, is_there in signs.items() if is_there]
    mends += [mend for document in documents for mend in document.mends]
    value: Json = [document.value for document in documents] if several else documents[0].value
    repeated = any(document.repeated for document in documents)
    return Salvaged(value, tuple(dict.fromkeys(mends)), broken, repeated)


def _documents(text: str, steps: "_Steps") -> tuple[list[_Document], bool]:
    """The documents in a text, and whether the last one breaks off."""
    reader = _Reader(text, steps)
    documents: list[_Document] = []
    failures = depth = 0
    # What a model thought before it answered is no answer.
    thought = None if text.lstrip()[:1] in ("{", "[", '"') else _THOUGHT_END.search(text)
    at = thought.end() if thought else 0
    while failures < _MOST_FAILURES and (opening := _OPENING.search(text, at)):
        if depth:
            depth += _depth(text[at : opening.start()])
        if depth > 0:
            # It is part of one that broke off: what stands before it there could not be read.
            return documents, bool(documents)
        document = reader.document(opening.start())
        # Each look begins where the one before ended, so that all of them together are one pass.
        at = document.end
        if document.value:
            documents.append(document)
            if not document.whole and document.holds_entries:
                return documents, True
        else:
            failures += not document.whole
            depth = _depth(text[document.start : document.end]) if document.begun and not document.whole else 0
            if at == len(text) and documents:
                return documents, True
    return documents, bool(documents) and not documents[-1].whole


def _depth(text: str) -> int:
    """How many more objects and lists open in a text than close."""
    return text.count("{") + text.count("[") - text.count("}") - text.count("]")


def _outside(text: str, documents: list[_Document], *, broken: bool) -> str:
    """What stands around the documents; nothing after where the last one breaks off."""
    ends = [0, *(document.end for document in documents)]
    starts = [*(document.start for document in documents), *([] if broken else [len(text)])]
    return " ".join(text[end:start] for end, start in zip(ends, starts, strict=False))


@dataclass(slots=True)
class _Open:
    """An object or list that is not closed yet; `keys` is None of a list."""

    closing: str
    keys: list[str] | None
    values: list[Json] = field(default_factory=list)


class _Reader:
    """Reads documents out of a text without recursion."""

    def __init__(self, text: str, steps: _Steps) -> None:
        self._text = text
        self._steps = steps
        self._mends: dict[str, None] = {}
        self._repeated = False
        self._begun = False
        self._decoder = decoder(self._repeat)

    def document(self, start: int) -> _Document:
        """The object or list that begins at `start`, as far as its entries are whole.

        An entry of a list is whole or is not there; an object keeps the entries before the break.
        """
        self._mends, self._repeated, self._begun = {}, False, False
        value, end, whole = self._read(start)
        return _Document(start, max(end, start + 1), value, whole, tuple(self._mends), self._repeated, self._begun)

    def _read(self, start: int) -> tuple[dict[str, Json] | list[Json], int, bool]:
        text, size = self._text, len(self._text)
        outer: list[_Open] = []
        top, at = _opened(text[start]), start + 1
        while True:
            self._steps.take()
            gap = _GAP.match(text, at)
            assert gap  # noqa: S101 - it matches nothing, too
            between, at = gap[0], gap.end()
            self._look_at(between)
            if not between.isascii() or ";" in between or text.startswith(("#", "/"), at):
                between, at = self._gap(gap.start())
            if at == size:
                break
            sign = text[at]
            if sign == top.closing:
                at += 1
                if "," in between and sign != ")":
                    self._mends["comma"] = None
                value = self._closed(top)
                if not outer:
                    return value, at, True
                inner, top = top, outer.pop()
                top.values.append(self._tuple(inner.values, between) if sign == ")" else value)
                continue
            if not (between == "," and top.values) and not self._parted(top, between, at):
                break
            if top.keys is not None:
                key, at = self._key(at)
                if key is None:
                    break
                top.keys.append(key)
                self._begun = True
                sign = text[at]
            if sign in "{[(":
                if len(outer) >= NESTING - 2:
                    raise RecursionError
                if flat := _FLAT.match(text, at):
                    top.values.append(self._decoder(flat[0]))
                    at = flat.end()
                    continue
                outer.append(top)
                top, at = _opened(sign), at + 1
                continue
            is_whole, entry, at = self._value(at)
            if not is_whole:
                break
            top.values.append(entry)
        return self._cut(outer, top, is_end=at == size), at, False

    def _gap(self, at: int) -> tuple[str, int]:
        """What stands between two entries without comments, and where the next one begins."""
        gap = _GAP.match(self._text, at)
        assert gap  # noqa: S101 - likewise
        between, end = gap[0].translate(_AS_COMMA), gap.end()
        if between != gap[0]:
            self._mends["signs"] = None
        after = self._commented(end)
        if after == end:
            return between, end
        more, end = self._gap_after(after)
        return f"{between}\n{more}", end

    def _gap_after(self, at: int) -> tuple[str, int]:
        """As `_gap`, after a comment: there may be many of them."""
        parts = []
        while True:
            gap = _GAP.match(self._text, at)
            assert gap  # noqa: S101 - likewise
            parts.append(gap[0].translate(_AS_COMMA))
            at = self._commented(gap.end())
            if at == gap.end():
                return "".join(parts), at

    def _commented(self, at: int) -> int:
        """Where it goes on after a comment; the end of the text where nothing closes it."""
        text = self._text
        if not text.startswith(("#", "//", "/*"), at):
            return at
        self._mends["comment"] = None
        closing = "*/" if text.startswith("/*", at) else "\n"
        end = text.find(closing, at + 2 if closing == "*/" else at)
        return len(text) if end < 0 else end + len(closing)

    def _look_at(self, gap: str) -> None:
        """Remark on what no editor shows between two entries."""
        if _UNUSUAL_BLANK.search(gap):
            self._mends["blank"] = None

    def _repeat(self) -> None:
        self._repeated = True

    def _parted(self, container: _Open, between: str, at: int) -> bool:
        """Whether an entry may begin here: after a comma, a closed entry or a line, or with a name."""
        values, commas = container.values, between.count(",")
        if commas > bool(values):
            self._mends["comma"] = None
        if values and not commas:
            is_named = container.keys is not None and _NAMED.match(self._text, at)
            if not (is_named or isinstance(values[-1], (dict, list)) or "\n" in between):
                return False
            self._mends["no comma"] = None
        return True

    def _key(self, at: int) -> tuple[str | None, int]:
        """A key, and where its value begins; None and how far it goes where there is none."""
        key, end = self._name(at)
        if key is None:
            return None, end
        colon = _COLON.match(self._text, end)
        assert colon  # noqa: S101 - likewise
        if colon[1] not in ("", ":"):
            self._mends["signs"] = None
        self._look_at(colon[0])
        end = colon.end()
        if self._text.startswith(("#", "/"), end):
            _, end = self._gap(end)
        return (key if colon[1] and end < len(self._text) else None), end

    def _name(self, at: int) -> tuple[str | None, int]:
        scalar = _SCALAR.match(self._text, at)
        assert scalar  # noqa: S101 - likewise
        if scalar["string"] or scalar["curly"]:
            is_whole, key = self._scalar(scalar)
            return (key if is_whole and isinstance(key, str) else None), scalar.end()
        name = _NAME.match(self._text, at)
        if name and name[0] and (colon := _COLON.match(self._text, name.end())) and colon[1]:
            self._mends["javascript"] = None
            return name[0].rstrip(), name.end()
        return None, scalar.end()

    def _value(self, at: int) -> tuple[bool, Json, int]:
        """A text, number or word, whether it is whole, and where it ends: what the text ends with may go on."""
        scalar = _SCALAR.match(self._text, at)
        assert scalar  # noqa: S101 - likewise
        end = scalar.end()
        if scalar["string"] and self._text[end : end + 1] not in _ENDS and self._next(end) not in _ENDS:
            if self._text[at] == "'" and (whole := _APOSTROPHES.match(self._text, at)):
                self._mends["quotes"] = None
                return True, self._string(whole[1]), whole.end()
            if self._text[at] == '"' and (whole := _QUOTING.match(self._text, at)):
                self._mends["quotes"] = None
                return True, whole[1][1:-1], whole.end()
        elif self._text[at] in "+-~.0123456789":
            number = _NUMBER_LIKE.match(self._text, at)
            assert number  # noqa: S101 - likewise
            if number.end() > end and self._next(number.end()) in _ENDS[1:]:
                self._mends["number"] = None
                return True, number[0], number.end()
        return *self._scalar(scalar), end

    def _next(self, at: int) -> str:
        """The next sign; empty at the end."""
        after = _NEXT.match(self._text, at)
        assert after  # noqa: S101 - likewise
        return after[1]

    def _scalar(self, scalar: re.Match[str]) -> tuple[bool, Json]:
        at_end = scalar.end() == len(self._text)
        if scalar["string"]:
            return (
                (True, self._string(scalar["string"])) if scalar["closed"] or scalar["closed_single"] else (False, None)
            )
        if scalar["curly"]:
            body = scalar["curly"][:-1]
            is_escaped = (len(body) - len(body.rstrip("\\"))) % 2 == 1
            if not body or scalar["curly"][-1] not in "”“»’`" or is_escaped:
                return False, None
            self._mends["curly"] = None
            return True, self._string(f'"{body[1:]}"')
        if scalar["number"]:
            return not at_end, exact(scalar["number"])
        word = scalar["word"]
        if word in _PYTHON:
            self._mends["python"] = None
            return True, _PYTHON[word]
        if word in _OTHER_WORDS:
            self._mends["word"] = None
            return True, _OTHER_WORDS[word]
        if word == _UNDEFINED:
            self._mends["javascript"] = None
            return True, None
        return word in _WORDS, _WORDS.get(word)

    def _string(self, quoted: str) -> str:
        """A text in its quotation marks."""
        if _CONTROL.search(quoted):
            self._mends["control"] = None
        if quoted[0] == "'":
            self._mends["python"] = None
            quoted = f'"{_QUOTES.sub(_requoted, quoted[1:-1])}"'
        if "\\" not in quoted:
            return quoted[1:-1]
        mended = _BACKSLASH.sub(_escaped, quoted)
        if mended != quoted:
            self._mends["backslash"] = None
        return sound(scanstring(mended, 1, False)[0])

    def _tuple(self, values: list[Json], after: str) -> Json:
        """What Python has in round brackets: (x,) is a list of x, and (x) is x."""
        self._mends["python"] = None
        return values if len(values) != 1 or "," in after else values[0]

    def _closed(self, container: _Open) -> dict[str, Json] | list[Json]:
        if container.keys is None:
            return container.values
        whole, repeated = unique(zip(container.keys, container.values, strict=False))
        self._repeated |= repeated
        return whole

    def _cut(self, outer: list[_Open], top: _Open, *, is_end: bool) -> dict[str, Json] | list[Json]:
        """What is whole of a document that breaks off."""
        # A text before something that cannot be read may go on there: its quotation mark may be one inside it.
        if not is_end and top.values and not isinstance(top.values[-1], (dict, list)):
            top.values.pop()
        value = self._closed(top)
        for parent in reversed(outer):
            if value and parent.keys is not None:
                parent.values.append(value)
            value = self._closed(parent)
        return value


def _opened(sign: str) -> _Open:
    return _Open("}", []) if sign == "{" else _Open("]" if sign == "[" else ")", None)


def _escaped(match: re.Match[str]) -> str:
    r"""A backslash as JSON has it: \' is ', \xa0 is \u00a0, any other that stands for nothing stays as it is."""
    if match["hex"]:
        return f"\\u00{match['hex']}{match[3]}"
    return match[0] if match[1] else (match[3] or "\\\\")


def _requoted(match: re.Match[str]) -> str:
    r"""What stands between single quotes as it stands between double ones: \' is ', " is \"."""
    if match[2]:
        return '\\"' * len(match[2])
    return "'" if match[1] == "'" else match[0]
