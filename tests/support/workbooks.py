"""Excel workbooks of class lists: small ones, parts of which are changed, and hostile ones."""

import io
import re
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
SHARED = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
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
    "merged beyond the last column": (
        SHEET,
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row><c t="str"><v>u</v></c></row>' * 2_000
            + b'</sheetData><mergeCells><mergeCell ref="ZZZ2:ZZZ1000000"/></mergeCells>',
        ),
    ),
    "merged in the last column": (
        SHEET,
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row><c t="str"><v>u</v></c></row>' * 2_000
            + b'</sheetData><mergeCells><mergeCell ref="XFD2:XFD1000000"/></mergeCells>',
        ),
    ),
    "a cell beyond the last column": (SHEET, lambda xml: xml.replace(b'"B2"', b'"ZZZ2"')),
    "a number format of brackets": ("xl/styles.xml", lambda xml: _with_format(xml, b"[" * 100_000)),
    "a number format of zeros": ("xl/styles.xml", lambda xml: _with_format(xml, b"0" * 250_000)),
    "a worksheet many times": (
        "xl/workbook.xml",
        lambda xml: re.sub(rb"<sheet .*?/>", lambda sheet: sheet[0] * 80, xml),
    ),
    "cut": (SHEET, lambda xml: xml[: len(xml) // 2]),
    "no workbook": ("xl/workbook.xml", lambda xml: xml[:0]),
}


def _with_format(xml: bytes, code: bytes) -> bytes:
    """Styles of which all cells have one number format."""
    own = b'<numFmts count="1"><numFmt numFmtId="200" formatCode="%s"/></numFmts>' % code
    return re.sub(rb"<numFmts.*?/>", lambda _: own, xml).replace(b'numFmtId="0"', b'numFmtId="200"')


def _with_shared_text(letters: int, runs: int, cells: int) -> bytes:
    """A workbook of so many rows, all of which refer to one text of so many runs with so many letters each."""
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % SHARED
    rows = b'<row><c t="str"><v>u</v></c><c t="s"><v>0</v></c></row>' * cells + b"</sheetData>"
    content = changed(SMALL, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override))
    file = io.BytesIO(changed(content, SHEET, lambda xml: xml.replace(b"</sheetData>", rows)))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        text = (b"<r><t>" + b"x" * letters + b"</t></r>") * runs
        of_workbooks = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", b'<sst xmlns="%s"><si>%s</si></sst>' % (of_workbooks, text))
    return file.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    **{name: partial(changed, SMALL, *change) for name, change in _CHANGES.items()},
    "a text that is too long for a cell": partial(_with_shared_text, 290_000, 10, 1_000),
    "the longest text in many cells": partial(_with_shared_text, 32_767, 1, 4_000),
}
"""Workbooks that are refused, each made when it is asked for: unpacked, some have 60 MB."""
