"""The class list: which student goes by which name, in which class, with which target. A file of the teachers' own."""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from threading import Lock

from data import sheets
from data.files import require_no_pipe
from data.letters import composed
from data.sheets import Sheet, SheetError

COLUMNS = ("user_id", "name", "class", "target_band", "test_date", "teacher")
TEMPLATE = (
    "user_id,name,class,target_band,test_date,teacher\r\n"
    "user-123,Linh Nguyen,Monday evening,7.0,2027-03-14,Ms Lan\r\n"
    "user-124,Minh Tran,,,,\r\n"
)

_OTHER_NAMES = {
    # What other programs and languages call the columns, without blanks and signs.
    "user_id": "id user uid username login loginid accountid studentid studentno studentnumber studentcode "
    "learnerid learnernumber pupilid candidateid candidatenumber personid memberid idnumber sisid sisuserid "
    "sisloginid orgdefinedid externalid uniqueuserid uniquestudentid schoolid adno admno admissionno "
    "admissionnumber upn studentref bandupid mahocvien mahocsinh masinhvien mahv mahs masv maso mssv mshv mshs "
    "masohocvien schulerid schulernummer matrikelnummer identifiant idetudiant netudiant numeroetudiant ideleve "
    "matricule idalumno idestudiante matricula matricola ogrencino ogrencinumarasi nis nim 学号 学生id 学籍番号 "
    "学生番号 학번 رقمالطالب รหัสนักเรียน "
    "benutzerid benutzername teilnehmernummer teilnehmerid kundennummer numeroetudiante masosinhvien masohocsinh "
    "mathanhvien madinhdanh sbd 学生编号 学员编号 学員編號 学生学号 学籍号 用户id 用戶id 學號 學生編號 學生id 学員番号",
    "name": "fullname studentname nameofstudent student learner learnername pupil pupilname candidate "
    "candidatename participant displayname legalname lastfirst lastnamefirstname lastnamefirst surnamefirstname "
    "surnameforename surnameforenames familynamegivenname hovaten hoten tenhocvien nomcomplet nombrecompleto "
    "nomecompleto adsoyad namalengkap nama фио 姓名 氏名 名前 이름 성명 الاسم ชื่อ "
    "teilnehmer teilnehmername schuler schulername hovatenhocsinh hovatenhocvien hotenhocsinh "
    "hotensinhvien hovatensinhvien hotenhocvien 学生姓名 学员姓名 學生姓名 學員姓名",
    "first": "firstname first givenname givennames forename forenames legalforename legalfirstname preferredname "
    "vorname prenom nombre nombres nome ten ad adi имя",
    "middle": "middlename middle middleinitial отчество",
    "last": "lastname last surname familyname legalsurname legallastname nachname nom nomdefamille apellidos "
    "apellido cognome sobrenome soyad soyadi фамилия ho hodem hovadem hovatendem hotendem hotenlot holot",
    "class": "classname studentclass classroom homeroom form formgroup reg reggroup regform registrationform "
    "registrationgroup tutorgroup group groups groupname section sections sectionname cohort cohorts course "
    "coursename klasse gruppe kurs classe groupe clase grupo curso turma sinif lop lophoc malop tenlop kelas "
    "группа класс 班级 班 クラス 반 학급 الصف ห้อง "
    "cohort1 lopsinhhoat lopdanghoc 所在班级 班級 班別 班别",
    "target_band": "target targetscore targetoverall goal goalband goalscore bandgoal desiredband desiredscore "
    "requiredband requiredscore ieltstarget ieltsgoal overalltarget muctieu diemmuctieu bandmuctieu zielnote "
    "zielband objectif scorevise notaobjetivo objetivo puntuacionobjetivo 目标 目标分数 目標 studenttarget "
    "ziel zielpunktzahl notecible scorecible diemmongmuon bandmongmuon diemdaura banddaura 目标分 目标成绩 "
    "目標分數 目標分 目標スコア 目標バンド",
    "test_date": "testday dateoftest testat exam examdate examday dateofexam ieltsdate ieltstestdate ieltsexamdate "
    "ngaythi prufungsdatum testdatum datedutest dateexamen datedelexamen fechaexamen fechadelexamen fechadeexamen "
    "考试日期 試験日 "
    "testtermin prufungstermin datedexamen datedelepreuve ngayduthi ngaythiielts ngaykiemtra "
    "考试时间 考試日期 試験日程 受験日",
    "teacher": "teachername tutor tutorname instructor instructorname coach giaovien lehrer lehrkraft enseignant "
    "professeur profesor profesora professor docente insegnante ogretmen 老师 教师 先生 "
    "giaovienchunhiem gvcn lehrperson 教師 老師 任课老师 班主任",
}
_FAMILY_FIRST = frozenset(("ho", "hodem", "hovadem", "hovatendem", "hotendem", "hotenlot", "holot"))
"""Names of the column of family names where these come before the given one, as in Vietnamese."""
_OWN = {column.replace("_", ""): column for column in COLUMNS}
_PARTS = ("first", "middle", "last")  # of a name, in the order in which they are joined
_PREFERRED = "preferredname"  # beside a first name it says the same once more

_LARGEST = 5_000_000  # bytes
_WIDEST = 1_000  # columns
_HEADER_WITHIN = 20  # rows that may stand above the names of the columns
_MOST_IN_HEADERS = 20_000  # cells of all sheets that are looked at for the names of columns: each takes its time
_LONGEST = 200  # characters of a name or a class
_LONGEST_ID = 1024  # bytes of a DynamoDB sort key
_SHORT_ID = 256  # characters, none of which takes more than four bytes
_MOST_PROBLEMS = 1_000  # of either kind that are kept; the others are counted
_LONGEST_QUOTE = 60  # characters of a cell in the reason why its line is not used
_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")  # float() would take 0_7 and -0 too
# How people write a target: Band 7, IELTS 6.5 overall, 7.0+, ≥ 6.5, 6½.
_TARGET = re.compile(
    r"(?:ielts|overall|band|target|min(?:imum)?\.?|at least|[≥>]=?|[:( ])*([0-9]+(?:[.,][0-9]+)?|[0-9]½)"
    r"(?:\+|overall|band|or more|or higher|[() ])*",
    re.IGNORECASE,
)
# What stands for no target, and for no day of a test.
_NO_TARGET = frozenset(("-", "–", "—", "n/a", "na", "none", "tbc", "tbd", "?"))
_NOTHING = frozenset(("-", "–", "—", "n/a", "tbc", "tbd", "?"))  # in any column; “NA” may be a name
_SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]+)?[eE][+-][0-9]+|[0-9][.,][0-9]+[eE][0-9]+")
_DATE_LIKE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-[0-9]{2}")
_CHANGED = re.compile(r"#|[0-9]|[A-Z][a-z]{2}-")  # how all of these begin
_ROUNDED = re.compile(r"[0-9]+\.0+")
_ERROR = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|#+)")
_AS_TEXT = re.compile(r"""='?"([^"]*)"|['’](?=[=+\-@\t\r0-9])(.*)""", re.DOTALL)
_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_INVISIBLE_LETTER = re.compile(f"[{_INVISIBLE}]")
_WITHOUT_INVISIBLE = dict.fromkeys(map(ord, _INVISIBLE))
_POSSESSIVE = re.compile(r"['’]s\b")
_ASIDE = re.compile(r"[(\[（*:/|\n].*", re.DOTALL)  # after the name of a column: User ID (BandUp), Class / Group
_SEPARATORS = re.compile(r"[;,|\t]")
_RULE = re.compile("[-=:| ]+")
# What stands in the first cell below the last student. Digits right behind a word make it an id, but in Chinese.
_FOOT = re.compile(
    r"(?:grand |sub-?)?(?:totals?|sum|average|mean|count|summe|gesamt|insgesamt|suma|totale|tổng(?: cộng| số)?|"
    r"trung bình|итого|всего|合计|总计|合計|합계)"
    r"(?: (?:number of )?(?:students?|pupils|learners|rows))?(?:(?:[ :]+|(?<=[计計계]))[0-9]*)?(?: students?)?|# .*",
    re.IGNORECASE,
)
_FOOT_LINES = 5
_MONTHS = (
    # in other languages without accents, as far as they begin otherwise
    "january janvier januar enero gennaio janeiro январь ocak", "february fevrier febrero fevereiro февраль subat",
    "march mars marz marzo marco mart март", "april avril abril апрель nisan", "may mai mayo maggio maio май мая mayis",
    "june juin juni junio giugno junho июнь haziran", "july juillet juli julio luglio julho июль temmuz",
    "august aout agosto август agustos", "september septembre septiembre settembre setembro сентябрь eylul",
    "october octobre oktober octubre ottobre outubro октябрь ekim", "november novembre noviembre novembro ноябрь kasim",
    "december decembre dezember diciembre dicembre dezembro декабрь aralik",
)  # fmt: skip
_TIME = (
    r"(?:[T ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?"
    r"(?: ?(?:Z|GMT|UTC)|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NAME_OF_MONTH = r"(?:of |de |d')?([^\W\d_]{3,10})\.?"
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})" + _TIME)
_DAY_MONTH = re.compile(
    rf"([0-9]{{1,2}})(?:st|nd|rd|th|º|er)?[- ./]*{_NAME_OF_MONTH}[-, ./]*(?:de )?([0-9]{{4}}|[0-9]{{2}}){_TIME}"
)
_MONTH_DAY = re.compile(rf"{_NAME_OF_MONTH}[- ./]*([0-9]{{1,2}})(?:st|nd|rd|th)?[-, ./]+([0-9]{{4}}){_TIME}")
_YEAR_MONTH = re.compile(rf"([0-9]{{4}})[-, ./]+{_NAME_OF_MONTH}[- ./]+([0-9]{{1,2}}){_TIME}")
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[.,]* +|ngày +"
    r"|(?<! ) *\((?:mon|tue|wed|thu|fri|sat|sun)\)$",
    re.IGNORECASE,
)
_EAST_ASIAN_DATE = re.compile(r"([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월] ?([0-9]{1,2}) ?[日일]")
_VIETNAMESE_DATE = re.compile(r"([0-9]{1,2}) (?:tháng|thg\.?) ([0-9]{1,2})(?:,| năm)? ([0-9]{4})", re.IGNORECASE)
_AS_HYPHEN = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_AROUND_SIGNS = re.compile(r"(?<=[0-9]) ?([-/.]) ?(?=[0-9])")


@dataclass(frozen=True, slots=True)
class Student:
    """A line of the class list. What it does not say is empty, NaN or None; `test_at` is the end of the test's day."""

    user_id: str
    name: str = ""
    class_name: str = ""
    target: float = math.nan
    test_at: datetime | None = None
    teacher: str = ""

    @property
    def label(self) -> str:
        """What to call them: the name, else the ID."""
        return self.name or self.user_id

    @property
    def label_with_id(self) -> str:
        """The name with the ID, or the ID alone."""
        return f"{self.name} ({self.user_id})" if self.name else self.user_id


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line, counted from 1 as editors and spreadsheets do. `skipped`: the line is not used.

    One `of_nobody` names no student, as a total or a comment does: nothing is lost with it.
    """

    line: int
    reason: str
    skipped: bool = True
    of_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file was read: what a preview shows before the class list is used."""

    encoding: str = ""  # of a CSV file, such as "UTF-8"
    separator: str = ""  # of a CSV file
    worksheet: str = ""  # of a workbook
    header_line: int = 1
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # ours: the headings that it comes from
    unused: tuple[str, ...] = ()  # headings
    rows: int = 0  # below the header, without blank ones
    skipped: int = 0
    lost: int = 0  # of these, but those that are nobody's


@dataclass(frozen=True, slots=True)
class Roster:
    """The students by id, what is wrong in single lines, and what is to be said about the file.

    `problems` are the first ones, and `more_problems` says how many there are beside them.
    """

    students: Mapping[str, Student] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = ()
    layout: Layout = Layout()
    more_problems: int = 0

    def student(self, user_id: str) -> Student:
        """What is known of a student; only the id of one who is not in the class list."""
        return self.students.get(user_id, Student(user_id))

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in order."""
        return sorted({s.class_name for s in self.students.values() if s.class_name}, key=str.casefold)

    def members(self, class_name: str) -> list[str]:
        """The ids of a class's students."""
        return [s.user_id for s in self.students.values() if s.class_name == class_name]

    def only(self, classes: Iterable[str]) -> "Roster":
        """The class list of some classes."""
        kept = set(classes)
        return replace(self, students={i: s for i, s in self.students.items() if s.class_name in kept})

    def within(self, user_ids: Collection[str]) -> "Roster":
        """The class list of some students."""
        return replace(self, students={i: s for i, s in self.students.items() if i in user_ids})


class _NoStudent(ValueError):
    """A line that is nobody's; the message says why."""


class RosterError(ValueError):
    """The file as a whole cannot be used; the message is a sentence that says what to do.

    `headings` are those of the file where its columns are not clear: a mapping that is passed to `parse` settles it.
    `problems` are those of the lines where none can be used, as in `Roster`.
    """

    def __init__(self, message: str, headings: Sequence[str] = (), problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.headings = tuple(headings)
        self.problems = _first(problems)
        self.more_problems = len(problems) - len(self.problems)

    @property
    def in_log(self) -> str:
        """The first sentence: the next one may quote a line, a student's name included."""
        sentence, end, _ = str(self).partition(". ")
        return f"{sentence}{end}".strip()


def read(path: str) -> Roster:
    """The class list in a file; RosterError when it cannot be read."""
    try:
        require_no_pipe(Path(path))
        with Path(path).open("rb") as file:
            return parse(file.read(_LARGEST + 1), turn=sheets.SERVER)
    except OSError as error:
        raise RosterError(f"The class list {path} cannot be read: {error.strerror or error}.") from error


def parse(
    content: bytes, mapping: Mapping[str, str] | None = None, encoding: str = "", turn: Lock = sheets.UPLOADS
) -> Roster:
    """The class list in a CSV file or an Excel workbook; RosterError when it cannot be used.

    Encoding, separator and worksheet are found out. The header names the columns of `COLUMNS` or what other programs
    call them, in any order; only the id must be there, and first and last name are joined. `mapping` says which heading
    holds which column (or "first", "middle", "last") where that is not clear, and "" that none does; `encoding` is a
    codec for a CSV file whose letters came out wrong. Of two lines with the same id the first one counts.
    """
    if len(content) > _LARGEST:
        raise RosterError(f"The class list is larger than {_LARGEST // 1_000_000} MB. Split it or remove columns.")
    try:
        sheet, header_line, headings = _header(sheets.readings(content, encoding, turn), mapping or {})
        columns = _columns(headings, mapping or {})
        return _students(sheet, header_line, headings, columns)
    except SheetError as error:
        # An OSError as the cause says of either that it is of the moment: whoever keeps answers does not keep this one.
        raise RosterError(str(error)) from (error.__cause__ if isinstance(error.__cause__, OSError) else error)


# --- columns ----------------------------------------------------------------------------------------------------------


def _key(heading: str) -> str:
    """A heading without case, accents, blanks, hyphens, underscores and the s of “Student's”."""
    # Cut here: what is kept by a cell as it is keeps the cell, of 500 KB.
    return _key_of(heading[:_LONGEST])


@lru_cache(maxsize=4096)
def _key_of(heading: str) -> str:
    # Some letters become eighteen.
    plain = _POSSESSIVE.sub("", unicodedata.normalize("NFKD", heading)[:_LONGEST]).casefold()
    return "".join(letter for letter in plain.replace("đ", "d").replace("ı", "i") if letter.isalnum())


_MEANINGS = {_key(other): column for column, others in _OTHER_NAMES.items() for other in others.split()}


def _meaning(heading: str) -> str | None:
    """The column that a heading names in other words, or with something beside it; ours may be "first" and the like."""
    if column := _MEANINGS.get(_key(heading)):
        return column
    before = _key(_ASIDE.sub("", heading[:_LONGEST], count=1))
    return None if before == _key(heading) and before in _OWN else _OWN.get(before) or _MEANINGS.get(before)


def _header(readings: Sequence[Sheet], mapping: Mapping[str, str]) -> tuple[Sheet, int, list[str]]:
    """The reading in which the most columns are understood, and its header."""
    best: tuple[float, Sheet, int, list[str]] | None = None
    fallback: list[str] = []
    failure: SheetError | None = None
    needed = {_key(heading) for heading in mapping.values() if heading}
    left = _MOST_IN_HEADERS
    for sheet in readings:
        try:
            for line, cells in islice(sheet.head(), _HEADER_WITHIN):
                left -= sum(map(bool, cells))
                if left < 0:
                    raise RosterError(
                        f"The first lines of all sheets have more than {_MOST_IN_HEADERS:,} cells together. Keep one "
                        "sheet, with the columns of the template."
                    )
                width = len(cells)
                while width and not cells[width - 1].strip():
                    width -= 1
                if width > _WIDEST:
                    raise RosterError(f"The class list has more than {_WIDEST:,} columns. Keep those of the template.")
                headings = [_clean(cell) for cell in cells[:_WIDEST]]
                keys = [_key(heading) for heading in headings]
                meanings = {_OWN.get(_key(heading)) or _meaning(heading) for heading in headings} - {None}
                is_header = _key(mapping["user_id"]) in keys if mapping.get("user_id") else "user_id" in meanings
                count = len(meanings) + len(needed & set(keys)) + len(keys) / (_WIDEST + 1)
                if is_header and (best is None or count > best[0]):
                    best = count, sheet, line, headings
                if not headings[0].startswith("#") and width > len(fallback):
                    fallback = headings[:width]
        except SheetError as error:
            failure = failure or error
    if best is None and failure:
        raise failure
    if best is None:
        names = ", ".join(_quoted(heading) for heading in fallback[:12])
        raise RosterError(
            "The class list's first line must name its columns, one of them user_id (or Student ID)."
            + (f" It has: {names}." if names else " It is empty."),
            fallback,
        )
    return best[1:]


def _columns(headings: Sequence[str], mapping: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """Which columns of the file hold ours; a name may come from several. RosterError where that is not clear."""
    keys = [_key(heading) for heading in headings]
    places: dict[str, tuple[int, ...]] = {}
    for column, heading in mapping.items():
        places[column] = tuple([n for n, key in enumerate(keys) if key == _key(heading)][:1]) if heading else ()
        if heading and not places[column]:
            raise RosterError(f"The class list has no column {_quoted(heading)}. Choose one of its columns.", headings)
    taken = {place for several in places.values() for place in several}
    free = [(n, key) for n, key in enumerate(keys) if n not in taken]
    for column in (*COLUMNS, *_PARTS):
        if column in places:
            continue
        own = [n for n, key in free if _OWN.get(key) == column]
        if len(own) > 1:
            raise RosterError(f"The class list's first line names {column} twice. Remove one of them.", headings)
        others = own or [n for n, _ in free if _meaning(headings[n]) == column]
        if len(others) > 1 and column == "first":
            others = [n for n in others if keys[n] != _PREFERRED]
        if len(others) > 1:
            names = " or ".join(_quoted(headings[n]) for n in others)
            what = f"{column} name" if column in _PARTS else column
            raise RosterError(f"Which column is the {what}: {names}? Name only that one {what}.", headings)
        if others:
            places[column] = (others[0],)
    parts = [places.pop(part) for part in _PARTS if places.get(part)]
    named = places.get("name", ())
    if parts and "name" not in mapping and (not named or _OWN.get(keys[named[0]]) != "name"):
        family_first = any(keys[place] in _FAMILY_FIRST for part in parts for place in part)
        places["name"] = tuple(place for part in (reversed(parts) if family_first else parts) for place in part)
    elif len(parts) == 1 and named and "name" not in mapping and _MEANINGS.get(keys[parts[0][0]]) == "first":
        places["name"] = (*parts[0], *named)  # in some languages the surname is called the name
    return {column: several for column, several in places.items() if several and column in COLUMNS}


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lines:
    """What the lines below the header say."""

    students: dict[str, Student]  # by id
    placed: list[tuple[int, Student]]  # with their lines
    problems: list[Problem]
    rows: int
    apostrophes: int
    unnamed: set[int]  # columns without a heading in which nothing stands


def _students(sheet: Sheet, header_line: int, headings: list[str], columns: Mapping[str, tuple[int, ...]]) -> Roster:
    lines = _lines(sheet, header_line, headings, columns)
    students, problems = lines.students, lines.problems
    foot = _foot(students, lines.placed[-_FOOT_LINES:], has_more=len(columns) > 1)
    _leave_out(students, foot, problems, " at the end")
    _leave_out(students, _captions(students, lines.placed), problems)
    _refuse_unusable(lines, header_line, headings, columns)
    used = {place for several in columns.values() for place in several} | lines.unnamed
    layout = Layout(
        sheet.encoding,
        sheet.separator,
        sheet.name,
        header_line,
        {column: tuple(headings[place] for place in several) for column, several in columns.items()},
        tuple(heading or f"column {n}" for n, heading in enumerate(headings, 1) if n - 1 not in used),
        lines.rows,
        lines.rows - len(students),
        lines.rows - len(students) - sum(one.of_nobody and one.line > header_line for one in problems),
    )
    kept = _first(problems)
    remarks = tuple(_remarks(sheet, layout, lines.apostrophes))
    return Roster(students, kept, remarks, layout, len(problems) - len(kept))


def _lines(sheet: Sheet, header_line: int, headings: list[str], columns: Mapping[str, tuple[int, ...]]) -> _Lines:
    """Each line as a student or a problem, with what is to be noted."""
    students: dict[str, Student] = {}
    problems: list[Problem] = []
    spellings: dict[str, str] = {}
    class_before = ""
    rows = apostrophes = 0
    width = len(headings)
    unnamed = {place for place, heading in enumerate(headings) if not heading}  # and empty, as far as was read
    (id_place,) = columns["user_id"]
    places = {column: columns.get(column, ()) for column in COLUMNS if column != "user_id"}
    placed: list[tuple[int, Student]] = []
    for line, cells in sheet.rows():
        if line <= header_line:
            if line < header_line and not cells[0].lstrip(_INVISIBLE).startswith("#"):
                problems.append(Problem(line, "it stands above the names of the columns", of_nobody=True))
            continue
        if cells[0][:1] in "-=:| " and _RULE.fullmatch("".join(cells)):
            continue  # a line drawn below the header
        rows += 1
        notes: list[str] = []
        try:
            if (rows <= _FOOT_LINES or headings[id_place] in cells) and _is_header(cells, columns):
                raise _NoStudent("it names the columns again")
            if len(cells) > width and "".join(cells[width:]).strip():
                raise ValueError(f"it has {len(cells)} cells, but the first line names {width}")  # noqa: TRY301
            if unnamed:
                unnamed -= {place for place, cell in enumerate(cells) if place in unnamed and cell.strip()}
            student = _student(cells, id_place, places, students, notes)
        except ValueError as error:
            problems.append(Problem(line, str(error), of_nobody=isinstance(error, _NoStudent)))
            continue
        apostrophes += cells[id_place].lstrip()[:1] in ("'", "’")
        if student.class_name != class_before:
            class_before = student.class_name
            notes.extend(_other_spelling(class_before, spellings))
        if notes:
            problems.extend([Problem(line, note, skipped=False) for note in notes])
        students[student.user_id] = student
        placed.append((line, student))
    return _Lines(students, placed, problems, rows, apostrophes, unnamed)


def _first(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """As many of each kind as are kept, in the order of the file: a list may have one for every line."""
    if len(problems) <= _MOST_PROBLEMS:
        return tuple(problems)
    kinds = [(False, False), (True, False), (True, True)]
    kept = [[p for p in problems if (p.skipped, p.of_nobody) == kind][:_MOST_PROBLEMS] for kind in kinds]
    return tuple(sorted(chain(*kept), key=lambda problem: problem.line))


def _refuse_unusable(
    lines: _Lines, header_line: int, headings: list[str], columns: Mapping[str, tuple[int, ...]]
) -> None:
    """RosterError where no line is a student, or none was taken apart as the header was."""
    if not lines.rows:
        raise RosterError("The class list names its columns, but no students. Add a line for each student.")
    if not lines.students:
        first = next(problem for problem in lines.problems if problem.line > header_line)
        message = f"No line of the class list can be used. Line {first.line}: {first.reason}."
        raise RosterError(message, headings, lines.problems)
    signs = max(1, min(2, len(headings) - 1))
    if len(columns) > 1 and all(
        _is_alone(s) and len(_SEPARATORS.findall(s.user_id)) >= signs for s in lines.students.values()
    ):
        raise RosterError(
            "The lines of the class list are separated otherwise than its first one. Save it anew.", headings
        )


def _other_spelling(class_name: str, spellings: dict[str, str]) -> Iterator[str]:
    """A note where the class before with this name was written otherwise; `spellings` keeps the last of each."""
    before = spellings.get(class_name.casefold(), class_name)
    if before != class_name:
        yield f"class {_quoted(class_name)} differs only in case from {_quoted(before)}"
    spellings[class_name.casefold()] = class_name


def _is_header(cells: Sequence[str], columns: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a line names the columns again, as on every page of a list or below it in another language."""
    named = [
        column
        for column, places in columns.items()
        for cell in cells[places[0] : places[0] + 1]
        if (meaning := _OWN.get(_key(cell)) or _meaning(cell)) and (meaning == column or meaning in _PARTS)
    ]
    return "user_id" in named and len(named) > 1


def _foot(
    students: dict[str, Student], last: Sequence[tuple[int, Student]], *, has_more: bool
) -> list[tuple[int, Student]]:
    """What is no student at the end of the list, such as a total or a note."""
    lines: list[tuple[int, Student]] = []
    for line, student in reversed(last):
        if len(students) - len(lines) < 2 or not _is_foot(student, has_more=has_more):
            break
        lines.append((line, student))
    return lines


def _captions(students: dict[str, Student], placed: Iterable[tuple[int, Student]]) -> list[tuple[int, Student]]:
    """What only names the lines below it, such as “Class B”: words, where no id has a blank."""
    lines = [(line, student) for line, student in placed if " " in student.user_id and student.user_id in students]
    if len(lines) * 2 > len(students) or not all(_is_alone(student) for _, student in lines):
        return []
    return [] if all(map(_is_alone, students.values())) else lines


def _leave_out(
    students: dict[str, Student], lines: Sequence[tuple[int, Student]], problems: list[Problem], where: str = ""
) -> None:
    """Take these from the list, and say so in place of what was said of them."""
    if not lines:
        return
    numbers = {line for line, _ in lines}
    problems[:] = [problem for problem in problems if problem.line not in numbers]
    for line, student in lines:
        del students[student.user_id]
        problems.append(Problem(line, f"{_quoted(student.user_id)}{where} is no student", of_nobody=True))
    problems.sort(key=lambda problem: problem.line)


def _is_foot(student: Student, *, has_more: bool) -> bool:
    """Whether what stands at the end of a list is a total or a note: words of which no other column says anything.

    Beside a total stand numbers, as in "25 students": somebody with a name, a class or a teacher is a student, whatever
    the id.
    """
    if _FOOT.fullmatch(student.user_id):
        texts = (student.name, student.class_name, student.teacher)
        return not any(text[:1].isalpha() for text in texts)
    return has_more and _is_alone(student) and " " in student.user_id


def _is_alone(student: Student) -> bool:
    """Whether a line says nothing but an id."""
    return math.isnan(student.target) and not (student.name or student.class_name or student.teacher or student.test_at)


def _remarks(sheet: Sheet, layout: Layout, apostrophes: int) -> Iterator[str]:
    yield from sheet.remarks
    for column, headings in layout.columns.items():
        if len(headings) > 1 or _OWN.get(_key(headings[0])) != column:
            yield f"{column} was taken from {' and '.join(_quoted(heading) for heading in headings)}."
    if layout.unused:
        more = f" and {len(layout.unused) - 12:,} more" if len(layout.unused) > 12 else ""
        yield f"Columns that are not used: {', '.join(_quoted(name) for name in layout.unused[:12])}{more}."
    if apostrophes:
        yield f"The apostrophe that a spreadsheet put before an ID was removed (lines: {apostrophes:,})."


def _student(
    cells: Sequence[str],
    id_place: int,
    places: Mapping[str, Sequence[int]],
    earlier: Mapping[str, Student],
    notes: list[str],
) -> Student:
    """A line as a student, with what is to be noted on it; ValueError says why it cannot be used.

    `places` says of each column but the id, in the order of COLUMNS, where the line holds it.
    """
    user_id = _id(cells[id_place]) if id_place < len(cells) else ""
    if not user_id:
        raise ValueError("user_id is empty")
    texts = [_text(column, cells, several, notes) if several else "" for column, several in places.items()]
    looks_changed = _CHANGED.match(user_id) is not None
    if looks_changed and _ERROR.fullmatch(user_id):
        raise ValueError(f"user_id {_quoted(user_id)} is an error of the spreadsheet")
    if looks_changed and _SCIENTIFIC.fullmatch(user_id):
        raise ValueError(f"user_id {_quoted(user_id)} was changed by a spreadsheet: format that column as text")
    if _says_nothing(user_id):
        raise ValueError(f"user_id {_quoted(user_id)} stands for no id")
    if user_id[0] == "#" and (user_id[1:2] in ("", " ", "#") or (any(places.values()) and not any(texts))):
        raise _NoStudent("it begins with # and is a comment")
    if user_id in earlier:
        raise ValueError(f"user_id {_quoted(user_id)} was in an earlier line, which counts")
    if len(user_id) > _SHORT_ID and len(user_id.encode(errors="replace")) > _LONGEST_ID:
        raise ValueError("user_id is too long to be an id")
    if looks_changed and (_ROUNDED.fullmatch(user_id) or _DATE_LIKE.fullmatch(user_id)):
        notes.append(f"user_id {_quoted(user_id)} may have been changed by a spreadsheet")
    name, class_name, target, test_date, teacher = texts
    if class_name and _CHANGED.match(class_name) and _DATE_LIKE.fullmatch(class_name):
        notes.append(f"class {_quoted(class_name)} may have been changed by a spreadsheet")
    return Student(user_id, name, class_name, _target(target, notes), _test_at(test_date, notes), teacher)


def _id(cell: str) -> str:
    """An id, letter for letter but for what spreadsheets add."""
    text = cell.strip()
    if not text or (text.isascii() and text[0] not in "='"):
        return text
    text = text.strip(_INVISIBLE).strip()
    return text[1:].strip() if text[:1] in ("'", "’") else _as_typed(text)


def _text(column: str, cells: Sequence[str], places: Sequence[int], notes: list[str]) -> str:
    """What a line says of a column, its parts joined, without what spreadsheets add."""
    parts = [cells[place] if place < len(cells) else "" for place in places]
    for part in parts:
        if len(part) > _LONGEST and len(part.strip()) > _LONGEST:
            raise ValueError(f"{column} is longer than {_LONGEST} characters")
    if column == "teacher" and "@" in parts[0]:
        text = _address(parts[0])
    elif column != "name":
        # What is kept by the whole cell keeps the cell, of 500 KB.
        text = (_tidy_repeated if len(parts[0]) <= 4 * _LONGEST else _tidy)(parts[0])
    elif len(parts) == 1:
        text = _tidy(parts[0])
    else:
        texts = [_tidy(part) for part in parts]
        if texts[0] and texts[0] in texts[-1].split():
            texts = texts[-1:]  # the full name already
        text = " ".join(filter(None, texts))
    if text[:1] == "#" and _ERROR.fullmatch(text):
        notes.append(f"{column} {_quoted(text)} is an error of the spreadsheet and was left empty")
        return ""
    return "" if _says_nothing(text) else text


def _says_nothing(text: str) -> bool:
    """Whether a cell holds only what people write where there is nothing to write."""
    return len(text) < 4 and text.casefold() in _NOTHING


def _address(text: str) -> str:
    """An e-mail address with every letter as it is: what looks alike may be somebody else's."""
    return _as_typed(" ".join(text.split()).strip(_INVISIBLE).strip())


def _tidy(text: str) -> str:
    if text.isascii() and text.isprintable() and "  " not in text:
        text = text.strip()
        return _as_typed(text) if text[:1] in ("=", "'") else text
    return _as_typed(_clean(text))


_tidy_repeated = lru_cache(maxsize=1024)(_tidy)
"""For classes and the like, which stand in many lines."""


def _clean(text: str) -> str:
    """A short text with composed letters, single blanks between words and none around it."""
    text = " ".join(text.split())
    if text.isascii() or len(text) > 4 * _LONGEST:  # composing very long texts may take very long
        return text
    if _INVISIBLE_LETTER.search(text):
        text = " ".join(text.translate(_WITHOUT_INVISIBLE).split())
    return composed(text)


def _as_typed(text: str) -> str:
    """A text without the signs by which spreadsheets keep it a text: an apostrophe in front, or ="...".

    >>> _as_typed("'=1+1"), _as_typed('="0042"'), _as_typed("'t Hooft")
    ('=1+1', '0042', "'t Hooft")
    """
    wrapped = _AS_TEXT.fullmatch(text) if text[:1] in ("=", "'", "’") else None
    return text if wrapped is None else wrapped[1] if wrapped[1] is not None else text[1:]


@lru_cache(maxsize=256)
def _band(text: str) -> float:
    """The target that a text names; NaN where that is no band.

    >>> _band("Band 7"), _band("6,5"), _band("7.0+"), _band("IELTS 6½ overall"), _band("6.5-7")
    (7.0, 6.5, 7.0, 6.5, nan)
    """
    match = _TARGET.fullmatch(unicodedata.normalize("NFKC", text).replace("1⁄2", "½"))
    number = match[1].replace(",", ".").replace("½", ".5") if match else ""
    target = float(number) if _NUMBER.fullmatch(number) else math.nan
    return target if 0 <= target <= 9 and (2 * target).is_integer() else math.nan


def _target(text: str, notes: list[str]) -> float:
    """The target of a line, NaN without one; with a note where the text is no band."""
    if not text:
        return math.nan
    target = _band(text) if len(text) <= _LONGEST else math.nan
    if math.isnan(target) and text.casefold() not in _NO_TARGET:
        notes.append(f"target_band {_quoted(text)} is no band and was left empty: whole or half, from 0 to 9")
    return target


def _test_at(text: str, notes: list[str]) -> datetime | None:
    """The end of the day of a test, in UTC; None with a note where the text is no date or may be two."""
    if not text or text.casefold() in _NO_TARGET:
        return None
    days = _days(text) if len(text) <= _LONGEST_QUOTE else frozenset()
    if len(days) == 1:
        return datetime.combine(next(iter(days)), time(23, 59, 59), UTC)
    reason = "may be two dates" if days else "is no date"
    notes.append(f"test_date {_quoted(text)} {reason} and was left empty: write it as 2027-03-14")
    return None


@lru_cache(maxsize=256)
def _days(text: str) -> frozenset[date]:
    """The days that a text may mean.

    >>> sorted(_days("3/4/2027")), _days("14 March 2027") == _days("14/3/2027") == _days("2027-03-14")
    ([datetime.date(2027, 3, 4), datetime.date(2027, 4, 3)], True)
    """
    text = unicodedata.normalize("NFKC", text).translate(_AS_HYPHEN)
    if len(text) > _LONGEST_QUOTE:  # some letters become eighteen
        return frozenset()
    text = _AROUND_SIGNS.sub(r"\1", _WEEKDAY.sub("", text))
    text = _VIETNAMESE_DATE.sub(r"\1.\2.\3", _EAST_ASIAN_DATE.sub(r"\1-\2-\3", text))
    if match := _YEAR_FIRST.fullmatch(text):
        if not match[2] and len(match[3] + match[4]) < 4:
            return frozenset()
        numbers = [(match[1], match[3], match[4])]
    elif match := _YEAR_LAST.fullmatch(text):
        numbers = [(match[4], match[3], match[1])]
        if match[2] != ".":  # with points the day always comes first
            numbers.append((match[4], match[1], match[3]))
    elif match := _DAY_MONTH.fullmatch(text):
        numbers = [(match[3], _month(match[2]), match[1])]
    elif match := _MONTH_DAY.fullmatch(text):
        numbers = [(match[3], _month(match[1]), match[2])]
    elif match := _YEAR_MONTH.fullmatch(text):
        numbers = [(match[1], _month(match[2]), match[3])]
    else:
        return frozenset()
    days = set()
    for year, month, day in numbers:
        try:
            days.add(date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)))
        except ValueError:
            continue
    return frozenset(day for day in days if 2000 <= day.year < 2100)


@lru_cache(maxsize=256)
def _month(name: str) -> str:
    """The number of a month by its name in one of several languages, or the beginning of that; 0 of what is none."""
    start = name.lower().replace("ı", "i").replace("i̇", "i")
    if start[:1] >= "а":
        start = start[:3]  # in Russian dates the name has another ending: марта, мая
    else:
        start = "".join(c for c in unicodedata.normalize("NFD", start) if not unicodedata.combining(c))
    start = "sep" if start == "sept" else start
    months = [n for n, names in enumerate(_MONTHS, 1) if any(month.startswith(start) for month in names.split())]
    return str(months[0] if len(months) == 1 else 0)


def _quoted(text: str) -> str:
    return f"“{text}”" if len(text) <= _LONGEST_QUOTE else f"“{text[:_LONGEST_QUOTE]}…”"
