"""Search by name or ID: accents, case, order and form of the letters make no difference, and the best comes first."""

import unicodedata

import pytest

from analysis import names
from data.roster import Student

STUDENTS = [
    Student("user-101", "Nguyễn Thị Mai"),
    Student("user-102", "Đỗ Văn An"),
    Student("user-103", "Łukasz Søndergård"),
    Student("user-104", "Nora O’Neil-Strauß"),
    Student("user-105", unicodedata.normalize("NFD", "Trần Ánh Nguyệt")),
    Student("user-106", "Anna Maier"),
    Student("Kim"),
    Student("user-1060", ""),
    Student("user-107", "İpek Yıldız"),
    Student("user-108", "Иванов Пётр"),
    Student("user-109", "Maria Mueller"),
    Student("user-110", "Åsa Berg"),
    Student("user-111", "فاطمة علی"),
]


def ids_of(query: str) -> list[str]:
    return [student.user_id for student in names.search(STUDENTS, query)]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Nguyễn Thị Mai (user-101)", ["user-101"]),
        ("nguye", ["user-101", "user-105"]),
        ("NGUYỄN", ["user-101"]),
        (unicodedata.normalize("NFD", "nguyễn thị mai"), ["user-101"]),
        ("mai nguyen", ["user-101"]),
        ("Mai, Nguyễn", ["user-101"]),
        ("nguyenthimai", ["user-101"]),
        ("do van", ["user-102"]),
        ("van  do", ["user-102"]),
        ("lukasz", ["user-103"]),
        ("sondergard", ["user-103"]),
        ("strauss", ["user-104"]),
        ("STRAUSS", ["user-104"]),
        ("oneil", ["user-104"]),
        ("o'neil", ["user-104"]),
        ("neil strauß", ["user-104"]),
        ("anh", ["user-105"]),
        ("ipek yildiz", ["user-107"]),
        ("петр иванов", ["user-108"]),
        ("USER-101", ["user-101"]),
        ("user-106", ["user-106", "user-1060"]),
        ("kim", ["Kim"]),
        ("“user-101”", ["user-101"]),
        ("ｕｓｅｒ‑101\u200b", ["user-101"]),
        ("Maria Mueller", ["user-109"]),
        ("müller", ["user-109"]),
        ("aasa", ["user-110"]),
        ("فاطمه علي", ["user-111"]),
        ("zzz", []),
        ("", []),
        ("  ", []),
        ("'", []),
    ],
)
def test_who_is_found(query: str, ids: list[str]) -> None:
    assert ids_of(query) == ids


def test_whole_words_come_before_beginnings_and_parts() -> None:
    people = [
        Student("d", "Hoàng Tuấn"),
        Student("c", "Anna Lee"),
        Student("b", "Lê An"),
        Student("a", "An"),
        Student("an"),
    ]
    assert [student.user_id for student in names.search(people, "an")] == ["an", "a", "b", "c", "d"]


def test_a_very_long_query_is_no_burden() -> None:
    assert names.search(STUDENTS, "a\u0323\u0301" * 100_000) == []


def test_names_of_very_many_words_are_compared_by_whole_words() -> None:
    """By beginnings, each word is compared with each part: ten thousand pairs a name, at each letter that is typed."""
    student = Student("many", " ".join(["an", "bo"] * 30))
    assert names.search([student], " ".join(["bo"] * 30)) == [student]
    assert names.search([student], " ".join(["bx"] * 31)) == []
    assert names.search([student], "b b b") == [student]


def test_a_part_of_an_id_is_no_match_where_it_may_be_the_id_of_somebody_else() -> None:
    assert [s.user_id for s in names.search(STUDENTS, "user-10", partial_ids=False)] == []
    assert [s.user_id for s in names.search(STUDENTS, "USER-106", partial_ids=False)] == ["user-106"]


def test_a_search_takes_each_of_fifty_thousand_names_apart_once() -> None:
    students = [Student(f"u{number}", f"{number} \ufdfa") for number in range(50_000)]
    names.plain.cache_clear()
    for letters in ("zq)", "zw)", "zx"):
        assert names.search(students, letters) == []
    assert names.plain.cache_info().misses <= 50_000 + 3
    assert len(names.plain("\ufdfa" * 200)) <= 600
