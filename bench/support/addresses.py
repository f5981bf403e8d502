"""Every page there is, and what its address must name."""

from bench import ROOT
from bench.support import dataset

# What an address must name. A page that is not here needs nothing.
PARAMS: dict[str, dict[str, str]] = {
    "student": {"user_id": dataset.STUDENT},
    "evaluation": {"evaluation_id": dataset.EVALUATION, "user_id": dataset.STUDENT},
    "compare": {"user_id": dataset.STUDENT},
    "flashcards": {"set_id": dataset.SET, "user_id": dataset.STUDENT},
}


def names() -> list[str]:
    """Every page there is, those first that cost the same at every size."""
    return sorted((path.stem for path in (ROOT / "pages").glob("*.py")), key=lambda name: (name not in PARAMS, name))
