"""What the commands say in the terminal: line by line, and whatever others wrote in it is text and no more."""

import json
import sys
from typing import Any

from wording.foreign_text import escaped, one_line


def say(line: str = "", *, is_problem: bool = False) -> None:
    """One line at once, whatever it holds: an error message or a name steers no terminal and begins no line."""
    print(one_line(line), file=sys.stderr if is_problem else sys.stdout, flush=True)


def say_json(document: Any) -> None:
    """One JSON document, with characters that steer a terminal as escapes."""
    print(escaped(json.dumps(document, ensure_ascii=False, indent=2)), flush=True)
