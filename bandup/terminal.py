"""What the commands say in the terminal: line by line, and whatever others wrote in it is text and no more."""

import json
import sys
from typing import Any

from wording.foreign_text import escaped, one_line


def say(line: str = "", *, is_problem: bool = False) -> None:
    """One line at once, whatever it holds: an error message or a name steers no terminal and begins no line."""
    print(one_line(line), file=sys.stderr if is_problem else sys.stdout, flush=True)


def say_json(document: Any) -> None:
    """One JSON document, with characters that steer a terminal as escapes.

    Where the output has not all letters they are JSON's escapes: Python's own, of a letter below U+0100, are none.
    """
    has_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(escaped(json.dumps(document, ensure_ascii=not has_all, indent=2)), flush=True)
