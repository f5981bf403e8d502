"""How the work of a function grows with the length of what it is given. Time of this thread's CPU, which others do not
add to; compared with itself, the least of several, so that no limit depends on the machine."""

import re
import time
from collections.abc import Callable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

SIZES = (2_000, 8_000, 32_000)
_STEP = 4
_TOO_MUCH = _STEP * 2.4
"""Four times the length costs four times the work, sixteen times where each character is looked at for each other."""
_NOTICEABLE = 0.02  # seconds; what is less proves nothing


def is_linear(run: Callable[[str], object], unit: str, end: str = "", sizes: tuple[int, ...] = SIZES) -> bool:
    """Whether `run` of `unit` again and again, and then `end`, takes work in proportion to the length."""
    shorter, before = "", 0.0
    for size in sizes:
        text = unit * (size // len(unit)) + end
        now = _seconds(run, text)
        if now > _NOTICEABLE and before and now > _TOO_MUCH * before:
            now = min(now, *(_seconds(run, text) for _ in range(2)))
            before = min(before, *(_seconds(run, shorter) for _ in range(2)))
            if now > _NOTICEABLE and now > _TOO_MUCH * before:
                return False
        shorter, before = text, now
    return True


def _seconds(run: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    run(text)
    return time.thread_time() - began


def units(pattern: re.Pattern[str]) -> set[str]:
    """Texts that lead a pattern astray where anything can: the beginnings of what it matches, and what it repeats."""
    tree = parser.parse(pattern.pattern, pattern.flags)
    return {unit for unit in {*_beginnings(tree), *_repeated(tree)} if unit}


def _beginnings(tree: Any) -> Iterator[str]:
    text = ""
    for token in tree:
        text += _sample([token])
        yield text


def _repeated(tree: Any) -> Iterator[str]:
    """What stands in each repetition and in each group, at any depth."""
    for op, value in tree:
        for inner in _inside(op, value):
            yield from _beginnings(inner)
            yield from _repeated(inner)


def _inside(op: Any, value: Any) -> list[Any]:
    if op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [value[2]]
    if op is codes.SUBPATTERN:
        return [value[3]]
    if op is codes.BRANCH:
        return list(value[1])
    if op in (codes.ASSERT, codes.ASSERT_NOT):
        return [value[1]]
    return []


def _sample(tokens: Any) -> str:
    """Something that these tokens match, as far as that is easily told."""
    text = ""
    for op, value in tokens:
        if op is codes.LITERAL:
            text += chr(value)
        elif op is codes.IN:
            text += _member(value)
        elif op in (codes.ANY, codes.NOT_LITERAL):
            text += "a"
        elif op in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            text += _sample(value[2]) * max(1, min(value[0], 12))
        elif op is codes.SUBPATTERN:
            text += _sample(value[3])
        elif op is codes.BRANCH:
            text += _sample(value[1][0])
    return text


def _member(members: Any) -> str:
    negated = members[0][0] is codes.NEGATE
    for op, value in members:
        if negated:
            continue
        if op is codes.LITERAL:
            return chr(value)
        if op is codes.RANGE:
            return chr(value[0])
        if op is codes.CATEGORY:
            return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " "}.get(str(value), "a")
    return "a"


def repeats_groups_possessively(pattern: re.Pattern[str]) -> bool:
    """Whether anything longer than one character repeats possessively: before 3.11.5 Python loses its place there."""
    return _has_group(parser.parse(pattern.pattern, pattern.flags))


def _has_group(tree: Any) -> bool:
    single = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)
    for op, value in tree:
        if op is codes.POSSESSIVE_REPEAT and not (len(value[2]) == 1 and value[2][0][0] in single):
            return True
        if any(map(_has_group, _inside(op, value))):
            return True
    return False
