"""Text that others wrote (students, models, file names), shown literally: the only place that makes HTML.

Whatever is not `Markup` already is escaped, wrapped so that one endless word cannot widen the page, and isolated so
that right-to-left text stays in its box. Streamlit's Markdown is never given such text: it would fetch images and make
links.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Literal

import streamlit as st
from markupsafe import Markup

from wording.foreign_text import visible
from wording.formats import MINUS

_LONG = 5_000  # characters from which text gets a scroll box of its own
_BOX = "white-space:pre-wrap;overflow-wrap:anywhere;max-width:75ch;line-height:1.6;"
_LINK = "light-dark(#0b5394,#8fc1f0)"  # linkColor of .streamlit/config.toml
_ON_PRIMARY = "light-dark(#ffffff,#11161c)"  # Streamlit writes white on its primaryColor, also on a bright one
_UP, _DOWN = "light-dark(#1a7f37,#3fb950)", "light-dark(#b42318,#ff7b72)"
_SCROLL = "max-height:60vh;overflow-y:auto;"

OUT_OF_FLOW = "_out_of_flow"
"""How the key of a container ends that takes no room among the others."""
PRINTS = """
const page = [...document.querySelectorAll("[data-bandup-print]")].pop();
const frame = document.createElement("iframe");
frame.title = "Print";
frame.style.cssText = "position:fixed;width:0;height:0;border:0";
frame.addEventListener("load", () => {
  frame.contentWindow.addEventListener("afterprint", () => frame.remove());
  frame.contentWindow.print();
}, { once: true });
const bytes = Uint8Array.from(atob(page.dataset.bandupPrint), (letter) => letter.charCodeAt(0));
page.remove();
frame.srcdoc = new TextDecoder().decode(bytes);
document.body.append(frame);
"""
"""The one script of ours. It is always the same, so that the server can allow it by its hash and no other."""
_PRINTS = Markup("<script>{}</script>").format(Markup(PRINTS))  # noqa: S704 - a literal


def inline(text: str) -> Markup:
    """Text inside a line; one that is longer than any line in a box of its own. Markup stays as it is."""
    if isinstance(text, Markup):
        return text
    if len(text) > _LONG:
        return paragraph(text)
    return Markup('<bdi style="overflow-wrap:anywhere">{}</bdi>').format(visible(text))


def paragraph(text: str) -> Markup:
    """Text as it was written, line breaks kept, at reading width."""
    long = len(text) > _LONG
    return Markup('<div dir="auto"{} style="{}margin:0 0 .6em">{}</div>').format(
        Markup(' tabindex="0" role="region" aria-label="Long text"') if long else "",
        f"{_BOX}{_SCROLL if long else ''}",
        visible(text),
    )


def anchor(address: str, text: str) -> Markup:
    """A link to a page of the dashboard: history.js opens it without a new visit. `address` is one of ours."""
    return Markup('<a href="{}" data-bandup-link style="color:{}">{}</a>').format(address, _LINK, inline(text))


def breadcrumb(steps: Sequence[str]) -> Markup:
    """The way from the first page to this one; the last step is this page where it is no link."""
    items = []
    for n, step in enumerate(steps):
        here = Markup(' aria-current="page"') if n == len(steps) - 1 and not isinstance(step, Markup) else ""
        slash = Markup('<span aria-hidden="true" style="opacity:.7;margin:0 .5em">/</span>') if n else ""
        items.append(Markup("<li{}>{}{}</li>").format(here, slash, inline(step)))
    return Markup(
        '<nav aria-label="Breadcrumb" style="font-size:.875rem"><ol style="display:flex;flex-wrap:wrap;'
        'list-style:none;margin:0;padding:0">{}</ol></nav>'
    ).format(joined(items))


def joined(parts: Iterable[str]) -> Markup:
    """Parts one after the other."""
    return Markup("").join(map(inline, parts))


def bullets(parts: Iterable[str]) -> Markup:
    """A list."""
    return Markup('<ul style="margin:0 0 .8em;padding-left:1.3em;max-width:75ch">{}</ul>').format(
        joined(Markup('<li style="margin:.2em 0">{}</li>').format(inline(part)) for part in parts)
    )


def heading(text: str, level: int = 4) -> Markup:
    """A heading: 1 of the page, 3 to 6 inside a text."""
    return Markup(
        '<h{0} style="margin:.6em 0 .3em;padding:0;font-size:{1:.2f}rem;overflow-wrap:anywhere">{2}</h{0}>'
    ).format(level, 1.8 if level == 1 else max(1.0, 1.2 - 0.1 * (level - 3)), inline(text))


def code(text: str) -> Markup:
    """An id or other text in monospace, never cut."""
    return Markup('<code style="overflow-wrap:anywhere;white-space:pre-wrap">{}</code>').format(inline(text))


def to_copy(text: str, what: str) -> Markup:
    """An id in monospace and a button that copies it as it is, for ui/server/copy.js; `what` is said to who listens.

    Not `st.code`: for that alone a page loads 1.6 MB of scripts that colour programs.
    """
    return Markup('<span style="display:inline-flex;gap:.5em;align-items:center;max-width:100%">{}{}</span>').format(
        code(text), _copies(what, text)
    )


def block_to_copy(text: str, what: str) -> Markup:
    """Text of many lines in monospace, in a scroll box where it is long, and a button that copies it."""
    return Markup(
        '<div><pre dir="ltr" tabindex="0" role="region" aria-label="{}" style="margin:0;padding:.8em;'
        'border-radius:.5rem;background:rgba(128,128,128,.12);white-space:pre-wrap;overflow-wrap:anywhere;{}">{}</pre>{}</div>'
    ).format(what, _SCROLL, text, _copies(what, ""))


def _copies(what: str, text: str) -> Markup:
    """A button that copies `text`, or where that is empty what stands before it."""
    return Markup(
        '<button type="button" data-bandup-copy="{}" aria-label="Copy {}" style="font:inherit;font-size:.85rem;'
        "color:inherit;background:none;border:1px solid rgba(128,128,128,.5);border-radius:.4rem;padding:.1em .6em;"
        'min-height:24px;cursor:pointer">Copy</button>'
    ).format(text, what)


def bold(text: str) -> Markup:
    """Text that stands out."""
    return Markup("<b>{}</b>").format(inline(text))


def entries(items: Iterable[Sequence[str]]) -> Markup:
    """A list of entries with a line between them, each of a title and the lines below it.

    A long one is sent at each click: the page's own style says how it looks, once.
    """
    return Markup('<ul class="bandup-entries">{}</ul>').format(
        joined(
            Markup("<li>{}{}</li>").format(bold(title), joined(map(_line_of_entry, lines))) for title, *lines in items
        )
    )


def _line_of_entry(text: str) -> Markup:
    if isinstance(text, Markup) or len(text) > _LONG:
        return Markup("<div>{}</div>").format(inline(text))
    return Markup("<div><bdi>{}</bdi></div>").format(visible(text))


def matches(query: str, number: int, *parts: str) -> Markup:
    """What matches a search, for ui/server/search.js: which search it is of, and how many match."""
    return Markup('<div data-bandup-sought="{}" data-bandup-matches="{}" role="status">{}</div>').format(
        query, number, joined(parts)
    )


def indented(part: str) -> Markup:
    """A part set in from the left."""
    return Markup('<div style="margin-left:1em">{}</div>').format(inline(part))


def line(*parts: str) -> Markup:
    """Parts in one line that wraps."""
    return Markup('<div style="overflow-wrap:anywhere">{}</div>').format(joined(parts))


def next_step(*parts: str) -> Markup:
    """What to do next, after a word that stands out."""
    return line(bold("Next step:"), " ", *parts)


def cut_line(*parts: str) -> Markup:
    """Parts in one line, of which is left out what does not fit; two on a phone."""
    return Markup('<div class="cut-line">{}</div>').format(joined(parts))


def unbroken(*parts: str) -> Markup:
    """Parts in one line that never wraps."""
    return Markup('<span style="white-space:nowrap">{}</span>').format(joined(parts))


def quiet(part: str) -> Markup:
    """A part in smaller type."""
    return Markup('<div style="font-size:.875rem;opacity:.85;overflow-wrap:anywhere">{}</div>').format(inline(part))


def chip(text: str) -> Markup:
    """A short label in a frame."""
    return Markup(
        '<span style="border:1px solid currentColor;border-radius:1em;padding:.1em .7em;font-size:.875rem;'
        'display:inline-block;overflow-wrap:anywhere">{}</span>'
    ).format(inline(text))


def chips(texts: Iterable[str]) -> Markup:
    """Short labels side by side, in as many lines as they take."""
    return Markup('<div style="display:flex;flex-wrap:wrap;gap:.3em">{}</div>').format(joined(map(chip, texts)))


def banner(colour: str, headline: str, *parts: str) -> Markup:
    """What matters most on a page, first: a headline with its colour, and the parts below it."""
    return Markup(
        '<div role="status" style="border:1px solid rgba(128,128,128,.7);border-left:.4em solid {};'
        'border-radius:.4em;padding:.7em 1em;margin:0 0 .6em;overflow-wrap:anywhere">{}{}</div>'
    ).format(colour, joined([dot(colour), bold(headline)]), joined(parts))


def chain(caption: str, nodes: Sequence[tuple[str, str, str, str]], alternative: str) -> Markup:
    """A picture of things that lead to one another: of each its colour, mark, name and what it is called.

    `alternative` says the same to those who listen. What has no mark is drawn with a broken line.
    """
    parts: list[Markup] = []
    for colour, mark, name, called in nodes:
        if parts:
            parts.append(Markup('<span style="align-self:center;color:{};font-weight:700">→</span>').format(colour))
        box = Markup(
            '<div style="border:2px {} {};border-radius:.4em;padding:.3em .6em;overflow-wrap:anywhere">{}{}</div>'
        )
        head = line(Markup('<span style="color:{};font-weight:700">{}</span> ').format(colour, mark or "?"), bold(name))
        parts.append(box.format("solid" if mark else "dashed", colour, head, quiet(called)))
    return Markup(
        '<figure style="margin:0 0 .9em"><figcaption style="margin:0 0 .2em">{}</figcaption>'
        '<div class="bandup-chain" role="img" aria-label="{}">{}</div></figure>'
    ).format(bold(caption), visible(alternative), joined(parts))


def card(text: str, caption: str = "", asked: str = "") -> Markup:
    """One side of a flashcard: large, in a frame; above an answer, what was `asked`."""
    above = [
        Markup('<div style="font-size:.875rem;opacity:.85">{}</div>').format(inline(caption)) if caption else "",
        Markup('<div style="border-bottom:1px solid rgba(128,128,128,.35);padding-bottom:.6em">{}</div>').format(
            _face(asked, "1rem", "25vh")
        )
        if asked
        else "",
    ]
    return Markup(
        '<div aria-live="polite" style="border:1px solid rgba(128,128,128,.7);border-radius:.6em;min-height:11rem;'
        'padding:1.2em;display:flex;flex-direction:column;justify-content:center;gap:.8em">{}{}</div>'
    ).format(joined(filter(None, above)), _face(text, "1.35rem", "50vh"))


def _face(text: str, size: str, height: str) -> Markup:
    """What stands on a card, in a box that scrolls where it is long."""
    # What may scroll must be reached by the keyboard.
    scrolls = len(text) > 300 or text.count("\n") > 5
    return Markup(
        '<div dir="auto"{} style="font-size:{};white-space:pre-wrap;overflow-wrap:anywhere;'
        'max-height:{};overflow-y:auto">{}</div>'
    ).format(Markup(' tabindex="0"') if scrolls else "", size, height, visible(text))


def figure(value: str, colour: str, *lines: str, dim: bool = False) -> Markup:
    """A number that matters, large, beside a bar in its colour, with lines below it; a `dim` one is not of today."""
    return Markup(
        '<div style="border-left:.3em solid {};padding-left:.8em;opacity:{}">'
        '<div style="font-size:1.9rem;line-height:1.3">{}</div>{}</div>'
    ).format(colour, 0.75 if dim else 1, inline(value), joined(lines))


def signed(change: str) -> Markup:
    """A change in bands, coloured by its sign."""
    colour = _UP if change.startswith("+") else _DOWN if change.startswith(MINUS) else "inherit"
    return Markup('<span style="color:{}">{}</span>').format(colour, inline(change))


def scores(named: Sequence[tuple[str, str, str]]) -> Markup:
    """Names, bands and what is to be said below each; the first one large."""
    items = (
        Markup(
            '<div style="max-width:100%"><dt style="margin:0;font-size:.875rem;opacity:.85">{}</dt>'
            '<dd style="margin:0"><span style="font-size:{};line-height:1.3">{}</span> {}</dd></div>'
        ).format(inline(name), "2.8rem" if n == 0 else "1.5rem", inline(value), inline(below))
        for n, (name, value, below) in enumerate(named)
    )
    return Markup(
        '<dl style="display:flex;flex-wrap:wrap;align-items:flex-end;gap:.6rem 2.2rem;margin:0;padding:0">{}</dl>'
    ).format(joined(items))


def ways(parts: Sequence[str]) -> Markup:
    """Links and short texts in one line, apart from each other."""
    return Markup('<div style="display:flex;flex-wrap:wrap;gap:.3rem 1.5rem">{}</div>').format(
        joined(Markup("<span>{}</span>").format(inline(part)) for part in parts)
    )


def pairs(named: Iterable[tuple[str, str]]) -> Markup:
    """Names and values as a description list that wraps."""
    items = (
        Markup(
            '<div style="min-width:9rem;max-width:100%">'
            '<dt style="margin:0;font-size:.875rem;opacity:.85">{}</dt>'
            '<dd style="margin:0;overflow-wrap:anywhere">{}</dd></div>'
        ).format(inline(name), inline(value))
        for name, value in named
    )
    return Markup('<dl style="display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0 0 .5rem;padding:0">{}</dl>').format(
        joined(items)
    )


def dot(colour: str) -> Markup:
    """A coloured dot, for those who see it; always followed by a word."""
    return Markup(
        '<span aria-hidden="true" style="display:inline-block;width:.7em;height:.7em;border-radius:50%;'
        'background:{};margin-right:.4em"></span>'
    ).format(colour)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, narrow: bool = False) -> Markup:
    """A small table of parts, which scrolls by itself where it is too wide. `caption` is for those who listen.

    On a phone the parts of a row stand below one another, each after its column's name; a `narrow` one has short
    parts, and fits a phone with four columns.
    """
    cell = Markup(
        'style="text-align:left;vertical-align:top;padding:.35em .9em .35em 0;'
        'min-width:{}rem;border:0;overflow-wrap:break-word"'
    ).format(4.4 if narrow else 6)
    head = (Markup('<th scope="col" {}>{}</th>').format(cell, inline(name)) for name in header)
    named = [f"{name}:" if name else "" for name in header]
    body = (
        Markup('<tr role="row" style="border-top:1px solid rgba(128,128,128,.35)">{}</tr>').format(
            joined(
                Markup('<td role="cell" data-bandup-head="{}" {}>{}</td>').format(before, cell, inline(part))
                for before, part in zip(named, row, strict=True)
            )
        )
        for row in rows
    )
    return Markup(
        '<div tabindex="0" role="region" aria-label="{}" style="overflow-x:auto;font-size:.95rem">'
        '<table role="table" class="{}" style="border-collapse:collapse;width:100%;margin:0 0 .8em;border:0">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(caption, "" if narrow else "bandup-rows", joined(head), joined(body))


def wide_page() -> None:
    """Leave the content most of a wide window, where Streamlit keeps five rem free on either side; show what is for a
    desk or for a phone, by the keys of their containers, only there; and let primary buttons be read."""
    st.html(
        "<style>.stMainBlockContainer{padding-inline:clamp(1rem,3vw,3rem)}"
        "@media(min-width:641px){.st-key-phone{display:none}}@media(max-width:640px){.st-key-desk{display:none}}"
        # Streamlit tells the page of its theme's scheme, but not dialogs.
        f'[data-testid=stLayoutWrapper]:has(>[class*="{OUT_OF_FLOW}"]){{position:absolute}}'
        f":root{{color-scheme:{st.context.theme.type or 'light'}}}"
        f"[data-testid=stBaseButton-primary]{{color:{_ON_PRIMARY}}}[data-testid=stBaseButton-primary] kbd{{opacity:1}}"
        ".cut-line{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:1;overflow:hidden;"
        "overflow-wrap:anywhere;padding-block:1px}@media(max-width:640px){.cut-line{-webkit-line-clamp:2}}"
        # Twice the class, because Streamlit has its own style for lists.
        ".bandup-entries.bandup-entries{list-style:none;margin:0;padding:0;overflow-wrap:anywhere}"
        ".bandup-entries.bandup-entries>li{margin:0;padding:.6em 0;border-top:1px solid rgba(128,128,128,.35)}"
        ".bandup-entries>li>div{font-size:.875rem;opacity:.85}"
        # The boxes of a `chain` stand side by side, but on a phone below one another.
        ".bandup-chain{display:flex;align-items:stretch;gap:.4rem;max-width:75rem}"
        ".bandup-chain>div{flex:1 1 0;min-width:0}"
        "@media(max-width:640px){.bandup-chain{flex-direction:column;gap:.1rem}"
        ".bandup-chain>span{transform:rotate(90deg)}}"
        # So do the parts of a row of a `table`, which stays one for those who listen.
        "@media(max-width:640px){.bandup-rows thead{display:none}.bandup-rows tr{display:block;padding-block:.5em}"
        ".bandup-rows td{display:block;padding:.1em 0!important}"
        ".bandup-rows td:not([data-bandup-head=''])::before{content:attr(data-bandup-head);opacity:.75;"
        "margin-right:.35em}}"
        # Two boxes that are too narrow for what is chosen in them stand below each other.
        "@media(max-width:640px){.st-key-compare_a,.st-key-compare_b{min-width:100%}}</style>"
    )


def print_page(page: bytes) -> None:
    """Open the browser's print dialog with an HTML page."""
    holder = Markup('<div hidden data-bandup-print="{}"></div>').format(b64encode(page).decode())
    st.html(str(holder + _PRINTS), unsafe_allow_javascript=True)


def show(*parts: str) -> None:
    """Put parts on the page."""
    _show(parts, "stretch")


def show_beside(part: str) -> None:
    """A short part as wide as it is, for a row of several."""
    _show([part], "content")


def _show(parts: Iterable[str], width: Literal["stretch", "content"]) -> None:
    # They stay in their column: a letter under a heap of accents cannot be broken, and may be wider than it.
    held = Markup('<div style="overflow-x:clip;overflow-clip-margin:6px">{}</div>').format(joined(parts))
    st.html(str(held), width=width)
