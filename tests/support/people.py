"""People who sign in, and what they may do."""

import re
from random import Random
from uuid import UUID

from tests.support.browser import Visitor

OPS, TEACHER, LIMITED = "olga@school.example", "le@school.example", "tran@school.example"

_CHANCE = Random(1)
GROUPS = [str(UUID(int=_CHANCE.getrandbits(128))) for _ in range(190)]
"""About as many as Microsoft sends, named as it does: a cookie of these is cut in pieces."""
PEOPLE = {
    "Olga": {"sub": "1", "email": "Olga@School.example", "email_verified": True, "name": "Olga Ops"},
    "Le": {"sub": "2", "email": TEACHER, "email_verified": True},
    "Tran": {"sub": "3", "email": LIMITED},
    "Stranger": {"sub": "4", "email": "stranger@elsewhere.example", "email_verified": True},
    "Unverified": {"sub": "5", "email": OPS, "email_verified": False},
    "By long list": {
        "sub": "7",
        "email": "many@school.example",
        "groups": [*GROUPS, "bandup-ops"],
    },
    "By group": {"sub": "6", "email": "new@school.example", "groups": ["staff", "bandup-ops"]},
}


ROLES = f"""
[roles]
ops = ["{OPS}"]
teacher = ["{TEACHER}", "{LIMITED}"]

[roles.claim]
name = "groups"
ops = ["bandup-ops"]

[classes]
"{LIMITED}" = ["Monday evening"]
"""


# What only somebody who may look gets to see: a badge, a grid, a number, a record.
DATA = "[data-testid=stMetric], [data-testid=stDataFrame], .st-key-_refresh, [data-testid=stCode]"


SIGN_IN, SIGN_OUT = ".st-key-sign_in button", ".st-key-sign_out button"


def refused(visitor: Visitor, path: str, sentence: str) -> None:
    """Go to a path and see the sentence, and nothing of anybody."""
    visitor.page.goto(visitor.url + path)
    visitor.sees(sentence)
    visitor.idle()
    sees_no_data(visitor)


def sees_no_data(visitor: Visitor) -> None:
    """Once the page is done: what was on it before goes at the end of a run."""
    visitor.idle()
    assert visitor.page.locator(DATA).count() == 0
    text = visitor.page.inner_text("body")
    assert "Demo data" not in text
    assert not re.search(r"user-\d|talk about|vocab-guide", text)
