"""README and the files in docs/, as people read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


def section(title: str, of: Path) -> str:
    """What stands under a heading of a file, down to the next one of the same or a higher level."""
    text = of.read_text(encoding="utf-8")
    heading = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert heading, f"{of.name} has no section “{title}”"
    return re.split(rf"^#{{1,{len(heading[1])}}} ", text[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def doc(name: str) -> Path:
    """A file in docs/."""
    return ROOT / "docs" / f"{name}.md"
