"""The report as a page to read on a phone or to print."""

import io
import re
from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from exports.report import charts, words
from exports.report.charts import BANDS, COLUMN, INK, PRACTICE, PROFILE, QUIET, RULE, Box
from exports.report.fonts import INCH
from exports.report.words import Report, Side
from wording import formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render(report: Report) -> bytes:
    """One HTML file that prints on one A4 page: no scripts, nothing from elsewhere."""
    student, practice = words.on_one_line(report.student), words.practice(report)
    name = student.label
    with charts.settings():
        columns = "".join(map(_column, words.sides(report)))
        chart = ""
        if practice.counts:
            chart = _svg(partial(charts.practice, counts=practice.counts), PRACTICE, practice.alt, "practice")
    facts = " · ".join(f"<bdi>{escape(fact)}</bdi>" for fact in words.facts(student))
    head = "".join(f"<bdi>{escape(text)}</bdi>" for text in words.head(report))
    warning = "" if report.complete else f"<p class=warning>{words.INCOMPLETE}</p>"
    explained = "".join(f"<p><b>{escape(head)}</b> {escape(text)}</p>" for head, text in words.EXPLAINED)
    steps = "".join(f"<li>{escape(step)}</li>" for step in words.next_steps(report))
    footer = "".join(f"<p>{escape(line)}</p>" for line in words.footer(report))
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{words.FILE_TITLE}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_CSS}</style></head><body><main>"
        f"<p class=head>{head}</p>"
        f'<header><p class=kicker>{words.TITLE}</p><h1 dir="auto"{" class=long" if len(name) > 40 else ""}>'
        f"{escape(name)}</h1><p class=facts>{facts}</p>{warning}</header>"
        f'<div class="columns skills">{columns}</div>'
        f"<div class=columns><figure><figcaption>{escape(practice.title)}</figcaption>{chart}</figure>"
        f"<section class=explained>{explained}</section></div>"
        f"<div class=columns><section><h2>{words.NEXT_STEPS}</h2><ul>{steps}</ul></section>"
        f'<section><h2>{words.COMMENT}</h2><div class=comment dir="auto">{escape(words.comment(report))}</div>'
        "</section></div>"
        f"<footer>{footer}</footer></main></body></html>\n"
    )
    return page.encode("utf-8", "replace")


def _column(side: Side) -> str:
    bands = profile = ""
    if side.chart:
        bands = _svg(partial(charts.bands, chart=side.chart), BANDS, side.alt, f"{side.skill}-bands")
    if side.has_criteria:
        draw = partial(charts.profile, skill=side.skill, criteria=side.criteria)
        levels = ", ".join(f"{criterion} {formats.level(level)}" for criterion, level in side.criteria)
        alt = f"Chart of the level of each criterion: {levels}."
        profile = _svg(draw, PROFILE, alt, f"{side.skill}-profile")
    forecast = f"<p>{escape(side.forecast)}</p>" if side.forecast else ""
    return (
        f'<section><h2 style="color:{SKILL_COLOURS[side.skill]}">{SKILL_NAMES[side.skill]}</h2>'
        f"<div><p class=level><b>{escape(side.level)}</b> <span>{escape(side.basis)}</span></p>"
        f"<p>{escape(side.trend)}</p>{forecast}</div>"
        f"<figure><figcaption>{escape(side.title)}</figcaption>{bands}</figure>"
        f"<figure><figcaption>{escape(side.profile_title)}</figcaption>{profile}</figure></section>"
    )


def _svg(draw: Callable[["Figure", Box], None], height: float, alt: str, name: str) -> str:
    """A chart as SVG inside HTML. Its letters are shapes, so that it looks the same everywhere; `alt` says it in words.

    `name` tells it from the other charts of the page.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(COLUMN / INCH, height / INCH))
    draw(figure, Box(0, 0, COLUMN, height))
    buffer = io.StringIO()
    nothing: dict[str, None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # An id may be on a page only once.
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    head = (
        f'<svg class="chart" role="img" aria-label="{escape(alt)}" '
        f'viewBox="0 0 {COLUMN * 72 / INCH:.3f} {height * 72 / INCH:.3f}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return head + text[text.index(">") + 1 :]


_CSS = f"""
@page {{ size: A4; margin: 12mm 15mm; }}
* {{ box-sizing: border-box; }}
:root {{ color-scheme: light; }}
body {{ margin: 0; background: #fff; color: {INK}; font: 15px/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "Liberation Sans", Arial, sans-serif; -webkit-text-size-adjust: 100%; print-color-adjust: exact; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1rem; }}
p, h1, h2, ul, figure {{ margin: 0; }}
h1, h2, p, li, .comment, figcaption {{ overflow-wrap: anywhere; }}
h1 {{ font-size: 1.8em; line-height: 1.2; overflow: hidden; text-align: left; }}
h1.long {{ font-size: 1.1em; }}
h2 {{ font-size: 1.3em; }}
header {{ border-bottom: 1px solid {RULE}; padding-bottom: .6em; margin-bottom: .8em; }}
.head {{ display: flex; flex-wrap: wrap; gap: 0 2em; margin-bottom: .8em; }}
.head :last-child {{ margin-left: auto; }}
.facts {{ overflow: hidden; }}
ul {{ padding-left: 1.2em; }}
.comment {{ border: 1px solid {QUIET}; min-height: 6em; padding: .4em .6em; white-space: pre-line; margin-top: .3em; }}
.kicker, footer, .level span {{ color: {QUIET}; }}
.warning {{ font-weight: bold; }}
.columns {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 2rem; }}
.columns + .columns {{ margin-top: 1rem; }}
.skills section {{ display: grid; grid-row: span 4; grid-template-rows: subgrid; gap: 0; }}
.level {{ display: flex; align-items: center; gap: .6em; }}
.level b {{ font-size: 2.4em; line-height: 1.1; white-space: nowrap; }}
figure {{ margin-top: .8em; }}
figcaption {{ font-weight: bold; margin-bottom: .3em; }}
.chart {{ display: block; width: 100%; max-width: 30rem; height: auto; }}
.explained p {{ margin-bottom: .5em; }}
footer {{ border-top: 1px solid {RULE}; margin-top: 1rem; padding-top: .5em; font-size: .85em; }}
@media print {{
  body {{ font-size: 9.5pt; line-height: 1.3; }}
  h1 {{ display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }}
  main {{ max-width: none; padding: 0; }}
  .columns {{ grid-template-columns: 1fr 1fr; gap: 0 8mm; }}
  .columns + .columns {{ margin-top: 2mm; }}
  .chart {{ max-width: none; }}
  figure {{ margin-top: 2mm; }}
  .explained {{ font-size: 7.5pt; padding-top: 2mm; }}
  .explained p {{ margin-bottom: .3em; }}
  .comment {{ min-height: 24mm; font-size: 8.5pt; }}
  h2 {{ font-size: 1.2em; }}
  footer {{ margin-top: 1.5mm; padding-top: 1mm; font-size: 7pt; }}
}}
"""
