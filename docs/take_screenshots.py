"""Takes README's screenshots of the demo: `python docs/take_screenshots.py`, in the environment that runs the tests."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))
if missing := [name for name in ("streamlit", "playwright") if not find_spec(name)]:
    sys.exit(f"The pictures need {', '.join(missing)}: pip install -r requirements-dev.txt")

from data.demo.sample import Record, sample
from tests.support.browser import dashboard, visiting
from tests.support.engines import MissingError

STUDENT = "user-108"
DESK = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}


def latest(records: Sequence[Record], **chosen: str) -> Record:
    """The student's newest completed record with these values."""
    chosen |= {"user_id": STUDENT, "status": "completed"}
    return max((r for r in records if chosen.items() <= r.items()), key=lambda record: record["created_at"])


def main() -> None:
    """Write every picture into this folder."""
    with dashboard({"BANDUP_SOURCE": "demo"}) as url:
        # The same sample as the server's: its ids follow from the seed, its times from the clock.
        records = sample(datetime.now(UTC))
        speaking = latest(records.evaluations, evaluation_type="speaking")["evaluation_id"]
        cards = latest(records.sets)["set_id"]
        student = f"user_id={STUDENT}"
        for name, path, size, scheme in (
            ("overview.png", "/", DESK, "light"),
            ("student.png", f"/student?{student}", DESK, "light"),
            ("evaluation.png", f"/evaluation?evaluation_id={speaking}&{student}", DESK, "light"),
            ("compare.png", f"/compare?{student}", DESK, "light"),
            ("flashcards.png", f"/flashcards?set_id={cards}&{student}", DESK, "light"),
            ("jobs.png", "/jobs", DESK, "light"),
            ("audit.png", "/audit", DESK, "light"),
            ("setup.png", "/setup", DESK, "light"),
            ("student-phone-dark.png", f"/student?{student}", PHONE, "dark"),
        ):
            with visiting(url, **size, scheme=scheme) as visitor:
                visitor.open(path)
                # Streamlit loads each kind of element when it first shows one, behind a grey box.
                visitor.until("!document.querySelector('[data-testid=stSkeleton]')")
                visitor.idle()
                visitor.page.screenshot(path=DOCS / name)
            sys.stdout.write(f"{name}: {(DOCS / name).stat().st_size / 1000:.0f} KB\n")


if __name__ == "__main__":
    try:
        main()
    except MissingError as missing_tool:
        sys.exit(str(missing_tool))
