"""Text that others wrote (students, models, file names), shown literally: the only place that makes HTML.

Everything is escaped here, wrapped so that one endless word cannot widen the page, and isolated so that right-to-left
text stays in its box. Streamlit's Markdown is never given such text: it would fetch images and make links.
"""

import html
from collections.abc import Iterable, Sequence
from typing import NewType

import streamlit as st

from wording.foreign_text import visible

Html = NewType("Html", str)

_LONG = 5_000  # characters from which text gets a scroll box of its own
_BOX = "white-space:pre-wrap;overflow-wrap:anywhere;max-width:75ch;line-height:1.6;"
_SCROLL = "max-height:60vh;overflow-y:auto;"


def inline(text: str) -> Html:
    """Text inside a line; one that is longer than any line in a box of its own."""
    if len(text) > _LONG:
        return paragraph(text)
    return Html(f'<bdi style="overflow-wrap:anywhere">{html.escape(visible(text))}</bdi>')


def paragraph(text: str) -> Html:
    """Text as it was written, line breaks kept, at reading width."""
    long = len(text) > _LONG
    more = ' tabindex="0" role="region" aria-label="Long text"' if long else ""
    return Html(
        f'<div dir="auto"{more} style="{_BOX}{_SCROLL if long else ""}margin:0 0 .6em">'
        f"{html.escape(visible(text))}</div>"
    )


def bullets(parts: Iterable[Html]) -> Html:
    """A list."""
    items = "".join(f'<li style="margin:.2em 0">{part}</li>' for part in parts)
    return Html(f'<ul style="margin:0 0 .8em;padding-left:1.3em;max-width:75ch">{items}</ul>')


def heading(text: str, level: int = 4) -> Html:
    """A heading inside a text, level 3 to 6."""
    return Html(
        f'<h{level} style="margin:.6em 0 .3em;padding:0;font-size:{max(1.0, 1.2 - 0.1 * (level - 3)):.2f}rem;'
        f'overflow-wrap:anywhere">{inline(text)}</h{level}>'
    )


def code(text: str) -> Html:
    """An id or other text in monospace, never cut."""
    return Html(f'<code style="overflow-wrap:anywhere;white-space:pre-wrap">{inline(text)}</code>')


def indented(part: Html) -> Html:
    """A part set in from the left."""
    return Html(f'<div style="margin-left:1em">{part}</div>')


def line(*parts: Html | str) -> Html:
    """Parts in one line that wraps. Only `Html` goes in as it is; plain strings are escaped by `inline` beforehand."""
    return Html(f'<div style="overflow-wrap:anywhere">{"".join(parts)}</div>')


def quiet(part: Html) -> Html:
    """A part in smaller type."""
    return Html(f'<div style="font-size:.875rem;opacity:.85;overflow-wrap:anywhere">{part}</div>')


def chip(text: str) -> Html:
    """A short label in a frame."""
    return Html(
        '<span style="border:1px solid currentColor;border-radius:1em;padding:.1em .7em;font-size:.875rem;'
        f'display:inline-block;overflow-wrap:anywhere">{inline(text)}</span>'
    )


def card(text: str, caption: str) -> Html:
    """One side of a flashcard: large, in a frame."""
    # What may scroll must be reached by the keyboard.
    reached = ' tabindex="0"' if len(text) > 300 or text.count("\n") > 5 else ""
    return Html(
        f'<div aria-live="polite" style="border:1px solid rgba(128,128,128,.7);border-radius:.6em;min-height:11rem;'
        'padding:1.2em;display:flex;flex-direction:column;justify-content:center;gap:.8em">'
        f'<div style="font-size:.875rem;opacity:.85">{inline(caption)}</div>'
        f'<div dir="auto"{reached} style="font-size:1.35rem;white-space:pre-wrap;overflow-wrap:anywhere;'
        f'max-height:50vh;overflow-y:auto">{html.escape(visible(text))}</div></div>'
    )


def pairs(named: Iterable[tuple[str, str]]) -> Html:
    """Names and values as a description list that wraps."""
    items = "".join(
        f'<div style="min-width:9rem;max-width:100%">'
        f'<dt style="margin:0;font-size:.875rem;opacity:.85">{inline(name)}</dt>'
        f'<dd style="margin:0;overflow-wrap:anywhere">{inline(value)}</dd></div>'
        for name, value in named
    )
    return Html(f'<dl style="display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0 0 .5rem;padding:0">{items}</dl>')


def show(*parts: Html) -> None:
    """Put parts on the page."""
    st.html(_held("".join(parts)))


def show_beside(part: Html) -> None:
    """A short part as wide as it is, for a row of several."""
    st.html(_held(part), width="content")


def show_small(source: str) -> None:
    """A short text in a frame, as wide as it is."""
    st.html(_held(chip(source)), width="content")


def dot(colour: str) -> Html:
    """A coloured dot, for those who see it; always followed by a word."""
    return Html(
        f'<span aria-hidden="true" style="display:inline-block;width:.7em;height:.7em;border-radius:50%;'
        f'background:{html.escape(colour)};margin-right:.4em"></span>'
    )


def table(header: Sequence[str], rows: Iterable[Sequence[Html]], caption: str, *, narrow: bool = False) -> Html:
    """A small table of parts, which scrolls by itself where it is too wide. `caption` is for those who listen.

    A `narrow` one has short parts, and fits a phone with four columns.
    """
    cell = (
        'style="text-align:left;vertical-align:top;padding:.35em .9em .35em 0;'
        f'min-width:{3.5 if narrow else 6}rem;border:0;overflow-wrap:break-word"'
    )
    head = "".join(f'<th scope="col" {cell}>{inline(name)}</th>' for name in header)
    body = "".join(
        '<tr style="border-top:1px solid rgba(128,128,128,.35)">'
        + "".join(f"<td {cell}>{part}</td>" for part in row)
        + "</tr>"
        for row in rows
    )
    return Html(
        f'<div tabindex="0" role="region" aria-label="{html.escape(caption)}" style="overflow-x:auto;font-size:.95rem">'
        f'<table style="border-collapse:collapse;width:100%;margin:0 0 .8em;border:0">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _held(parts: str) -> str:
    """Parts that stay in their column: a letter under a heap of accents cannot be broken, and may be wider than it."""
    return f'<div style="overflow-x:clip;overflow-clip-margin:6px">{parts}</div>'
