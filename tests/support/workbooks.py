"""Excel workbooks of class lists: small ones, parts of which are changed, and hostile ones."""

import io
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import openpyxl


def workbook(**sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook of which one part is another."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            xml = old.read(entry)
            new.writestr(entry.filename, change(xml) if entry.filename == part else xml)
    return file.getvalue()


SMALL = workbook(List=[["user_id", "name"], ["u1", "Ann"]])
SHEET = "xl/worksheets/sheet1.xml"
_COLUMN_NAMES = [bytes((a, b, c)) for a in range(65, 87) for b in range(65, 91) for c in range(65, 91)]
_CHANGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a bomb": (SHEET, lambda xml: xml + b" " * 60_000_000),
    "many cells": (SHEET, lambda xml: xml.replace(b"</sheetData>", b"<row/>" * 260_000 + b"</sheetData>")),
    "wide rows": (SHEET, lambda xml: xml.replace(b"</sheetData>", b'<row><c r="XFD9"><v>1</v></c></row>' * 200)),
    "many styles": ("xl/styles.xml", lambda xml: xml.replace(b"</cellXfs>", b"<xf/>" * 60_000 + b"</cellXfs>")),
    "many sheets": ("xl/workbook.xml", lambda xml: xml.replace(b"</sheets>", b"<sheet/>" * 3_000 + b"</sheets>")),
    "entities": (SHEET, lambda xml: b'<!DOCTYPE a [<!ENTITY b "cc">]>' + xml),
    "many merged cells": (
        SHEET,
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row><c r="A3"><v>1</v></c></row>' * 60_000
            + b"</sheetData><mergeCells>"
            + b"".join(b'<mergeCell ref="%s2:%s999999"/>' % (name, name) for name in _COLUMN_NAMES)
            + b"</mergeCells>",
        ),
    ),
    "deep": (SHEET, lambda xml: xml[:0] + b"<a>" * 100_000),
    "many attributes": (
        SHEET,
        lambda xml: xml.replace(b"<sheetData", b"<sheetData " + b"".join(b'a%d="" ' % n for n in range(600_000))),
    ),
    "a long comment": (SHEET, lambda xml: xml.replace(b"<sheetData", b"<!--" + b" " * 9_000_000 + b"--><sheetData")),
    "a long instruction": (SHEET, lambda xml: xml.replace(b"<sheetData", b"<?a " + b"b" * 9_000_000 + b"?><sheetData")),
    "cut": (SHEET, lambda xml: xml[: len(xml) // 2]),
    "no workbook": ("xl/workbook.xml", lambda xml: xml[:0]),
}
HOSTILE: dict[str, Callable[[], bytes]] = {name: partial(changed, SMALL, *change) for name, change in _CHANGES.items()}
"""Workbooks that are refused, each made when it is asked for: unpacked, some have 60 MB."""
